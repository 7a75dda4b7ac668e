//! Which key seals, what each seals, and which Consoles know it. The keys themselves are in the key files.
//!
//! A key is replaced in three steps: every Console's key file gets the new one; [`rotate`] makes it the one that seals,
//! once all Consoles that run know it; `reseal` seals again, in the background, what older keys sealed. Then
//! [`remove`] lets an old one go. Everything can be read all the time: a row names its key, and a key that a row names
//! can't go, because the database says so. A Console that missed the change seals with the old key until it looks
//! again, which is the worst that happens.

mod reseal;

use chrono::{DateTime, TimeDelta, Utc};

pub use reseal::{Resealed, reseal};

use crate::{
    Conflict, Reader, Result, Store, StoreError, Tx,
    db::{Query, for_update, found, json, values},
    settings,
};

/// How long a Console that was not seen still counts as one that runs.
const CONSOLE_AWAY: TimeDelta = TimeDelta::seconds(120);
/// Where 0.1.0 kept a word that was sealed with its key.
const SEALED_WORD: &str = "key_check";

/// A key, as far as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealingKey {
    /// Its id: a digest.
    pub id: String,
    /// Whether it seals what is new.
    pub is_current: bool,
    /// When it was first made to seal; absent for one that waits in the key files.
    pub used_since: Option<DateTime<Utc>>,
    /// How many states, plan files, logs and answers are sealed with it.
    pub seals: u64,
    /// Consoles that run and know it.
    pub known_by: Vec<String>,
    /// Consoles that run and do not.
    pub unknown_to: Vec<String>,
}

/// All keys, the one that seals first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The keys.
    pub keys: Vec<SealingKey>,
    /// What was sealed before keys were noted, and is to be looked at.
    pub unnoted: u64,
}

/// A Console that runs.
#[derive(Clone, Copy, Debug)]
pub struct Console<'a> {
    /// Its name: one for each data folder.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
}

/// Makes sure, when the store is opened, that the ring has every key that something is sealed with. A Console with
/// another key would otherwise find out when somebody needs what it can't open.
pub(crate) async fn check(store: &Store, now: DateTime<Utc>) -> Result<()> {
    let tx = store.begin().await?;
    open_sealed_word(&tx).await?;
    let first = "INSERT INTO sealing_keys (id, is_current, created_at) SELECT $1, TRUE, $2 \
        WHERE NOT EXISTS (SELECT 1 FROM sealing_keys) ON CONFLICT DO NOTHING";
    tx.execute(first, values![store.keyring().sealing(), now]).await?;
    for row in tx.all("SELECT id FROM sealing_keys", values![]).await? {
        let id: String = row.get("id")?;
        if !store.keyring().ids().contains(&id) && (is_current(&tx, &id).await? || seals(&tx, &id).await? > 0)
        {
            return Err(wrong_key(&id));
        }
    }
    let current = current(&tx).await?;
    tx.commit().await?;
    store.keyring().seal_with(&current);
    Ok(())
}

/// Tells the others that this Console runs and which keys it knows, and looks which one seals now. To be called every
/// few seconds, and before [`rotate`].
///
/// # Errors
/// When the database is not available, or the key that seals is not in this Console's key file.
pub async fn refresh(store: &Store, console: Console<'_>, now: DateTime<Utc>) -> Result<()> {
    if let Err(error) = store.keyring().reload() {
        tracing::warn!(%error, "the key file was not read again");
    }
    let tx = store.begin().await?;
    let sql = "INSERT INTO consoles (name, version, known_keys, seen_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (name) DO UPDATE SET version = excluded.version, known_keys = excluded.known_keys, \
        seen_at = excluded.seen_at";
    tx.execute(sql, values![console.name, console.version, json(&store.keyring().ids()), now]).await?;
    tx.execute("DELETE FROM consoles WHERE seen_at < $1", values![now - TimeDelta::days(1)]).await?;
    let current = current(&tx).await?;
    tx.commit().await?;
    if store.keyring().seal_with(&current) { Ok(()) } else { Err(wrong_key(&current)) }
}

/// Tells the others that this Console has ended.
///
/// # Errors
/// When the database is not available.
pub async fn leave(store: &Store, name: &str) -> Result<()> {
    let tx = store.begin().await?;
    tx.execute("DELETE FROM consoles WHERE name = $1", values![name]).await?;
    tx.commit().await
}

/// Whether this is the Console that seals again: the first by its name of those that run.
///
/// # Errors
/// When the database is not available.
pub async fn is_first(reader: &impl Reader, name: &str, now: DateTime<Utc>) -> Result<bool> {
    Ok(running(reader, now).await?.first().is_some_and(|(first, _)| first == name))
}

