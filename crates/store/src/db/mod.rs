//! Two databases behind one [`Store`].
//!
//! SQLite: write-ahead log, one connection that writes ([`group`]), a few that read and never wait for it. PostgreSQL:
//! one pool that writes, one that reads. SQL is the same text for both wherever that is possible: positional `$1`, types that both
//! understand.

mod combine;
mod connect;
mod group;
mod rows;
mod transaction;

use std::{
    fmt,
    path::Path,
    sync::{Arc, Weak},
    time::Duration,
};

use chrono::{DateTime, Utc};
use sea_orm::DatabaseConnection;
use tokio::sync::watch;

pub(crate) use combine::Combiner;
pub(crate) use connect::{Connections, WRITER_SETTINGS, connect};
pub use rows::Reader;
pub(crate) use rows::{Query, Row, ToValue, found, json, text, values};
pub use transaction::Tx;

use group::Group;
use transaction::Writer;

use crate::{
    Result,
    blobs::Blobs,
    doorbell::{Doorbell, Relay},
    events, keys, schema,
    seal::Keyring,
};

/// Where things are kept.
#[derive(Clone)]
pub struct StoreConfig {
    /// `sqlite:///path/to/file` or `postgres://…`; may hold a password.
    pub database_url: String,
    /// A folder, or `s3://…`, `gs://…`, `az://…`.
    pub blobs_url: String,
    /// The keys that states, plans and other private content are sealed with.
    pub keyring: Keyring,
}

/// The platform's memory. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    checks_fences: bool,
}

pub(crate) struct Inner {
    writer: Writer,
    /// What `writer` is made of.
    writing: DatabaseConnection,
    reader: DatabaseConnection,
    blobs: Blobs,
    keyring: Keyring,
    doorbell: Doorbell,
    relay: Relay,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.relay.stop();
    }
}

impl StoreConfig {
    /// Everything in one private folder, which is made where it is missing: `alethia.db`, `blobs`, `key`.
    ///
    /// # Errors
    /// When the folder or the key file can't be made or read, or others may read the key file.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        crate::seal::private_folder(folder)?;
        Ok(Self {
            database_url: sqlite_url(&folder.join("alethia.db")),
            blobs_url: folder.join("blobs").display().to_string(),
            keyring: Keyring::from_file(&folder.join("key"))?,
        })
    }
}

impl fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.database_url.split_once(':').map_or("", |(scheme, _)| scheme);
        f.debug_struct("StoreConfig")
            .field("database_url", &format_args!("{scheme}:***"))
            .field("blobs_url", &self.blobs_url)
            .field("keyring", &self.keyring)
            .finish()
    }
}

impl Store {
    /// Connects, brings the schema up to date, and makes sure that the Zone `default` and the Cloud Identity `sandbox`
    /// are there.
    ///
    /// # Errors
    /// When the database or the blob store is not available, the schema is of a later version, or the keys do not open
    /// what is sealed.
    pub async fn open(config: &StoreConfig, now: DateTime<Utc>) -> Result<Self> {
        let connections = connect(&config.database_url).await?;
        schema::migrate(&connections.writer).await?;
        let store = Self::over(connections, config).await?;
        store.seed(now).await?;
        keys::check(&store, now).await?;
        Ok(store)
    }

    /// Connects to a platform that other processes may run, and changes nothing of it.
    ///
    /// # Errors
    /// When the database or the blob store is not available, or the database is not of this version.
    pub async fn attach(config: &StoreConfig) -> Result<Self> {
        let connections = connect(&config.database_url).await?;
        schema::must_be_current(&connections.writer).await?;
        Self::over(connections, config).await
    }

    async fn over(connections: Connections, config: &StoreConfig) -> Result<Self> {
        let blobs = Blobs::open(&config.blobs_url)?;
        let doorbell = Doorbell::default();
        let (writing, postgres) = (connections.writer, connections.postgres);
        let writer = match postgres {
            Some(_) => Writer::Postgres(writing.clone()),
            None => Writer::Sqlite(Group::on(&writing).await?),
        };
        let inner = Inner {
            writer,
            writing,
            reader: connections.reader,
            blobs,
            keyring: config.keyring.clone(),
            relay: Relay::new(doorbell.clone()),
            doorbell,
        };
        let store = Self { inner: Arc::new(inner), checks_fences: true };
        let newest = events::latest(&store).await?;
        store.inner.relay.start(Arc::downgrade(&store.inner), newest, postgres);
        Ok(store)
    }

    /// A store that takes what an attempt writes after its end: broken on purpose, for the test of whoever must notice.
    #[doc(hidden)]
    #[must_use]
    pub fn without_fences(self) -> Self {
        Self { checks_fences: false, ..self }
    }

    /// Whether what an attempt writes after its end is refused; always, but for one test.
    #[doc(hidden)]
    pub fn checks_fences(&self) -> bool {
        self.checks_fences
    }

    /// Begins to write. Nothing is seen by others before [`Tx::commit`]; a dropped transaction is rolled back.
    ///
    /// # Errors
    /// When the database is not available.
    pub async fn begin(&self) -> Result<Tx> {
        Tx::begin(self.clone()).await
    }

    /// What rings when something changed.
    pub fn doorbell(&self) -> &Doorbell {
        &self.inner.doorbell
    }

    /// Whether the database answered when it was last asked, which is about every second; a file always answers. Who
    /// listens hears of every change.
    pub fn available(&self) -> watch::Receiver<bool> {
        self.inner.relay.available()
    }

    /// How long a ring of the doorbell takes to come to another Console; zero where there can be none.
    pub fn doorbell_lag(&self) -> Duration {
        self.inner.relay.lag()
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<()> {
        self.optional("SELECT 1", vec![]).await.map(|_| ())
    }

    /// Ends background work and closes the connections.
    pub async fn close(self) {
        self.inner.relay.close().await;
        if let Writer::Sqlite(group) = &self.inner.writer {
            group.close().await;
        }
        for connection in [self.inner.writing.clone(), self.inner.reader.clone()] {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "a database connection did not close");
            }
        }
    }

    /// The store, if somebody still has it.
    pub(crate) fn upgrade(inner: &Weak<Inner>) -> Option<Self> {
        inner.upgrade().map(|inner| Self { inner, checks_fences: true })
    }

    pub(crate) fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.inner.keyring
    }

    fn writer(&self) -> &Writer {
        &self.inner.writer
    }

    pub(crate) fn reading(&self) -> &DatabaseConnection {
        &self.inner.reader
    }

    async fn seed(&self, now: DateTime<Utc>) -> Result<()> {
        let tx = self.begin().await?;
        crate::zones::ensure_default(&tx, now).await?;
        crate::identities::ensure_sandbox(&tx, now).await?;
        tx.commit().await
    }
}

/// A path may hold what means something in a URL.
fn sqlite_url(path: &Path) -> String {
    let path = path.display().to_string();
    format!("sqlite://{}", path.replace('%', "%25").replace('?', "%3F"))
}

/// The clause that locks the rows of a SELECT. SQLite has one writer: a transaction that writes is alone anyway.
pub(crate) fn for_update(reader: &impl Reader) -> &'static str {
    if reader.is_postgres() { " FOR NO KEY UPDATE" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_never_prints_where_the_database_is_or_its_password() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = StoreConfig::in_folder(folder.path()).unwrap();
        config.database_url = "postgres://ada:planted-secret@db/alethia".to_owned();
        let text = format!("{config:?}");
        assert!(!text.contains("planted-secret"), "{text}");
        assert!(text.contains("postgres"), "{text}");
    }
}
