//! A disk of its own for one Runner, so small that it can be filled: a tmpfs.
//!
//! Only who administers a system may mount one. Everybody else may be that in a namespace of their own where the system allows
//! it, so the whole run moves into one first. Root does not: in there it is root alone, and nobody that PostgreSQL runs as.

use std::{
    env,
    fs::{self, File},
    io::{self, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Result;
use rustix::process::geteuid;

const SIZE: &str = "size=24m,mode=0700";
const PIECE: usize = 64 * 1024;

/// The bit of `CAP_SYS_ADMIN` among the capabilities.
const ADMINISTERS: u32 = 21;
/// Starts a program in a namespace in which it may mount, as the same user.
const NAMESPACE: [&str; 5] = ["unshare", "--user", "--map-current-user", "--keep-caps", "--mount"];
/// Says in the environment that this was done, so that it is done once.
const MOVED: &str = "ALETHIA_CHAOS_MOVED";

/// A small disk; it is gone with the value.
#[derive(Debug)]
pub(crate) struct SmallDisk(PathBuf);

/// Starts this program again where it may mount; returns where that needs no change or can't be had.
///
/// # Errors
/// When it can't be started again.
pub fn move_to_where_disks_are_mounted() -> io::Result<()> {
    if may_mount() || geteuid().is_root() || env::var_os(MOVED).is_some() {
        return Ok(());
    }
    let [unshare, options @ ..] = NAMESPACE;
    let trial = || Command::new(unshare).args(options).arg("true").stderr(Stdio::null()).status();
    if !trial().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    let mut again = Command::new(unshare);
    again.args(options).arg(env::current_exe()?).args(env::args_os().skip(1)).env(MOVED, "yes");
    Err(again.exec())
}

/// Whether this process administers its system, or its part of it.
fn may_mount() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    effective.is_some_and(|mask| mask >> ADMINISTERS & 1 == 1)
}

impl SmallDisk {
    /// Mounts one; `None` where this process may not.
    ///
    /// # Errors
    /// When there is no program to mount with.
    pub(crate) fn mount(at: &Path) -> Result<Option<Self>> {
        if !may_mount() {
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
