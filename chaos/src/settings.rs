//! What a run is told.

use std::{env, path::PathBuf, time::Duration};

use anyhow::{Context, Result};

/// What a run is told. The same seed makes the same choices: faults, their times, and what people do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where all choices come from.
    pub seed: u64,
    /// How long faults happen.
    pub length: Duration,
    /// The `alethia` program.
    pub alethia: PathBuf,
    /// What is started as a Console; `alethia` where it is absent.
    pub console: Option<PathBuf>,
    /// The stand-in for Terraform.
    pub stand_in: PathBuf,
    /// The real Terraform.
    pub terraform: PathBuf,
    /// A new folder for everything that the run makes.
    pub folder: PathBuf,
    /// How many Consoles.
    pub consoles: usize,
    /// How many Runners.
    pub runners: usize,
    /// How many Specs people work on at a time.
    pub specs: usize,
    /// Length of a lease in seconds, 10 or more.
    pub lease: u16,
    /// Whether the faults are told as they happen.
    pub is_loud: bool,
}

/// The real Terraform: the first on PATH.
///
/// # Errors
/// When there is none.
pub fn find_terraform() -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join("terraform")).find(|file| file.is_file());
    found.context("there is no terraform on PATH")
}
