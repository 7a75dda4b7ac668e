//! Terraform processes whose Runner was killed: found by the folder they work in, and ended before it is removed.
//!
//! Without this a killed Runner's Terraform would go on changing the cloud while the next job works on the same Spec.
//! Only processes that stand in a job's folder are touched. Where there is no /proc there is nothing to find.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// How long they have to end after an interrupt.
const GRACE: Duration = Duration::from_secs(10);
/// How long killed ones may take to be gone.
const LAST_GRACE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(20);

/// Ends every process that works below a folder.
pub(crate) fn end_all(folder: &Path) {
    for (signal, patience) in [(Signal::INT, GRACE), (Signal::KILL, LAST_GRACE)] {
        let orphans = find(folder);
        if orphans.is_empty() {
            return;
        }
        tracing::warn!(folder = %folder.display(), processes = orphans.len(), "ending what a killed Runner left running");
        for orphan in orphans {
            // It may have ended by itself in the meantime.
            let _ = kill_process(orphan, signal);
        }
        wait_until_gone(folder, patience);
    }
}

fn wait_until_gone(folder: &Path, patience: Duration) {
    let deadline = Instant::now() + patience;
    while !find(folder).is_empty() && Instant::now() < deadline {
        std::thread::sleep(POLL);
    }
}

fn find(folder: &Path) -> Vec<Pid> {
    let (Ok(folder), Ok(processes)) = (fs::canonicalize(folder), fs::read_dir("/proc")) else {
        return Vec::new();
    };
    processes
        .filter_map(|process| {
            let process = process.ok()?;
            let id = process.file_name().to_str()?.parse().ok()?;
            let stands_in = fs::read_link(process.path().join("cwd")).ok()?;
            stands_in.starts_with(&folder).then(|| Pid::from_raw(id)).flatten()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_in_the_folder_is_ended_and_no_other() {
        let (here, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let sleep = |folder: &Path| Command::new("sleep").arg("60").current_dir(folder).spawn().unwrap();
        let (mut orphan, mut other) = (sleep(here.path()), sleep(elsewhere.path()));
        end_all(here.path());
        assert!(!orphan.wait().unwrap().success());
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
