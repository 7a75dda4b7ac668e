//! What `terraform init` makes, kept so that the next job with the same templates can do without.
//!
//! A prepared root is kept by template bundle, tool and Terraform's own configuration; a job gets copies of its small
//! files and a link to its providers. Terraform's plugin cache is not safe for several processes, so whoever runs `init`
//! holds a lock that works between threads, processes and Runners that share the folder. A prepared root that lost its
//! providers is made again. Nothing here holds a secret: the state backend is configured by variables alone.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use alethia_domain::plan::sha256_hex;
use alethia_terraform::bundle::LOCK_FILE;

use crate::{
    stop::{Stop, StopSignal},
    workdir::private_folder,
};

const DATA: &str = ".terraform";
const PROVIDERS: &str = "providers";
const LOCK_POLL: Duration = Duration::from_millis(50);

/// The folder of prepared roots and providers.
#[derive(Clone, Debug)]
pub(crate) struct InitCache {
    folder: PathBuf,
}

/// What a prepared root depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe<'a> {
    /// Digest of the template bundle.
    pub bundle: &'a str,
    /// Text of the file that calls the modules: `init` writes down each call.
    pub components: &'a [u8],
    /// Name and version of the tool.
    pub tool: &'a str,
    /// Way into the cloud: the sandbox has providers of its own.
    pub access: &'a str,
    /// File with Terraform's own configuration: it says where providers come from.
    pub configuration: Option<&'a Path>,
}

/// The right to run `init`, until it is dropped.
pub(crate) struct InitLock {
    _file: File,
}

impl InitCache {
    /// The cache in a folder, which is made where it is missing.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let folder = std::path::absolute(folder)?;
        private_folder(&folder)?;
        Ok(Self { folder })
    }

    /// Folder for Terraform's plugin cache; made where it is missing.
    pub(crate) fn plugins(&self) -> io::Result<PathBuf> {
        let folder = self.folder.join("plugins");
        private_folder(&folder)?;
        Ok(folder)
    }

    /// The name of a prepared root.
    pub(crate) fn key(recipe: &Recipe<'_>) -> io::Result<String> {
        let configuration = recipe.configuration.map(fs::read).transpose()?.unwrap_or_default();
        let machine = format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH);
        let mut text = [recipe.bundle, recipe.tool, recipe.access, &machine].join("\n").into_bytes();
        text.extend(configuration);
        text.extend(recipe.components);
        Ok(sha256_hex(&text)[..16].to_owned())
    }

    /// Puts what was prepared into a root; false when there is nothing that works.
    pub(crate) fn reuse(&self, key: &str, root: &Path) -> io::Result<bool> {
        let prepared = self.prepared(key);
        if !is_complete(&prepared) {
            return Ok(false);
        }
        let data = root.join(DATA);
        private_folder(&data)?;
        for entry in fs::read_dir(prepared.join(DATA))? {
            let entry = entry?;
            let target = data.join(entry.file_name());
            if entry.file_name() == PROVIDERS {
                symlink(entry.path(), target)?
            } else {
                copy_tree(&entry.path(), &target)?
            }
        }
        fs::copy(prepared.join(LOCK_FILE), root.join(LOCK_FILE))?;
        Ok(true)
    }

    /// Waits for the right to run `init`; `None` when the job is to stop first.
    pub(crate) async fn lock(&self, stop: &StopSignal) -> io::Result<Option<InitLock>> {
        let file = File::create(self.folder.join("init.lock"))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(InitLock { _file: file })),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
            tokio::select! {
                biased;
                _ = stop.at_least(Stop::Cancel) => return Ok(None),
                () = tokio::time::sleep(LOCK_POLL) => {}
            }
        }
    }

    /// Keeps what `init` made in a root. Only for who holds the lock.
    pub(crate) fn keep(&self, _lock: &InitLock, key: &str, root: &Path) -> io::Result<()> {
        let staging = tempfile::Builder::new().prefix("staging-").tempdir_in(&self.folder)?;
        copy_tree(&root.join(DATA), &staging.path().join(DATA))?;
        fs::copy(root.join(LOCK_FILE), staging.path().join(LOCK_FILE))?;
        let prepared = self.prepared(key);
        if prepared.exists() {
            fs::remove_dir_all(&prepared)?;
        }
        fs::rename(staging.keep(), prepared)
    }

    fn prepared(&self, key: &str) -> PathBuf {
        self.folder.join(format!("init-{key}"))
    }
}

/// Whether everything is there, the far ends of links included.
fn is_complete(prepared: &Path) -> bool {
    prepared.join(LOCK_FILE).is_file() && prepared.join(DATA).is_dir() && links_hold(&prepared.join(DATA))
}

fn links_hold(folder: &Path) -> bool {
    let Ok(mut entries) = fs::read_dir(folder) else { return false };
    entries.all(|entry| {
        let Ok(entry) = entry else { return false };
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => links_hold(&entry.path()),
            Ok(kind) if kind.is_symlink() => entry.path().exists(),
            Ok(_) => true,
            Err(_) => false,
        }
    })
}

/// Copies a folder or file; links are copied as links to the same place, large files by a second name where possible.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    let kind = fs::symlink_metadata(from)?.file_type();
    if kind.is_symlink() {
        symlink(fs::canonicalize(from)?, to)
    } else if kind.is_dir() {
        private_folder(to)?;
        fs::read_dir(from)?.try_for_each(|entry| {
            let entry = entry?;
            copy_tree(&entry.path(), &to.join(entry.file_name()))
        })
    } else if from.ancestors().any(|parent| parent.ends_with(PROVIDERS)) {
        fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop))
    } else {
        fs::copy(from, to).map(drop)
    }
}

#[cfg(test)]
mod tests;
