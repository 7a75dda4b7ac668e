//! Content too large for rows: states, plan files, finished logs. A folder by default, or a bucket.
//!
//! A blob is written once under a key that is never used again, sealed for exactly that key, and durable before the row
//! that names it is written. What no row names any more is removed after the commit that dropped the row; a failure
//! there leaves a file, never a hole.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::Path as FilePath, sync::Arc};

use bytes::Bytes;
use object_store::{
    ObjectStore, ObjectStoreExt, aws::AmazonS3Builder, azure::MicrosoftAzureBuilder,
    gcp::GoogleCloudStorageBuilder, local::LocalFileSystem, path::Path, prefix::PrefixStore,
};
use uuid::Uuid;

use crate::{Result, Store, StoreError};

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

    /// Removes blobs that nothing names any more.
    pub(crate) async fn discard(&self, keys: &[BlobKey]) {
        for key in keys {
            if let Err(error) = self.store.delete(&Path::from(key.as_str())).await {
                tracing::warn!(key = key.as_str(), %error, "a blob that nothing needs was not removed");
            }
        }
    }
}

/// Seals content and keeps it. Returns when it is durable.
pub(crate) async fn put(store: &Store, key: &BlobKey, content: &[u8]) -> Result<()> {
    let sealed = store.keyring().seal(key.as_str(), content);
    let path = Path::from(key.as_str());
    store.blobs().store.put(&path, sealed.into()).await?;
    store.blobs().make_private(&path).await
}

/// Fetches content and opens it.
pub(crate) async fn get(store: &Store, key: &BlobKey) -> Result<Bytes> {
    let sealed = store.blobs().store.get(&Path::from(key.as_str())).await?.bytes().await?;
    store.keyring().open(key.as_str(), &sealed).map(Bytes::from)
}

/// Removes a blob whose row was refused. Where the database did not answer, the row may be there all the same, and what
/// it names stays: rather a file too many than a state too few.
pub(crate) async fn discard_refused<T>(store: &Store, key: &BlobKey, kept: &Result<T>) {
    match kept {
        Ok(_) | Err(StoreError::Unavailable { .. }) => {}
        Err(_) => store.blobs().discard(std::slice::from_ref(key)).await,
    }
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
