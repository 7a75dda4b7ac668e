//! States that Terraform could not write, kept on this machine until the Console has them.
//!
//! A state is moved here, which needs no room on a full disk, together with its ticket: what it takes to deliver it. Both
//! are for their owner alone. They outlive the job and the Runner: what is here at the start is delivered then. One that
//! the Console refuses for good loses its ticket and stays, for a person to look at.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use alethia_api::runner::Claim;
use alethia_domain::ids::{JobId, SpecId};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::workdir::{ERRORED_STATE, private_file, private_folder};

/// Name of a ticket beside its state.
const TICKET: &str = "ticket.json";
/// What the Console said to one that it refused.
const REFUSAL: &str = "refused.txt";
/// The largest state that is read, in bytes; more than a Console takes.
pub(crate) const LARGEST: u64 = 512 * 1024 * 1024;

/// Where they are kept.
#[derive(Debug)]
pub(crate) struct Shelf {
    folder: PathBuf,
    news: Notify,
}

/// What it takes to deliver the state of an attempt. It has no `Debug` form: the token is a secret.
#[derive(Serialize, Deserialize)]
pub(crate) struct Ticket {
    /// The job.
    pub job_id: JobId,
    /// Its Spec.
    pub spec_id: SpecId,
    /// Token of the attempt.
    pub job_token: String,
}

/// A state on the shelf.
pub(crate) struct Kept {
    /// What it takes to deliver it.
    pub ticket: Ticket,
    folder: PathBuf,
}

impl Ticket {
    /// The ticket of an attempt.
    pub(crate) fn of(claim: &Claim) -> Self {
        Self { job_id: claim.job_id, spec_id: claim.spec_id, job_token: claim.job_token.clone() }
    }

    /// Leaves it in the folder of a job, for the case that this process does not see the end of it.
    pub(crate) fn leave_in(&self, folder: &Path) -> io::Result<()> {
        let mut file = private_file(&folder.join(TICKET))?;
        serde_json::to_writer(&mut file, self).map_err(io::Error::from)
    }
}

impl Shelf {
    pub(crate) fn at(folder: PathBuf) -> Self {
        Self { folder, news: Notify::new() }
    }

    /// Moves the state that is in the root of a job's folder, and the ticket beside that root; says where they are.
    pub(crate) fn take_from(&self, job_folder: &Path) -> io::Result<PathBuf> {
        let name = job_folder.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let place = self.folder.join(name);
        private_folder(&place)?;
        fs::rename(job_folder.join("root").join(ERRORED_STATE), place.join(ERRORED_STATE))?;
        match fs::rename(job_folder.join(TICKET), place.join(TICKET)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                tracing::error!(kept = %place.display(), "a state was left behind without its ticket; it can't be delivered");
            }
            Err(error) => return Err(error),
        }
        File::open(&place)?.sync_all()?;
        self.news.notify_one();
        Ok(place)
    }

    /// Those that wait to be delivered.
    pub(crate) fn all(&self) -> io::Result<Vec<Kept>> {
        let folders = match fs::read_dir(&self.folder) {
            Ok(folders) => folders,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut all = Vec::new();
        for folder in folders {
            let folder = folder?.path();
            match fs::read(folder.join(TICKET)) {
                Ok(ticket) => {
                    let ticket = serde_json::from_slice(&ticket).map_err(io::Error::from)?;
                    all.push(Kept { ticket, folder });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// Returns when something was put here since the last look.
    pub(crate) async fn news(&self) {
        self.news.notified().await;
    }
}

impl Kept {
    /// Where it is.
    pub(crate) fn place(&self) -> &Path {
        &self.folder
    }

    /// The state.
    pub(crate) fn state(&self) -> io::Result<Bytes> {
        read(&self.folder)
    }

    /// The Console has it.
    pub(crate) fn remove(self) -> io::Result<()> {
        fs::remove_dir_all(self.folder)
    }

    /// The Console does not want it; it is not offered again.
    pub(crate) fn set_aside(self, why: &str) -> io::Result<()> {
        fs::write(self.folder.join(REFUSAL), why)?;
        fs::remove_file(self.folder.join(TICKET))
    }
}

/// The state that Terraform left in a folder.
pub(crate) fn read(folder: &Path) -> io::Result<Bytes> {
    let path = folder.join(ERRORED_STATE);
    let length = path.metadata()?.len();
    if length > LARGEST {
        return Err(io::Error::other(format!("{} has {length} bytes", path.display())));
    }
    fs::read(path).map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn job_folder(place: &Path) -> PathBuf {
        let folder = place.join("job-1");
        private_folder(&folder.join("root")).unwrap();
        fs::write(folder.join("root").join(ERRORED_STATE), "{}").unwrap();
        folder
    }

    fn ticket() -> Ticket {
        Ticket { job_id: JobId::generate(), spec_id: SpecId::generate(), job_token: "alj_x".to_owned() }
    }

    #[test]
    fn a_state_stays_with_its_ticket_until_it_is_delivered() {
        let place = tempfile::tempdir().unwrap();
        let folder = job_folder(place.path());
        let ticket = ticket();
        ticket.leave_in(&folder).unwrap();
        let shelf = Shelf::at(place.path().join("rescued"));
        let kept = shelf.take_from(&folder).unwrap();
        assert_eq!(kept.join(TICKET).metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(kept.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let again = Shelf::at(place.path().join("rescued"));
        let found = again.all().unwrap().pop().unwrap();
        assert_eq!((found.ticket.job_id, found.ticket.job_token.as_str()), (ticket.job_id, "alj_x"));
        assert_eq!(found.state().unwrap(), "{}");
        found.remove().unwrap();
        assert!(again.all().unwrap().is_empty());
    }

    #[test]
    fn one_that_is_refused_stays_and_is_not_offered_again() {
        let place = tempfile::tempdir().unwrap();
        let folder = job_folder(place.path());
        ticket().leave_in(&folder).unwrap();
        let shelf = Shelf::at(place.path().join("rescued"));
        let kept = shelf.take_from(&folder).unwrap();
        shelf.all().unwrap().pop().unwrap().set_aside("another lineage").unwrap();
        assert!(shelf.all().unwrap().is_empty());
        assert!(kept.join(ERRORED_STATE).exists());
    }
}
