//! The file of a backup: a tar, compressed with zstd, written and read part by part in a thread of its own.
//!
//! After every thousand parts, and at the end, stands a list of their digests; the last part says how many there were
//! and the digest of those lists. So a reader with little memory knows of every part that it is what was written, and a
//! file that was cut off is told from a whole one. A file is written under another name and gets its own when it is
//! whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{About, Contents, FORMAT};
use crate::{Result, StoreError};

/// What the names of blobs and of rows begin with.
pub(super) const BLOBS: &str = "blobs/";
pub(super) const TABLES: &str = "tables/";
/// The keys, where they are in it.
pub(super) const KEY: &str = "key";
const ABOUT: &str = "about.json";
const CONTENTS: &str = "contents.json";
const DIGESTS: &str = "digests/";
/// Parts between two lists of digests.
const LISTED: usize = 1000;
/// The largest part that is read: far above the largest blob.
const LARGEST: u64 = 1 << 30;
const LEVEL: i32 = 3;

/// One file in the tar.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) content: Bytes,
}

/// A backup that is written.
pub(super) struct Writer {
    parts: mpsc::Sender<Part>,
    thread: JoinHandle<io::Result<()>>,
    ledger: Ledger,
    unfinished: Unfinished,
}

/// A backup that is read. What it gives was checked part by part, but only a whole one has contents.
pub(super) struct Parts {
    parts: mpsc::Receiver<io::Result<Part>>,
    about: About,
    ledger: Ledger,
    contents: Option<Contents>,
}

/// Digests of what went by.
#[derive(Default)]
struct Ledger {
    unlisted: Vec<String>,
    lists: Sha256,
    count: u64,
}

/// The file under its other name; gone when it does not become whole.
struct Unfinished {
    file: PathBuf,
    target: PathBuf,
    whole: bool,
}

impl Writer {
    /// Begins a file that only its owner may read.
    pub(super) async fn create(target: &Path, about: &About) -> Result<Self> {
        if target.exists() {
            return Err(StoreError::corrupt(format!("{} is there already", target.display())));
        }
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let unfinished = Unfinished {
            file: target.with_file_name(format!(".{name}.{}.unfinished", std::process::id())),
            target: target.to_owned(),
            whole: false,
        };
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished.file);
        let file = file.map_err(|error| failed("write", target, &error))?;
        let (parts, receiver) = mpsc::channel(2);
        let thread = tokio::task::spawn_blocking(move || write(file, receiver));
        let mut writer = Self { parts, thread, ledger: Ledger::default(), unfinished };
        writer.part(ABOUT, json(about)).await?;
        Ok(writer)
    }

    pub(super) async fn part(&mut self, name: &str, content: Bytes) -> Result<()> {
        self.ledger.note(name, &content);
        self.send(name, content).await?;
        if self.ledger.unlisted.len() >= LISTED {
            self.list().await?;
        }
        Ok(())
    }

    /// Makes the file whole, durable, and gives it its name.
    pub(super) async fn finish(mut self, mut contents: Contents) -> Result<Contents> {
        self.list().await?;
        (contents.parts, contents.digest) = (self.ledger.count, self.ledger.digest());
        self.send(CONTENTS, json(&contents)).await?;
        let Self { parts, thread, mut unfinished, .. } = self;
        drop(parts);
        let written = thread.await.map_err(StoreError::corrupt)?;
        let named = written.and_then(|()| fs::hard_link(&unfinished.file, &unfinished.target));
        named.map_err(|error| failed("write", &unfinished.target, &error))?;
        unfinished.whole = true;
        Ok(contents)
    }

    async fn list(&mut self) -> Result<()> {
        if let Some((name, list)) = self.ledger.list() {
            self.send(&name, list.into()).await?;
        }
        Ok(())
    }

    async fn send(&mut self, name: &str, content: Bytes) -> Result<()> {
        let part = Part { name: name.to_owned(), content };
        if self.parts.send(part).await.is_ok() {
            return Ok(());
        }
        let error = match (&mut self.thread).await {
            Ok(Err(error)) => error,
            Ok(Ok(())) | Err(_) => io::Error::other("it was closed"),
        };
        Err(failed("write", &self.unfinished.target, &error))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.file) {
            tracing::warn!(%error, file = %self.file.display(), whole = self.whole, "a leftover was not removed");
        }
    }
}

