//! A whole platform in one file, taken while it runs, and a platform made from one.
//!
//! A backup is a compressed tar: what it is (`about.json`), the rows of every table as lines of JSON, the blobs that
//! those rows name, sealed as they are, and at its end what it must hold. Rows are one snapshot of the database; blobs
//! never change and stay for a day after their rows are gone, so they may be copied after it. Nothing in the format
//! belongs to one of the two databases: either is restored from a backup of the other. The types of columns are read
//! from the schema itself, so a new table or column needs nothing here. The keys are not in it, unless asked for.
//!
//! The command line calls this on the machine that has the database and the key; no backup goes over HTTP.

mod archive;
mod create;
mod restore;
mod tables;

use std::{collections::BTreeMap, path::Path};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use create::create;
pub use restore::{Target, restore};

use crate::{
    Result, StoreError,
    seal::{self, Keyring},
};
use archive::Parts;

/// Version of the format; grows when an older version of alethia could not read it.
const FORMAT: u32 = 1;

/// What a backup is, at its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Version of the format.
    pub format: u32,
    /// Version of alethia that made it.
    pub alethia: String,
    /// Migrations that made its schema, in their order.
    pub schema: Vec<String>,
    /// When its snapshot was taken.
    pub taken_at: DateTime<Utc>,
    /// Ids of the keys that something in it is sealed with.
    pub keys: Vec<String>,
    /// Whether the keys themselves are in it.
    pub with_key: bool,
}

/// What a backup holds, at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
    /// How many blobs.
    pub blobs: u64,
    /// The last number that the database gave out, by table.
    pub counters: BTreeMap<String, i64>,
    /// How many parts there are before this one.
    parts: u64,
    /// SHA-256 of the lists of the parts' digests, in their order.
    digest: String,
}

/// A backup that was read to its end and is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// What it is.
    #[serde(flatten)]
    pub about: About,
    /// What it holds.
    #[serde(flatten)]
    pub contents: Contents,
    /// How many blobs opened with the given keys; absent where there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened: Option<u64>,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Rows of a table are written.
    Rows {
        /// The table.
        table: String,
        /// So many so far.
        rows: u64,
    },
    /// Blobs are copied.
    Blobs {
        /// So many so far.
        done: u64,
        /// Of so many; 0 where that is not known.
        total: u64,
    },
    /// The file is checked.
    Checked {
        /// So many parts so far.
        parts: u64,
    },
}

/// Is told how far it is.
pub type Tell<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Reads a backup to its end: every part is there and is what was written. With keys, every blob is opened as well.
///
/// # Errors
/// When it is no backup, of a later format, cut off or changed; when a blob does not open.
pub async fn verify(file: &Path, keyring: Option<&Keyring>, tell: Tell<'_>) -> Result<Summary> {
    let mut parts = Parts::open(file).await?;
    let about = parts.about().clone();
    let mut opened = 0;
    let mut seen = 0;
    while let Some(part) = parts.next().await? {
        seen += 1;
        tell(Progress::Checked { parts: seen });
        if let (Some(key), Some(keyring)) = (part.name.strip_prefix(archive::BLOBS), keyring) {
            keyring.open(key, &part.content)?;
            opened += 1;
        }
    }
    let contents = parts.contents()?;
    Ok(Summary { about, contents, opened: keyring.map(|_| opened) })
}

/// Whether these keys open everything in a backup.
pub(crate) fn must_have_keys(about: &About, known: &[String]) -> Result<()> {
    match about.keys.iter().find(|id| !known.contains(id)) {
        None => Ok(()),
        Some(missing) => Err(StoreError::corrupt(format!(
            "the backup is sealed with the key {missing}, which is not in the key file and not in the backup; put the \
             key file of the platform that it was taken from into the data folder"
        ))),
    }
}

/// Id of the key that a sealed blob of a backup names.
fn key_of(sealed: &[u8]) -> Option<String> {
    seal::sealed_with(sealed)
}
