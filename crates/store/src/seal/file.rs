//! The file that holds the keys: one in base64 a line, the newest first, readable by its owner alone.
//!
//! It is replaced as a whole: who reads it sees the old keys or the new ones, never half a file. A secret leaves this
//! module only as a key of a ring.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::id_of;
use crate::{Result, StoreError};

/// A file of keys.
#[derive(Clone, Debug)]
pub struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    /// The file at this path; nothing is read or made.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Ids of its keys, the newest first; none when there is no file.
    ///
    /// # Errors
    /// When it can't be read, others may read it, or it holds anything else.
    pub fn ids(&self) -> Result<Vec<String>> {
        if !self.exists() {
            return Ok(Vec::new());
        }
        Ok(self.read()?.iter().map(id_of).collect())
    }

    /// Whether it is there.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Puts a new random key in front of those that are there; tells its id.
    ///
    /// # Errors
    /// When there is no such file, or it can't be replaced.
    pub fn add(&self) -> Result<String> {
        let mut secrets = self.read()?;
        secrets.insert(0, rand::random());
        self.replace(&secrets)?;
        Ok(id_of(&secrets[0]))
    }

    /// Takes a key out; tells whether it was there.
    ///
    /// # Errors
    /// When the file can't be read or replaced, or the key is the only one.
    pub fn remove(&self, id: &str) -> Result<bool> {
        let secrets = self.read()?;
        let kept: Vec<[u8; 32]> = secrets.iter().filter(|secret| id_of(secret) != id).copied().collect();
        if kept.is_empty() {
            return Err(StoreError::corrupt(format!("{id} is the only key in {}", self.path.display())));
        }
        if kept.len() < secrets.len() {
            self.replace(&kept)?;
        }
        Ok(kept.len() < secrets.len())
    }

    /// What is in it, for a backup that is to hold the key.
    pub(crate) fn content(&self) -> Result<Vec<u8>> {
        Ok(encode(&self.read()?).into_bytes())
    }

    /// Makes it from such content, where there is none.
    pub(crate) fn make_from(&self, content: &[u8]) -> Result<()> {
        let secrets = std::str::from_utf8(content).ok().and_then(decode_all).ok_or_else(|| self.no_keys())?;
        self.write_new(&self.path, &secrets).map_err(|error| self.failed("make", &error))
    }

    pub(super) fn read_or_make(&self) -> Result<Vec<[u8; 32]>> {
        if self.exists() {
            return self.read();
        }
        let secrets = vec![rand::random()];
        self.write_new(&self.path, &secrets).map_err(|error| self.failed("make", &error))?;
        Ok(secrets)
    }

    pub(super) fn read(&self) -> Result<Vec<[u8; 32]>> {
        let metadata = fs::metadata(&self.path).map_err(|error| self.failed("read", &error))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(StoreError::corrupt(format!(
                "{0} may be read by others; run chmod 600 {0}",
                self.path.display()
            )));
        }
        let text = fs::read_to_string(&self.path).map_err(|error| self.failed("read", &error))?;
        decode_all(&text).ok_or_else(|| self.no_keys())
    }

    fn replace(&self, secrets: &[[u8; 32]]) -> Result<()> {
        let fresh = self.path.with_extension("new");
        let leftover = match fs::remove_file(&fresh) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        };
        let replaced = leftover
            .and_then(|()| self.write_new(&fresh, secrets))
            .and_then(|()| fs::rename(&fresh, &self.path))
            .and_then(|()| sync_folder(&self.path));
        replaced.map_err(|error| self.failed("replace", &error))
    }

    fn write_new(&self, path: &Path, secrets: &[[u8; 32]]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(encode(secrets).as_bytes())?;
        file.sync_all()
    }

    fn failed(&self, what: &str, error: &io::Error) -> StoreError {
        StoreError::corrupt(format!("can't {what} the key {}: {error}", self.path.display()))
    }

    fn no_keys(&self) -> StoreError {
        let path = self.path.display();
        StoreError::corrupt(format!("{path} must hold keys of 32 bytes in base64, one a line"))
    }
}

/// A rename is durable when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn encode(secrets: &[[u8; 32]]) -> String {
    secrets.iter().map(|secret| STANDARD.encode(secret) + "\n").collect()
}

fn decode_all(text: &str) -> Option<Vec<[u8; 32]>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let secrets: Option<Vec<[u8; 32]>> =
        lines.map(|line| STANDARD.decode(line).ok()?.try_into().ok()).collect();
    secrets.filter(|secrets| !secrets.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Keyring;

    #[test]
    fn a_key_file_is_private_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let (_, sealed) = Keyring::from_file(&path).unwrap().seal("x", b"content");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(Keyring::from_file(&path).unwrap().open("x", &sealed).unwrap(), b"content");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Keyring::from_file(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_key_that_is_added_opens_at_once_and_seals_when_it_is_told_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let running = Keyring::from_file(&path).unwrap();
        let (first, file) = (running.sealing(), KeyFile::new(&path));
        let second = file.add().unwrap();
        assert_eq!((file.ids().unwrap(), mode(&path)), (vec![second.clone(), first.clone()], 0o600));

        let other = Keyring::from_file(&path).unwrap();
        assert!(other.seal_with(&second));
        let (id, sealed) = other.seal("x", b"content");
        assert_eq!((id, running.sealing()), (second.clone(), first.clone()));
        assert_eq!(running.open("x", &sealed).unwrap(), b"content");
        assert!(running.seal_with(&second));

        assert!(file.remove(&first).unwrap() && !file.remove(&first).unwrap());
        running.reload().unwrap();
        assert_eq!((running.ids(), running.sealing()), (vec![second.clone()], second.clone()));
        assert!(file.remove(&second).unwrap_err().to_string().contains("only key"));
    }

    #[test]
    fn what_is_no_key_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "a planted secret\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let error = Keyring::from_file(&path).unwrap_err().to_string();
        assert!(error.contains("base64") && !error.contains("planted"), "{error}");
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }
}
