//! What the stand-in for Terraform writes down, outside of everything that the platform can reach: one line a process,
//! and the lines that Terraform really wrote.
//!
//! The stand-in (`chaos-terraform`) is what the Runners take for Terraform. It is found through the link that it was
//! started by: beside the link lies another one to the real program, and one to the journal. A lock of the operating
//! system for each Spec is handed on to Terraform and its plugins, so that it is free only when the last of them is gone,
//! however they went.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use alethia_domain::ids::{JobId, SpecId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Name of the link to the real program.
pub const REAL: &str = "real";
/// Name of the link to the journal.
pub const JOURNAL: &str = "journal";

/// One process of Terraform. There is a second entry of the same number when it has ended by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Process id, and what keeps two with the same id apart.
    pub id: String,
    /// What it was to do, such as `apply`.
    pub command: String,
    /// The Spec whose state it works on.
    pub spec: SpecId,
    /// The job that it works for.
    pub job: JobId,
    /// SHA-256 of the job token, which the database knows the attempt by.
    pub token_hash: String,
    /// When it began.
    pub begun: DateTime<Utc>,
    /// When it had ended; absent in the first entry, and for ever when it was killed.
    pub ended: Option<DateTime<Utc>>,
    /// Whether another Terraform that changes things was still at work on the same Spec.
    pub overlaps: bool,
    /// The state that it left behind since the state backend did not take it; never in the first entry.
    pub left_state: Option<Snapshot>,
}

/// Which state of a Spec it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Snapshot {
    /// Terraform's lineage.
    pub lineage: String,
    /// Terraform's serial.
    pub serial: u64,
}

/// The folder of the journal.
#[derive(Clone, Debug, Default)]
pub struct Journal(PathBuf);

impl Journal {
    /// Makes the folder.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn create(folder: &Path) -> io::Result<Self> {
        for inner in ["runs", "locks", "lines"] {
            fs::create_dir_all(folder.join(inner))?;
        }
        Ok(Self(folder.to_owned()))
    }

    /// The folder as it is.
    pub fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Writes an entry, over the one with the same number.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn note(&self, run: &Run) -> io::Result<()> {
        let fresh = self.0.join(format!("runs/{}.new", run.id));
        fs::write(&fresh, serde_json::to_vec(run)?)?;
        fs::rename(&fresh, self.0.join(format!("runs/{}.json", run.id)))
    }

    /// Every process there was, oldest first.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn runs(&self) -> io::Result<Vec<Run>> {
        let mut runs = Vec::new();
        for entry in fs::read_dir(self.0.join("runs"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                runs.push(read::<Run>(&path)?);
            }
        }
        runs.sort_by_key(|run| run.begun);
        Ok(runs)
    }

    /// The lock of a Spec.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn lock_file(&self, spec: SpecId) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).open(self.0.join(format!("locks/{spec}")))
    }

    /// Where the lines of a process go.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn lines_file(&self, run: &str) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).open(self.lines_path(run))
    }

    /// What a process wrote, by line.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn lines(&self, run: &str) -> io::Result<Vec<String>> {
        match fs::read_to_string(self.lines_path(run)) {
            Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn lines_path(&self, run: &str) -> PathBuf {
        self.0.join("lines").join(run)
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}
