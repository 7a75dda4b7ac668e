//! Private content at rest: AES-256-GCM, with the key's id and the place of the content as associated data.
//!
//! Sealed content can't be moved to another row or blob: it only opens where it was sealed. Every key of the ring opens;
//! one of them, which the database names, seals. A ring that came from a file looks into it again when something is
//! sealed with a key that it does not know, so that a new key needs no restart. A sealed box is `1`, the length and the
//! bytes of the key's id, a nonce of 12 bytes, the ciphertext with its tag.

mod file;

use std::{
    fmt,
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Nonce, Payload},
};
use sha2::{Digest, Sha256};

pub use file::KeyFile;

use crate::{Result, StoreError};

const FORMAT: u8 = 1;
const NONCE_LENGTH: usize = 12;
/// Length of the longest beginning of a sealed box that tells its key.
pub(crate) const LONGEST_HEAD: u64 = 2 + 255;

/// The keys. Shows nothing of them but their ids. Cheap to clone; clones are one ring.
#[derive(Clone)]
pub struct Keyring {
    ring: Arc<Ring>,
}

struct Ring {
    file: Option<KeyFile>,
    keys: RwLock<Keys>,
}

/// The keys in their order, and the place of the one that seals.
#[derive(Clone)]
struct Keys {
    all: Vec<Arc<Key>>,
    sealing: usize,
}

struct Key {
    id: String,
    cipher: Aes256Gcm,
}

impl Keyring {
    /// From secrets of 32 bytes: the first seals until another is named, all open.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(secrets: &[[u8; 32]]) -> Result<Self> {
        Ok(Self { ring: Arc::new(Ring { file: None, keys: RwLock::new(Keys::new(secrets)?) }) })
    }

    /// From a file that only its owner may read, one key in base64 a line, the newest first. A missing file is made,
    /// with a random key.
    ///
    /// # Errors
    /// When the file can't be read or made, others may read it, or it holds anything else.
    pub fn from_file(path: &Path) -> Result<Self> {
        let file = KeyFile::new(path);
        let keys = Keys::new(&file.read_or_make()?)?;
        Ok(Self { ring: Arc::new(Ring { file: Some(file), keys: RwLock::new(keys) }) })
    }

    /// Ids of all keys, the newest first.
    pub fn ids(&self) -> Vec<String> {
        self.keys().all.iter().map(|key| key.id.clone()).collect()
    }

    /// Id of the key that seals.
    pub fn sealing(&self) -> String {
        self.keys().sealing().id.clone()
    }

    /// Looks into the file again, where there is one. The key that seals stays, if the file still has it.
    ///
    /// # Errors
    /// As [`Keyring::from_file`]; the ring stays as it was then.
    pub fn reload(&self) -> Result<()> {
        let Some(file) = &self.ring.file else { return Ok(()) };
        let mut fresh = Keys::new(&file.read()?)?;
        let mut keys = self.ring.keys.write().unwrap_or_else(PoisonError::into_inner);
        let sealing = &keys.sealing().id;
        fresh.sealing = fresh.place(sealing.as_bytes()).unwrap_or(0);
        *keys = fresh;
        Ok(())
    }

    /// Names the key that seals from now on; looks for it in the file when it is not known. Tells whether there is one.
    pub(crate) fn seal_with(&self, id: &str) -> bool {
        if self.place(id.as_bytes()).is_none()
            && let Err(error) = self.reload()
        {
            tracing::warn!(%error, "the key file was not read again");
        }
        let mut keys = self.ring.keys.write().unwrap_or_else(PoisonError::into_inner);
        let place = keys.place(id.as_bytes());
        keys.sealing = place.unwrap_or(keys.sealing);
        place.is_some()
    }

    /// Seals content for a place; tells with which key.
    pub(crate) fn seal(&self, place: &str, content: &[u8]) -> (String, Vec<u8>) {
        let key = self.keys().sealing().clone();
        let nonce: [u8; NONCE_LENGTH] = rand::random();
        let payload = Payload { msg: content, aad: &associated_data(&key.id, place) };
        let sealed = key.cipher.encrypt(&Nonce::<Aes256Gcm>::from(nonce), payload);
        let sealed = sealed.expect("content in memory is shorter than the cipher's limit of 64 GiB");
        let id_length = u8::try_from(key.id.len()).expect("a key's id has 16 characters");
        (key.id.clone(), [&[FORMAT, id_length], key.id.as_bytes(), &nonce, &sealed].concat())
    }

    /// Opens what was sealed for this place.
    pub(crate) fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let (id, nonce, ciphertext) =
            split(sealed).ok_or_else(|| StoreError::corrupt(format!("{place} is not sealed content")))?;
        let key = self.find(id).ok_or_else(|| {
            let id = String::from_utf8_lossy(id);
            StoreError::corrupt(format!("{place} is sealed with key {id}, which is not in the key file"))
        })?;
        let payload = Payload { msg: ciphertext, aad: &associated_data(&key.id, place) };
        let opened = key.cipher.decrypt(&Nonce::<Aes256Gcm>::from(nonce), payload);
        opened.map_err(|_| StoreError::corrupt(format!("{place} was changed, or belongs elsewhere")))
    }

    /// The key with this id, also when it came into the file after this ring was read.
    fn find(&self, id: &[u8]) -> Option<Arc<Key>> {
        let found = |keys: Keys| keys.place(id).map(|place| keys.all[place].clone());
        found(self.keys()).or_else(|| {
            self.reload().ok()?;
            found(self.keys())
        })
    }

    fn place(&self, id: &[u8]) -> Option<usize> {
        self.keys().place(id)
    }

    fn keys(&self) -> Keys {
        self.ring.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Keys {
    fn new(secrets: &[[u8; 32]]) -> Result<Self> {
        if secrets.is_empty() {
            return Err(StoreError::corrupt("there is no key to seal with"));
        }
        Ok(Self { all: secrets.iter().map(|secret| Arc::new(Key::new(secret))).collect(), sealing: 0 })
    }

    fn sealing(&self) -> &Arc<Key> {
        &self.all[self.sealing]
    }

    fn place(&self, id: &[u8]) -> Option<usize> {
        self.all.iter().position(|key| key.id.as_bytes() == id)
    }
}

/// Id of the key that a box is sealed with, from its beginning. `None` when it is no box.
pub(crate) fn sealed_with(head: &[u8]) -> Option<String> {
    let (format, rest) = head.split_first()?;
    let (length, rest) = rest.split_first()?;
    let id = rest.get(..usize::from(*length))?;
    (*format == FORMAT).then(|| String::from_utf8(id.to_vec()).ok())?
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({})", self.ids().join(", "))
    }
}

