//! Content too large for rows: states, plan files, finished logs. A folder by default, or a bucket.
//!
//! A blob is written once under a key that is never used again, sealed for exactly that key, and durable before the row
//! that names it is written. What no row names any more is written down in the transaction that dropped the row, and
//! removed a day later by [`sweep`]: whoever read the row before still finds it. What a refused row would have named
//! goes at once; a failure there leaves a file, never a hole.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::Path as FilePath, sync::Arc};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use object_store::{
    ObjectStore, ObjectStoreExt, aws::AmazonS3Builder, azure::MicrosoftAzureBuilder,
    gcp::GoogleCloudStorageBuilder, local::LocalFileSystem, path::Path, prefix::PrefixStore,
};
use uuid::Uuid;

use crate::{
    Result, Store, StoreError, Tx,
    db::{Query, values},
    events::places,
    seal,
};

/// How long a blob stays that no row names any more.
const KEPT_FOR: TimeDelta = TimeDelta::hours(24);
/// How many blobs [`sweep`] handles at once.
const BATCH: u16 = 200;

/// The place of one blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlobKey(String);

/// Where blobs are.
#[derive(Clone)]
pub(crate) struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// The same, where it is a folder: its files are made private.
    folder: Option<Arc<LocalFileSystem>>,
}

impl BlobKey {
    /// A key that was never used before: `states/<owner>/<new id>`.
    pub(crate) fn new(kind: &str, owner: impl std::fmt::Display) -> Self {
        Self(format!("{kind}/{owner}/{}", Uuid::now_v7()))
    }

    pub(crate) fn from_column(key: String) -> Self {
        Self(key)
    }

