//! Keys: which one seals, and the change to another. Sealing again what older keys sealed is work of the background.

use alethia_api::keys::{Key, Keys};
use alethia_store::{
    Conflict, StoreError,
    keys::{self, Console, SealingKey},
};

use super::{App, audit};
use crate::{
    auth::Owner,
    error::{Error, Result},
};

/// All keys, those that only wait in the key files too.
///
/// # Errors
/// When the store is not available.
pub async fn list(app: &App, _: &Owner) -> Result<Keys> {
    refresh(app).await?;
    let keys::Keys { keys, unnoted } = keys::list(&app.store, app.now()).await?;
    Ok(Keys { keys: keys.into_iter().map(view).collect(), unnoted })
}

/// Makes a key the one that seals; all Consoles then seal again, step by step, what older ones sealed.
///
/// # Errors
/// When this Console or another that runs does not know the key.
pub async fn rotate(app: &App, owner: &Owner, id: &str) -> Result<Keys> {
    refresh(app).await?;
    let (tx, now) = (app.store.begin().await?, app.now());
    keys::rotate(&tx, id, now).await.map_err(refusal)?;
    audit::done(&tx, &owner.name, "key.rotate", id, audit::nothing(), now);
    tx.commit().await?;
    let keys = list(app, owner).await?;
    app.rotated.notify_one();
    Ok(keys)
}

/// Lets a key go that seals nothing.
///
/// # Errors
/// When it seals what is new, or still seals something.
pub async fn remove(app: &App, owner: &Owner, id: &str) -> Result<()> {
    let (tx, now) = (app.store.begin().await?, app.now());
    keys::remove(&tx, id).await.map_err(refusal)?;
    audit::done(&tx, &owner.name, "key.remove", id, audit::nothing(), now);
    Ok(tx.commit().await?)
}

/// Tells other Consoles which keys this one knows, and looks which one seals now.
pub(crate) async fn refresh(app: &App) -> Result<()> {
    let console = Console { name: &name(app), version: env!("CARGO_PKG_VERSION") };
    Ok(keys::refresh(&app.store, console, app.now()).await?)
}

/// The name of this Console: of its machine and its data folder, which no other process has.
pub(crate) fn name(app: &App) -> String {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let machine = if machine.trim().is_empty() { "console" } else { machine.trim() };
    format!("{machine}:{}", app.config.data_dir.display())
}

fn refusal(error: StoreError) -> Error {
    let see = Some("alethia keys list".to_owned());
    let copy =
        "copy this Console's key file, master-key, into the data folder of each of these, then try again";
    match error {
        StoreError::NotFound { noun, key } => Error::NotFound { what: noun, name: key, hint: see },
        StoreError::Conflict(conflict @ Conflict::KeyInUse { .. }) => conflicting(&conflict, see),
        StoreError::Conflict(conflict @ Conflict::KeyUnknown { .. }) => {
            conflicting(&conflict, Some(copy.to_owned()))
        }
        other => other.into(),
    }
}

fn conflicting(conflict: &Conflict, hint: Option<String>) -> Error {
    Error::Conflict { detail: conflict.to_string(), permitted: Vec::new(), hint }
}

fn view(key: SealingKey) -> Key {
    let SealingKey { id, is_current, used_since, seals, known_by, unknown_to } = key;
    Key { id, current: is_current, used_since, seals, known_by, unknown_to }
}
