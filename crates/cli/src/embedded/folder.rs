//! Who has a data folder: a lock that one process holds, and the address of a Console that may be shared.
//!
//! The lock is the operating system's, so it is free again when its holder is gone, however it went. A file
//! `console.json` without a held lock is a leftover and is ignored.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::{error::Fault, settings::Settings};

/// How long a command waits for another one that has the data folder.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks.
const PAUSE: Duration = Duration::from_millis(50);

/// What was found in a data folder.
#[derive(Debug)]
pub(crate) enum DataFolder {
    /// Nobody was there; it is ours now.
    Ours(DataLock),
    /// A Console that runs on it and is meant to be shared.
    Running(Running),
}

/// A Console that says where it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Running {
    /// Its address.
    pub(crate) address: String,
    /// Its process.
    pub(crate) pid: u32,
}

/// The data folder is ours as long as this lives.
#[derive(Debug)]
pub(crate) struct DataLock {
    _file: File,
    console_file: PathBuf,
    announced: bool,
}

/// Takes the data folder, or finds the Console that runs on it. Waits a while for a command that has it.
///
/// # Errors
/// When the folder can't be used, or somebody else has it for too long.
pub(crate) async fn claim(settings: &Settings) -> anyhow::Result<DataFolder> {
    let folder = &settings.data_dir.value;
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(lock) = DataLock::try_take(folder)? {
            return Ok(DataFolder::Ours(lock));
        }
        if let Some(running) = read(&console_file(folder)) {
            return Ok(DataFolder::Running(running));
        }
        if Instant::now() >= end {
            let hint = "wait until it has ended; to run commands side by side, keep `alethia up` running";
            return Err(in_use(folder).hint(hint).into());
        }
        sleep(PAUSE).await;
    }
}

impl DataLock {
    /// Takes the folder if nobody has it. Makes it where it is missing.
    pub(crate) fn try_take(folder: &Path) -> anyhow::Result<Option<Self>> {
        let unusable = || {
            Fault::failure(format!("the data folder {} can't be used", folder.display()))
                .hint("name another one with `--data-dir DIR`")
        };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(unusable)?;
        let mut file = open_private(&folder.join("lock")).with_context(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error).with_context(unusable),
        }
        write_pid(&mut file).with_context(unusable)?;
        Ok(Some(Self { _file: file, console_file: console_file(folder), announced: false }))
    }

    /// Writes the address where others find it.
    pub(crate) fn announce(&mut self, address: &str) -> anyhow::Result<()> {
        let running = Running { address: address.to_owned(), pid: std::process::id() };
        let fresh = self.console_file.with_extension("json.new");
        let write = || {
            let mut file = open_private(&fresh)?;
            file.set_len(0)?;
            file.write_all(serde_json::to_string(&running)?.as_bytes())?;
            std::fs::rename(&fresh, &self.console_file)
        };
        write().with_context(|| format!("{} can't be written", self.console_file.display()))?;
        self.announced = true;
        Ok(())
    }
}

impl Drop for DataLock {
    fn drop(&mut self) {
        if self.announced {
            // Whoever reads it later finds the lock free and ignores it.
            let _ = std::fs::remove_file(&self.console_file);
        }
    }
}

/// The error for a folder that another process has.
pub(crate) fn in_use(folder: &Path) -> Fault {
    let mut pid = String::new();
    let read = File::open(folder.join("lock")).and_then(|file| file.take(20).read_to_string(&mut pid));
    let who = match read {
        Ok(_) if !pid.trim().is_empty() => format!("process {}", pid.trim()),
        Ok(_) | Err(_) => "another process".to_owned(),
    };
    Fault::failure(format!("the data folder {} is in use by {who}", folder.display()))
}

fn read(path: &Path) -> Option<Running> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

fn console_file(folder: &Path) -> PathBuf {
    folder.join("console.json")
}

fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_has_a_folder_and_it_is_free_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let lock = DataLock::try_take(folder.path()).unwrap().unwrap();
        assert!(DataLock::try_take(folder.path()).unwrap().is_none());
        assert!(in_use(folder.path()).to_string().contains(&format!("process {}", std::process::id())));
        drop(lock);
        assert!(DataLock::try_take(folder.path()).unwrap().is_some());
    }

    #[test]
    fn an_announced_console_is_found_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let mut lock = DataLock::try_take(folder.path()).unwrap().unwrap();
        lock.announce("http://127.0.0.1:4646").unwrap();
        assert_eq!(read(&console_file(folder.path())).unwrap().address, "http://127.0.0.1:4646");
        drop(lock);
        assert!(read(&console_file(folder.path())).is_none());
    }
}
