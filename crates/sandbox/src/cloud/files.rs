//! Files of the cloud: private, and whole or not there at all.
//!
//! Several processes write at the same time, so a new file is written under a name of its own and then renamed
//! (to replace) or linked (to be the first).

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::CloudError;

const LONGEST_NAME: usize = 120;

pub(crate) fn make_folder(path: &Path) -> Result<(), CloudError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|source| at(path, source))
}

/// The paths in a folder, sorted; none when the folder does not exist.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, CloudError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(at(folder, source)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>().map_err(|source| at(folder, source))?;
    paths.sort();
    Ok(paths)
}

pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, CloudError> {
    match fs::read(path) {
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(document) => Ok(Some(document)),
            Err(source) => Err(CloudError::Damaged { path: path.to_owned(), source }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(at(path, source)),
    }
}

/// Writes a document over what the path holds.
pub(crate) fn write(path: &Path, document: &impl Serialize) -> Result<(), CloudError> {
    let temporary = write_beside(path, document)?;
    fs::rename(&temporary, path).map_err(|source| at(path, source))
}

/// Writes a document only when the path is free; says whether it was.
pub(crate) fn create(path: &Path, document: &impl Serialize) -> Result<bool, CloudError> {
    let temporary = write_beside(path, document)?;
    let linked = fs::hard_link(&temporary, path);
    remove(&temporary)?;
    match linked {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(source) => Err(at(path, source)),
    }
}

pub(crate) fn remove(path: &Path) -> Result<(), CloudError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A file name that says what `text` is; a hash keeps names apart that were changed.
pub(crate) fn safe_name(text: &str) -> String {
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if text.len() <= LONGEST_NAME && text.bytes().all(is_safe) {
        return text.to_owned();
    }
    let safe: String = text
        .bytes()
        .map(|byte| if is_safe(byte) { char::from(byte) } else { '_' })
        .take(LONGEST_NAME)
        .collect();
    let hash = Sha256::digest(text.as_bytes());
    format!("{safe}.{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3])
}

fn write_beside(path: &Path, document: &impl Serialize) -> Result<PathBuf, CloudError> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    let name = format!(".{}.{}.new", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
    let temporary = folder.join(name);
    let text = serde_json::to_vec_pretty(document)
        .map_err(|source| CloudError::Damaged { path: path.to_owned(), source })?;
    let written = private_file(&temporary).and_then(|mut file| file.write_all(&text));
    written.map_err(|source| at(&temporary, source))?;
    Ok(temporary)
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn at(path: &Path, source: io::Error) -> CloudError {
    CloudError::Io { path: path.to_owned(), source }
}