impl Key {
    fn new(secret: &[u8; 32]) -> Self {
        Self { id: id_of(secret), cipher: Aes256Gcm::new(secret.into()) }
    }
}

/// What a key is called: a digest, which tells nothing of it.
fn id_of(secret: &[u8; 32]) -> String {
    let digest = Sha256::digest([b"alethia key id".as_slice(), secret].concat());
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
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

#[cfg(test)]
mod tests {
    use super::Keyring;

    #[test]
    fn sealed_content_shows_nothing_and_opens_in_its_place() {
        let keyring = Keyring::new(&[[7; 32]]).unwrap();
        let sealed = keyring.seal("state/1", b"a planted secret").1;
        assert!(!sealed.windows(7).any(|window| window == b"planted"));
        assert_eq!(keyring.open("state/1", &sealed).unwrap(), b"a planted secret");
    }

    #[test]
    fn sealed_content_does_not_open_elsewhere_or_changed() {
        let keyring = Keyring::new(&[[7; 32]]).unwrap();
        let (_, mut sealed) = keyring.seal("state/1", b"content");
        assert!(keyring.open("state/2", &sealed).is_err());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(keyring.open("state/1", &sealed).is_err());
        assert!(keyring.open("state/1", b"").is_err());
    }

    #[test]
    fn an_older_key_still_opens() {
        let sealed = Keyring::new(&[[1; 32]]).unwrap().seal("state/1", b"content").1;
        let rotated = Keyring::new(&[[2; 32], [1; 32]]).unwrap();
        assert_eq!(rotated.open("state/1", &sealed).unwrap(), b"content");
        assert!(rotated.seal_with(&Keyring::new(&[[1; 32]]).unwrap().sealing()));
        assert_eq!(rotated.sealing(), rotated.ids()[1]);
        assert!(!rotated.seal_with("another"));
        let error = Keyring::new(&[[2; 32]]).unwrap().open("state/1", &sealed).unwrap_err();
        assert!(error.to_string().contains("not in the key file"), "{error}");
    }
}
