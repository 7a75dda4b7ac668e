//! A disk of its own for one Runner, so small that it can be filled: a tmpfs, which only root may mount.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

const SIZE: &str = "size=24m,mode=0700";
const PIECE: usize = 64 * 1024;

/// A small disk; it is gone with the value.
#[derive(Debug)]
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one; `None` where this process may not.
    ///
    /// # Errors
    /// When there is no program to mount with.
    pub(crate) fn mount(at: &Path) -> Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "alethia-chaos"]).arg(at).status()?;
        Ok(mounted.success().then(|| Self(at.to_owned())))
    }

    /// Takes all that is left, and whatever becomes free in the meantime is free.
    ///
    /// # Errors
    /// When it fails for another reason than that the disk is full.
    pub(crate) fn fill(&self) -> io::Result<()> {
        let mut ballast = File::create(self.ballast())?;
        loop {
            match ballast.write_all(&[1; PIECE]) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives it back.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn free(&self) -> io::Result<()> {
        match fs::remove_file(self.ballast()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} is still mounted", self.0.display());
        }
    }
}