impl Parts {
    /// Opens a backup and reads what it is.
    pub(super) async fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| failed("read", path, &error))?;
        let (sender, parts) = mpsc::channel(2);
        // It ends when the other side goes away, or at the end of the file.
        drop(tokio::task::spawn_blocking(move || read(file, &sender)));
        let about = About {
            format: 0,
            alethia: String::new(),
            schema: Vec::new(),
            taken_at: chrono::DateTime::UNIX_EPOCH,
            keys: Vec::new(),
            with_key: false,
        };
        let mut parts = Self { parts, about, ledger: Ledger::default(), contents: None };
        let first = parts.raw().await?.filter(|part| part.name == ABOUT);
        let first = first.ok_or_else(|| StoreError::corrupt(format!("{} is no backup", path.display())))?;
        parts.ledger.note(ABOUT, &first.content);
        parts.about = known_format(&first.content)?;
        Ok(parts)
    }

    pub(super) fn about(&self) -> &About {
        &self.about
    }

    /// The next part of rows, keys or blobs; `None` at the end of a whole backup.
    pub(super) async fn next(&mut self) -> Result<Option<Part>> {
        loop {
            let Some(part) = self.raw().await? else {
                return if self.contents.is_some() { Ok(None) } else { Err(cut_off()) };
            };
            if self.contents.is_some() {
                return Err(changed(&part.name));
            } else if part.name == CONTENTS {
                self.contents = Some(self.ledger.check(&part.content)?);
            } else if part.name.starts_with(DIGESTS) {
                let expected = self.ledger.list();
                let is_same = expected.is_some_and(|(name, list)| name == part.name && list == part.content);
                is_same.then_some(()).ok_or_else(|| changed(&part.name))?;
            } else {
                self.ledger.note(&part.name, &part.content);
                return Ok(Some(part));
            }
        }
    }

    /// What it holds, once it was read to its end.
    pub(super) fn contents(self) -> Result<Contents> {
        self.contents.ok_or_else(cut_off)
    }

    async fn raw(&mut self) -> Result<Option<Part>> {
        self.parts.recv().await.transpose().map_err(|error| {
            StoreError::corrupt(format!("the backup is cut off or damaged, or is none: {error}"))
        })
    }
}

impl Ledger {
    fn note(&mut self, name: &str, content: &[u8]) {
        self.unlisted.push(format!("{}  {name}\n", hex(&Sha256::digest(content))));
        self.count += 1;
    }

    /// The list of what was noted since the last one, and its name.
    fn list(&mut self) -> Option<(String, String)> {
        let list = std::mem::take(&mut self.unlisted).concat();
        self.lists.update(list.as_bytes());
        (!list.is_empty()).then(|| (format!("{DIGESTS}{:09}", self.count), list))
    }

    fn digest(&self) -> String {
        hex(&self.lists.clone().finalize())
    }

    fn check(&self, contents: &[u8]) -> Result<Contents> {
        let contents: Contents = serde_json::from_slice(contents).map_err(|_| changed(CONTENTS))?;
        let whole = self.unlisted.is_empty()
            && (contents.parts, contents.digest.as_str()) == (self.count, self.digest().as_str());
        whole.then_some(contents).ok_or_else(|| changed(CONTENTS))
    }
}

fn known_format(about: &[u8]) -> Result<About> {
    let value: serde_json::Value = serde_json::from_slice(about).map_err(|_| changed(ABOUT))?;
    match value["format"].as_u64() {
        Some(format) if format > u64::from(FORMAT) => Err(StoreError::corrupt(
            "the backup was made by a later version of alethia; restore it with that version",
        )),
        Some(_) | None => serde_json::from_value(value).map_err(|_| changed(ABOUT)),
    }
}

fn write(file: File, mut parts: mpsc::Receiver<Part>) -> io::Result<()> {
    let mut encoder = zstd::Encoder::new(file, LEVEL)?;
    encoder.include_checksum(true)?; // of what no digest covers: the tar around the parts
    let mut tar = tar::Builder::new(encoder);
    while let Some(Part { name, content }) = parts.blocking_recv() {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        tar.append_data(&mut header, &name, content.as_ref())?;
    }
    let mut file = tar.into_inner()?.finish()?;
    file.flush()?;
    file.sync_all()
}

fn read(file: File, parts: &mpsc::Sender<io::Result<Part>>) {
    let read = || -> io::Result<()> {
        let mut tar = tar::Archive::new(zstd::Decoder::new(file)?);
        for entry in tar.entries()? {
            let entry = entry?;
            let size = entry.size();
            if size > LARGEST {
                return Err(io::Error::other("a part is too large"));
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let mut content = Vec::new();
            entry.take(LARGEST).read_to_end(&mut content)?;
            if content.len() as u64 != size {
                return Err(io::Error::other("it ends in the middle"));
            }
            if parts.blocking_send(Ok(Part { name, content: content.into() })).is_err() {
                return Ok(());
            }
        }
        // The checksum is looked at where the file ends.
        io::copy(&mut tar.into_inner(), &mut io::sink()).map(drop)
    };
    if let Err(error) = read() {
        // Whoever no longer listens needs no error.
        let _ = parts.blocking_send(Err(error));
    }
}

fn json(value: &impl serde::Serialize) -> Bytes {
    serde_json::to_vec_pretty(value).expect("what a backup says of itself is JSON").into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn failed(what: &str, path: &Path, error: &io::Error) -> StoreError {
    StoreError::corrupt(format!("can't {what} the backup {}: {error}", path.display()))
}

fn cut_off() -> StoreError {
    StoreError::corrupt("the backup is cut off: its end is missing")
}

fn changed(part: &str) -> StoreError {
    StoreError::corrupt(format!("the backup is not what was written: {part} differs"))
}
