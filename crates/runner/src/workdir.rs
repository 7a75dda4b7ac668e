//! Working folders: one fresh folder a job, 0700, gone when the job is over.
//!
//! One process owns a work folder and says so with a lock; what a former owner left behind when it was killed is ended
//! and removed at the next start. The one thing that outlives a job is a state that could not be delivered: it is kept in
//! `rescued/` until it is. A disk that is full takes no more jobs.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use alethia_domain::ids::JobId;
use tempfile::TempDir;

use crate::{
    orphans,
    shelf::Shelf,
    spool::{self, Reader, Writer},
};

/// Name of the file in a root that Terraform leaves behind when it could not write its state.
pub(crate) const ERRORED_STATE: &str = "errored.tfstate";
/// Begin of the name of a job's folder.
const PREFIX: &str = "job-";
/// What a job must find free on the disk, in bytes: its root, a plan, a state, and the begin of its log.
const ROOM: u64 = 8 * 1024 * 1024;
const LOCK: &str = ".lock";
const RESCUED: &str = "rescued";
/// Longest path of a folder for temporary files: plugins put sockets there, whose paths end at 104 bytes on some systems.
const LONGEST_TEMPORARY: usize = 70;

/// Why there is no place to work.
#[derive(Debug, thiserror::Error)]
pub enum WorkDirError {
    /// The disk refuses.
    #[error("the work folder {} can't be used: {source}", path.display())]
    Unusable {
        /// Which folder or file.
        path: PathBuf,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// Another process works there.
    #[error("another Runner works in {}; give each its own work folder", .0.display())]
    InUse(PathBuf),
}

/// The folder that holds the folders of all jobs of this process.
#[derive(Debug)]
pub(crate) struct WorkDirs {
    path: PathBuf,
    shelf: Shelf,
    is_full: AtomicBool,
    _lock: File,
}

/// The folder of one job. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct JobDir {
    folder: TempDir,
    temporary: Option<TempDir>,
}

impl WorkDirs {
    /// Takes a folder for this process, makes it where it is missing, and removes what a former owner left.
    pub(crate) fn open(path: &Path) -> Result<Self, WorkDirError> {
        let unusable = |source| WorkDirError::Unusable { path: path.to_path_buf(), source };
        let path = std::path::absolute(path).map_err(unusable)?;
        private_folder(&path).map_err(unusable)?;
        let lock = File::create(path.join(LOCK)).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(WorkDirError::InUse(path)),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        let shelf = Shelf::at(path.join(RESCUED));
        remove_left_overs(&path, &shelf).map_err(unusable)?;
        Ok(Self { path, shelf, is_full: AtomicBool::new(false), _lock: lock })
    }

    /// Whether the disk takes another job. Says so whenever that has changed.
    pub(crate) fn takes_a_job(&self) -> bool {
        let room = room(&self.path, ROOM);
        let was_full = self.is_full.swap(room.is_err(), Ordering::Relaxed);
        let folder = self.path.display();
        match &room {
            Err(error) if !was_full => {
                tracing::error!(%folder, %error, "no more jobs are claimed until the disk has room");
            }
            Ok(()) if was_full => tracing::info!(%folder, "the disk has room again; jobs are claimed"),
            Err(_) | Ok(()) => {}
        }
        room.is_ok()
    }

    /// A fresh folder for a job.
    pub(crate) fn job(&self, job: JobId) -> Result<JobDir, WorkDirError> {
        self.fresh(job).map_err(|source| WorkDirError::Unusable { path: self.path.clone(), source })
    }

    /// A place on the same disk for the log of a job, which may be long.
    pub(crate) fn spool(&self) -> (Writer, Reader) {
        spool::open(&self.path)
    }

    fn fresh(&self, job: JobId) -> io::Result<JobDir> {
        let job = job.to_string();
        // The end of an id is what tells jobs of the same moment apart.
        let folder = temporary_folder(&format!("{PREFIX}{}-", &job[job.len() - 8..]), &self.path)?;
        for inner in ["root", "home", "tmp"] {
            private_folder(&folder.path().join(inner))?;
        }
        let too_long = folder.path().join("tmp").as_os_str().len() > LONGEST_TEMPORARY;
        let temporary = too_long.then(|| temporary_folder("alethia-", &std::env::temp_dir())).transpose()?;
        Ok(JobDir { folder, temporary })
    }