/// All keys, those too that only wait in the key files.
///
/// # Errors
/// When the database is not available.
pub async fn list(store: &Store, now: DateTime<Utc>) -> Result<Keys> {
    let consoles = running(store, now).await?;
    let used = store.all("SELECT id, is_current, created_at FROM sealing_keys", values![]).await?;
    let mut keys = Vec::new();
    for row in &used {
        let key = seen_by(row.get("id")?, &consoles);
        let seals = seals(store, &key.id).await?;
        let (is_current, used_since) = (row.get("is_current")?, Some(row.get("created_at")?));
        keys.push(SealingKey { is_current, used_since, seals, ..key });
    }
    // Behind the key that seals stand older ones: one that was let go may still be in the file, and does not wait.
    let sealing = keys.iter().find(|key| key.is_current).map(|key| key.id.clone());
    let newer = store.keyring().ids().into_iter().take_while(|id| Some(id) != sealing.as_ref());
    let waiting = newer.filter(|id| keys.iter().all(|key| key.id != *id));
    let waiting: Vec<_> = waiting.map(|id| seen_by(id, &consoles)).collect();
    keys.extend(waiting);
    keys.sort_by_key(|key| (!key.is_current, std::cmp::Reverse(key.used_since)));
    Ok(Keys { keys, unnoted: reseal::unnoted(store).await? })
}

/// Makes a key the one that seals. This Console knows it at once, the others when they look again.
///
/// # Errors
/// When this Console does not know it; [`Conflict::KeyUnknown`] when another that runs does not.
pub async fn rotate(tx: &Tx, id: &str, now: DateTime<Utc>) -> Result<()> {
    let lock = format!("SELECT id FROM sealing_keys WHERE is_current{}", for_update(tx));
    tx.all(&lock, values![]).await?;
    found(tx.store().keyring().ids().contains(&id.to_owned()).then_some(()), "key", id)?;
    let key = seen_by(id.to_owned(), &running(tx, now).await?);
    if !key.unknown_to.is_empty() {
        return Err(Conflict::KeyUnknown { key: key.id, consoles: key.unknown_to.join(", ") }.into());
    }
    tx.execute("UPDATE sealing_keys SET is_current = FALSE WHERE is_current AND id <> $1", values![id])
        .await?;
    let sql = "INSERT INTO sealing_keys (id, is_current, created_at) VALUES ($1, TRUE, $2) \
        ON CONFLICT (id) DO UPDATE SET is_current = TRUE";
    tx.execute(sql, values![id, now]).await?;
    Ok(())
}

/// Lets a key go that seals nothing. One that is gone already, or waits, and is still in this Console's key file is no
/// error: whoever tends the files of several Consoles says it for each.
///
/// # Errors
/// When there is no such key; [`Conflict::KeyInUse`] when it seals what is new or still seals something.
pub async fn remove(tx: &Tx, id: &str) -> Result<()> {
    let in_use = |what: String| Conflict::KeyInUse { key: id.to_owned(), what };
    if is_current(tx, id).await? {
        return Err(in_use("seals what is new".to_owned()).into());
    }
    let unnoted = reseal::unnoted(tx).await?;
    let seals = seals(tx, id).await? + unnoted;
    if seals > 0 {
        return Err(in_use(format!("may still seal {seals} things")).into());
    }
    let removed = tx.execute("DELETE FROM sealing_keys WHERE id = $1", values![id]).await?;
    let known = removed > 0 || tx.store().keyring().ids().contains(&id.to_owned());
    found(known.then_some(()), "key", id)
}

/// Id of the key that seals.
pub(crate) async fn current(reader: &impl Reader) -> Result<String> {
    reader.one("SELECT id FROM sealing_keys WHERE is_current", values![]).await?.get("id")
}

async fn is_current(reader: &impl Reader, id: &str) -> Result<bool> {
    Ok(current(reader).await? == id)
}

async fn seals(reader: &impl Reader, id: &str) -> Result<u64> {
    reseal::count(reader, id).await
}

/// A database of 0.1.0 says by a sealed word which key is meant; since then the ids of the keys do.
async fn open_sealed_word(tx: &Tx) -> Result<()> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let Some(sealed) = settings::get(tx, SEALED_WORD).await? else { return Ok(()) };
    let sealed = STANDARD.decode(sealed).map_err(StoreError::corrupt)?;
    if tx.store().keyring().open(SEALED_WORD, &sealed).is_err() {
        return Err(wrong_key(&crate::seal::sealed_with(&sealed).unwrap_or_default()));
    }
    tx.execute("DELETE FROM settings WHERE name = $1", values![SEALED_WORD]).await?;
    Ok(())
}

/// Names of Consoles that run, with the keys that they know.
async fn running(reader: &impl Reader, now: DateTime<Utc>) -> Result<Vec<(String, Vec<String>)>> {
    let sql = "SELECT name, known_keys FROM consoles WHERE seen_at > $1 ORDER BY name";
    let rows = reader.all(sql, values![now - CONSOLE_AWAY]).await?;
    rows.iter().map(|row| Ok((row.get("name")?, row.json("known_keys")?))).collect()
}

fn seen_by(id: String, consoles: &[(String, Vec<String>)]) -> SealingKey {
    let (known, unknown): (Vec<_>, Vec<_>) = consoles.iter().partition(|(_, keys)| keys.contains(&id));
    let names =
        |consoles: Vec<&(String, Vec<String>)>| consoles.into_iter().map(|(name, _)| name.clone()).collect();
    SealingKey {
        id,
        is_current: false,
        used_since: None,
        seals: 0,
        known_by: names(known),
        unknown_to: names(unknown),
    }
}

fn wrong_key(id: &str) -> StoreError {
    StoreError::corrupt(format!(
        "this database is sealed with the key {id}, which is not in the key file; copy the key file of a Console that \
         has it"
    ))
}
