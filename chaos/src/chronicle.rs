//! What the run did to the platform and when, as a person reads it afterwards: a file in the run's folder, and the
//! standard error of a run that is watched.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// The log of a run.
#[derive(Debug)]
pub(crate) struct Chronicle {
    begun: Instant,
    file: Mutex<File>,
    is_loud: bool,
}

impl Chronicle {
    pub(crate) fn begin(path: &Path, is_loud: bool) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { begun: Instant::now(), file: Mutex::new(file), is_loud })
    }

    /// Writes a line behind the time since the begin, in seconds.
    pub(crate) fn note(&self, text: &str) {
        let line = format!("{:8.3} {text}", self.begun.elapsed().as_secs_f64());
        if self.is_loud {
            eprintln!("{line}");
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = writeln!(file, "{line}") {
            eprintln!("the chronicle takes nothing more: {error}");
        }
    }

    /// Seconds since the begin.
    pub(crate) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }
}