    /// Where states are that could not be delivered.
    pub(crate) fn shelf(&self) -> &Shelf {
        &self.shelf
    }
}

impl JobDir {
    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Folder of the Terraform root.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// What Terraform takes for the home of its user.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Folder for temporary files and sockets.
    pub(crate) fn temporary(&self) -> PathBuf {
        match &self.temporary {
            Some(folder) => folder.path().to_path_buf(),
            None => self.folder.path().join("tmp"),
        }
    }
}

/// Makes a folder that only its owner can enter, its parents included.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

/// Looks whether a disk has so many bytes left. Some of them are written: what is granted to a user is seen by nothing else.
fn room(folder: &Path, least: u64) -> io::Result<()> {
    let disk = rustix::fs::statvfs(folder)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < least {
        let (free, least) = (free / 1024, least / 1024);
        return Err(io::Error::other(format!("{free} KiB are free, and a job needs {least} KiB")));
    }
    spool::reserved(folder).map(drop)
}

fn temporary_folder(prefix: &str, parent: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(prefix).permissions(Permissions::from_mode(0o700)).tempdir_in(parent)
}

fn remove_left_overs(path: &Path, shelf: &Shelf) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let (folder, name) = (entry.path(), entry.file_name());
        if !name.to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        orphans::end_all(&folder);
        if folder.join("root").join(ERRORED_STATE).exists() {
            let kept = shelf.take_from(&folder)?;
            tracing::warn!(kept = %kept.display(), "a killed Runner left a state behind; it is delivered now");
        }
        tracing::info!(folder = %folder.display(), "removing what a killed Runner left behind");
        fs::remove_dir_all(folder)?;
    }
    Ok(())
}

/// A new file for its owner alone.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_job_gets_a_private_folder_that_goes_with_it() {
        let place = tempfile::tempdir().unwrap();
        let dirs = WorkDirs::open(&place.path().join("work")).unwrap();
        let job = dirs.job(JobId::generate()).unwrap();
        let root = job.root();
        for folder in [root.as_path(), root.parent().unwrap(), &job.home(), &job.temporary()] {
            assert_eq!(mode(folder), 0o700, "{}", folder.display());
        }
        drop(job);
        assert!(!root.parent().unwrap().exists());
    }

    #[test]
    fn left_overs_go_at_the_next_start_and_rescued_files_stay() {
        let place = tempfile::tempdir().unwrap();
        let left_over = place.path().join("job-12345678-abc/root");
        fs::create_dir_all(&left_over).unwrap();
        fs::write(left_over.join(ERRORED_STATE), "{}").unwrap();
        let dirs = WorkDirs::open(place.path()).unwrap();
        assert!(!left_over.exists());
        assert!(place.path().join("rescued/job-12345678-abc").join(ERRORED_STATE).exists());
        drop(dirs);
        WorkDirs::open(place.path()).unwrap();
        assert!(place.path().join("rescued/job-12345678-abc").join(ERRORED_STATE).exists());
    }

    #[test]
    fn two_processes_never_share_a_work_folder() {
        let place = tempfile::tempdir().unwrap();
        let _first = WorkDirs::open(place.path()).unwrap();
        assert!(matches!(WorkDirs::open(place.path()), Err(WorkDirError::InUse(_))));
    }

    #[test]
    fn a_disk_that_is_full_or_not_there_takes_no_job() {
        let place = tempfile::tempdir().unwrap();
        room(place.path(), 0).unwrap();
        let error = room(place.path(), u64::MAX).unwrap_err().to_string();
        assert!(error.ends_with(" KiB are free, and a job needs 18014398509481983 KiB"), "{error}");
        let dirs = WorkDirs::open(&place.path().join("work")).unwrap();
        assert!(dirs.takes_a_job());
        fs::rename(place.path().join("work"), place.path().join("away")).unwrap();
        assert!(!dirs.takes_a_job());
    }

    #[test]
    fn sockets_get_a_short_path() {
        let place = tempfile::tempdir().unwrap();
        let long = place.path().join("a".repeat(90));
        let dirs = WorkDirs::open(&long).unwrap();
        let job = dirs.job(JobId::generate()).unwrap();
        assert!(job.temporary().as_os_str().len() <= LONGEST_TEMPORARY);
        assert_eq!(mode(&job.temporary()), 0o700);
    }
}