    /// A key that was never used before, for the same content.
    pub(crate) fn successor(&self) -> Self {
        let owner = self.0.rsplit_once('/').map_or(self.0.as_str(), |(owner, _)| owner);
        Self(format!("{owner}/{}", Uuid::now_v7()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Blobs {
    /// A folder, or `s3://bucket/prefix`, `gs://…`, `az://…` with credentials from the environment.
    pub(crate) fn open(url: &str) -> Result<Self> {
        let store: Arc<dyn ObjectStore> = match url.split_once("://") {
            None => return Self::in_folder(url),
            Some(("file", path)) => return Self::in_folder(path),
            Some(("s3", place)) => bucket(AmazonS3Builder::from_env().with_url(url).build()?, place),
            Some(("gs", place)) => {
                bucket(GoogleCloudStorageBuilder::from_env().with_url(url).build()?, place)
            }
            Some(("az", place)) => bucket(MicrosoftAzureBuilder::from_env().with_url(url).build()?, place),
            Some((scheme, _)) => {
                return Err(StoreError::corrupt(format!(
                    "blobs can't be kept at {scheme}://; give a folder, s3://, gs:// or az://"
                )));
            }
        };
        Ok(Self { store, folder: None })
    }

    fn in_folder(path: &str) -> Result<Self> {
        crate::seal::private_folder(FilePath::new(path))?;
        let folder = Arc::new(LocalFileSystem::new_with_prefix(path)?.with_fsync(true));
        Ok(Self { store: folder.clone(), folder: Some(folder) })
    }

    /// In a folder: a file that its owner alone may read.
    async fn make_private(&self, path: &Path) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let file = folder.path_to_filesystem(path)?;
        let made = tokio::fs::set_permissions(file, Permissions::from_mode(0o600)).await;
        made.map_err(|error| StoreError::Unavailable { what: "blob store", source: Box::new(error) })
    }

    /// Removes a blob that no row ever named.
    pub(crate) async fn discard(&self, key: &BlobKey) {
        if let Err(error) = self.remove(key).await {
            tracing::warn!(key = key.as_str(), %error, "a blob that nothing needs was not removed");
        }
    }

    /// The sealed content as it is kept.
    pub(crate) async fn sealed(&self, key: &BlobKey) -> Result<Bytes> {
        Ok(self.store.get(&Path::from(key.as_str())).await?.bytes().await?)
    }

    /// Id of the key that a blob is sealed with.
    pub(crate) async fn sealed_with(&self, key: &BlobKey) -> Result<Option<String>> {
        let head = self.store.get_range(&Path::from(key.as_str()), 0..seal::LONGEST_HEAD).await?;
        Ok(seal::sealed_with(&head))
    }

    /// Keeps content that is sealed for this key already. Returns when it is durable.
    pub(crate) async fn put_sealed(&self, key: &BlobKey, sealed: Bytes) -> Result<()> {
        let path = Path::from(key.as_str());
        self.store.put(&path, sealed.into()).await?;
        self.make_private(&path).await
    }

    async fn remove(&self, key: &BlobKey) -> Result<()> {
        match self.store.delete(&Path::from(key.as_str())).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Seals content and keeps it. Returns when it is durable, with the id of the key: it belongs into the row that names
/// the blob.
pub(crate) async fn put(store: &Store, key: &BlobKey, content: &[u8]) -> Result<String> {
    let (sealed_with, sealed) = store.keyring().seal(key.as_str(), content);
    store.blobs().put_sealed(key, sealed.into()).await?;
    Ok(sealed_with)
}

/// Fetches content and opens it.
pub(crate) async fn get(store: &Store, key: &BlobKey) -> Result<Bytes> {
    let sealed = store.blobs().sealed(key).await?;
    store.keyring().open(key.as_str(), &sealed).map(Bytes::from)
}

/// Removes a blob whose row was refused. Where the database did not answer, the row may be there all the same, and what
/// it names stays: rather a file too many than a state too few.
pub(crate) async fn discard_refused<T>(store: &Store, key: &BlobKey, kept: &Result<T>) {
    match kept {
        Ok(_) | Err(StoreError::Unavailable { .. }) => {}
        Err(_) => store.blobs().discard(key).await,
    }
}

/// Writes down, in the transaction that drops their rows, that nothing names these any more.
pub(crate) async fn write_discarded(tx: &Tx, keys: &[BlobKey]) -> Result<()> {
    for keys in keys.chunks(200) {
        let sql = format!(
            "INSERT INTO discarded_blobs (blob) VALUES {} ON CONFLICT DO NOTHING",
            places(keys.len(), 1)
        );
        tx.execute(&sql, keys.iter().flat_map(|key| values![key.as_str()]).collect()).await?;
    }
    Ok(())
}

/// Removes blobs that nothing has named for a day; tells how many.
///
/// # Errors
/// When the database is not available. A blob that can't be removed stays for the next time.
pub async fn sweep(store: &Store, now: DateTime<Utc>) -> Result<usize> {
    if store
        .optional("SELECT 1 FROM discarded_blobs WHERE seen_at IS NULL LIMIT 1", values![])
        .await?
        .is_some()
    {
        let tx = store.begin().await?;
        tx.execute("UPDATE discarded_blobs SET seen_at = $1 WHERE seen_at IS NULL", values![now]).await?;
        tx.commit().await?;
    }
    let sql = "SELECT blob FROM discarded_blobs WHERE seen_at < $1 ORDER BY seen_at, blob LIMIT $2";
    let old = store.all(sql, values![now - KEPT_FOR, BATCH]).await?;
    let mut removed = 0;
    for row in &old {
        let key = BlobKey::from_column(row.get("blob")?);
        match store.blobs().remove(&key).await {
            Ok(()) => removed += forget(store, &key).await?,
            Err(error) => {
                tracing::warn!(key = key.as_str(), %error, "a blob that nothing needs was not removed");
            }
        }
    }
    Ok(removed)
}

async fn forget(store: &Store, key: &BlobKey) -> Result<usize> {
    let tx = store.begin().await?;
    tx.execute("DELETE FROM discarded_blobs WHERE blob = $1", values![key.as_str()]).await?;
    tx.commit().await?;
    Ok(1)
}

/// A bucket, with what follows its name as the prefix of all keys.
fn bucket<S: ObjectStore>(store: S, place: &str) -> Arc<dyn ObjectStore> {
    let prefix = place.split_once('/').map_or("", |(_, prefix)| prefix);
    if prefix.is_empty() { Arc::new(store) } else { Arc::new(PrefixStore::new(store, prefix)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_blob_in_a_folder_is_private() {
        let (folder, store) = store().await;
        let key = BlobKey::new("states", "shop");
        put(&store, &key, b"content").await.unwrap();
        let file = folder.path().join("blobs").join(key.as_str());
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    /// A commit whose answer was lost may have happened: its row would name a hole.
    #[tokio::test]
    async fn a_blob_goes_only_when_its_row_was_surely_not_written() {
        let (_folder, store) = store().await;
        let key = BlobKey::new("states", "shop");
        put(&store, &key, b"content").await.unwrap();
        let lost: Result<()> = Err(StoreError::Unavailable { what: "database", source: "cut off".into() });
        discard_refused(&store, &key, &lost).await;
        assert_eq!(get(&store, &key).await.unwrap().as_ref(), b"content");
        discard_refused(&store, &key, &Err::<(), _>(StoreError::not_found("spec", "shop"))).await;
        assert!(get(&store, &key).await.is_err());
    }

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let config = crate::StoreConfig::in_folder(folder.path()).unwrap();
        let store = Store::open(&config, chrono::DateTime::UNIX_EPOCH).await.unwrap();
        (folder, store)
    }

    #[test]
    fn a_folder_or_a_bucket_is_named_by_its_url() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").display().to_string();
        for url in [path.as_str(), "s3://bucket/some/prefix"] {
            assert!(Blobs::open(url).is_ok(), "{url}");
        }
        assert!(folder.path().join("new").is_dir());
        let refused = Blobs::open("ftp://host/folder").map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains("ftp://") && refused.contains("s3://"), "{refused}");
    }
}
