//! One Runner whose clock is wrong, by libfaketime where it is installed.
//!
//! Only the time of day is wrong, as it is on a machine whose clock is not kept: how long something takes is still measured
//! rightly.

use std::path::PathBuf;

/// How wrong it is, in seconds.
const SKEW: &str = "-5400";

/// The environment of a Runner; that of the last one of several has the wrong clock.
pub(crate) fn of_runner(number: usize, runners: usize) -> Vec<(String, String)> {
    match library() {
        Some(library) if runners > 1 && number + 1 == runners => [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME", SKEW.to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
        Some(_) | None => Vec::new(),
    }
}

/// Where libfaketime is.
pub(crate) fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten();
    folders.map(|folder| folder.path().join("faketime/libfaketime.so.1")).find(|library| library.is_file())
}
