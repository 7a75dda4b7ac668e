//! Private content at rest: AES-256-GCM, with the key's id and the place of the content as associated data.
//!
//! Sealed content can't be moved to another row or blob: it only opens where it was sealed. Keys can be replaced: the
//! first of the ring seals, all of them open. A sealed box is `1`, the length and the bytes of the key's id, a nonce of
//! 12 bytes, the ciphertext with its tag.

use std::{
    fmt,
    fs::{self, DirBuilder, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::Arc,
};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Nonce, Payload},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::{Result, StoreError};

const FORMAT: u8 = 1;
const NONCE_LENGTH: usize = 12;

/// The keys, the one that seals first. Shows nothing of them.
#[derive(Clone)]
pub struct Keyring {
    keys: Arc<[Key]>,
}

struct Key {
    id: String,
    cipher: Aes256Gcm,
}

impl Keyring {
    /// From secrets of 32 bytes: the first seals, all open.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(secrets: &[[u8; 32]]) -> Result<Self> {
        if secrets.is_empty() {
            return Err(StoreError::corrupt("there is no key to seal with"));
        }
        Ok(Self { keys: secrets.iter().map(Key::new).collect() })
    }

    /// From a file that only its owner may read, one key in base64 a line, the newest first. A missing file is made,
    /// with a random key.
    ///
    /// # Errors
    /// When the file can't be read or made, others may read it, or it holds anything else.
    pub fn from_file(path: &Path) -> Result<Self> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => Err(StoreError::corrupt(format!(
                "{0} may be read by others; run chmod 600 {0}",
                path.display()
            ))),
            Ok(_) => Self::read(path),
            Err(error) if error.kind() == ErrorKind::NotFound => Self::make(path),
            Err(error) => Err(StoreError::corrupt(format!("can't read the key {}: {error}", path.display()))),
        }
    }

    /// Seals content for a place.
    pub(crate) fn seal(&self, place: &str, content: &[u8]) -> Vec<u8> {
        let key = &self.keys[0];
        let nonce: [u8; NONCE_LENGTH] = rand::random();
        let payload = Payload { msg: content, aad: &associated_data(&key.id, place) };
        let sealed = key.cipher.encrypt(&Nonce::<Aes256Gcm>::from(nonce), payload);
        let sealed = sealed.expect("content in memory is shorter than the cipher's limit of 64 GiB");
        let id_length = u8::try_from(key.id.len()).expect("a key's id has 16 characters");
        [&[FORMAT, id_length], key.id.as_bytes(), &nonce, &sealed].concat()
    }

    /// Opens what was sealed for this place.
    pub(crate) fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let (id, nonce, ciphertext) =
            split(sealed).ok_or_else(|| StoreError::corrupt(format!("{place} is not sealed content")))?;
        let key = self.keys.iter().find(|key| key.id.as_bytes() == id);
        let key = key.ok_or_else(|| {
            let id = String::from_utf8_lossy(id);
            StoreError::corrupt(format!("{place} is sealed with key {id}, which is not in the key file"))
        })?;
        let payload = Payload { msg: ciphertext, aad: &associated_data(&key.id, place) };
        let opened = key.cipher.decrypt(&Nonce::<Aes256Gcm>::from(nonce), payload);
        opened.map_err(|_| StoreError::corrupt(format!("{place} was changed, or belongs elsewhere")))
    }

    fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|error| {
            StoreError::corrupt(format!("can't read the key {}: {error}", path.display()))
        })?;
        let keys = text.lines().filter(|line| !line.trim().is_empty()).map(|line| decode(line.trim()));
        let keys = keys.collect::<Option<Vec<_>>>().ok_or_else(|| {
            StoreError::corrupt(format!(
                "{} must hold keys of 32 bytes in base64, one a line",
                path.display()
            ))
        })?;
        Self::new(&keys)
    }

    fn make(path: &Path) -> Result<Self> {
        let secret: [u8; 32] = rand::random();
        let written =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).and_then(|mut file| {
                writeln!(file, "{}", STANDARD.encode(secret))?;
                file.sync_all()
            });
        match written {
            Ok(()) => Self::new(&[secret]),
            Err(error) => Err(StoreError::corrupt(format!("can't make the key {}: {error}", path.display()))),
        }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(***)")
    }
}

impl Key {
    fn new(secret: &[u8; 32]) -> Self {
        let digest = Sha256::digest([b"alethia key id".as_slice(), secret].concat());
        let id = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { id, cipher: Aes256Gcm::new(secret.into()) }
    }
}

/// Makes a folder that only its owner may enter, where it is missing.
pub(crate) fn private_folder(path: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| StoreError::corrupt(format!("can't make the folder {}: {error}", path.display())))
}

fn associated_data(key: &str, place: &str) -> Vec<u8> {
    format!("alethia\n{key}\n{place}").into_bytes()
}

fn split(sealed: &[u8]) -> Option<(&[u8], [u8; NONCE_LENGTH], &[u8])> {
    let (format, rest) = sealed.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (id, rest) = rest.split_at_checked(usize::from(*length))?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LENGTH>()?;
    (*format == FORMAT).then_some((id, *nonce, ciphertext))
}

fn decode(line: &str) -> Option<[u8; 32]> {
    STANDARD.decode(line).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::Keyring;

    #[test]
    fn sealed_content_shows_nothing_and_opens_in_its_place() {
        let keyring = Keyring::new(&[[7; 32]]).unwrap();
        let sealed = keyring.seal("state/1", b"a planted secret");
        assert!(!sealed.windows(7).any(|window| window == b"planted"));
        assert_eq!(keyring.open("state/1", &sealed).unwrap(), b"a planted secret");
    }

    #[test]
    fn sealed_content_does_not_open_elsewhere_or_changed() {
        let keyring = Keyring::new(&[[7; 32]]).unwrap();
        let mut sealed = keyring.seal("state/1", b"content");
        assert!(keyring.open("state/2", &sealed).is_err());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(keyring.open("state/1", &sealed).is_err());
        assert!(keyring.open("state/1", b"").is_err());
    }

    #[test]
    fn an_older_key_still_opens() {
        let sealed = Keyring::new(&[[1; 32]]).unwrap().seal("state/1", b"content");
        let rotated = Keyring::new(&[[2; 32], [1; 32]]).unwrap();
        assert_eq!(rotated.open("state/1", &sealed).unwrap(), b"content");
        let error = Keyring::new(&[[2; 32]]).unwrap().open("state/1", &sealed).unwrap_err();
        assert!(error.to_string().contains("not in the key file"), "{error}");
    }

    #[test]
    fn a_key_file_is_private_and_stays() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let sealed = Keyring::from_file(&path).unwrap().seal("x", b"content");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Keyring::from_file(&path).unwrap().open("x", &sealed).unwrap(), b"content");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = Keyring::from_file(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }
}
