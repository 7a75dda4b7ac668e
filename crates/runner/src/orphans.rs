//! Terraform processes whose Runner was killed: found by the folder they work in, and ended before it is removed.
//!
//! Without this a killed Runner's Terraform would go on changing the cloud while the next job works on the same Spec.
//! Only processes that stand in a job's folder are touched. Where there is no /proc there is nothing to find. A Terraform
//! whose Runner was killed has been interrupted by its guard; a second interrupt would make it drop its state, so it is
//! only waited for.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

/// How long the guard may need: Terraform tries for a while to write its state before it leaves it on the disk.
const GRACE: Duration = Duration::from_secs(45);
/// How long killed ones may take to be gone.
const LAST_GRACE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(20);

/// Waits until no process works below a folder any more, and kills whatever is left after that.
pub(crate) fn end_all(folder: &Path) {
    end_all_after(folder, GRACE);
}

fn end_all_after(folder: &Path, grace: Duration) {
    if !find(folder).is_empty() {
        tracing::warn!(folder = %folder.display(), "a killed Runner left Terraform behind; it is about to end");
        wait_until_gone(folder, grace);
    }
    for orphan in find(folder) {
        // It may have ended by itself in the meantime.
        let _ = kill_process(orphan, Signal::KILL);
    }
    wait_until_gone(folder, LAST_GRACE);
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
    use std::{os::unix::process::ExitStatusExt, process::Command, thread};

    use super::*;

    fn sleep(folder: &Path, seconds: &str) -> Command {
        let mut command = Command::new("sleep");
        command.arg(seconds).current_dir(folder);
        command
    }

    #[test]
    fn what_is_about_to_end_may_do_so() {
        let here = tempfile::tempdir().unwrap();
        let mut orphan = sleep(here.path(), "0.3").spawn().unwrap();
        let waiting = thread::spawn(move || orphan.wait().unwrap());
        end_all_after(here.path(), Duration::from_secs(20));
        assert!(waiting.join().unwrap().success());
    }

    #[test]
    fn what_does_not_end_in_the_folder_is_killed_and_nothing_else() {
        let (here, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut orphan = sleep(here.path(), "60").spawn().unwrap();
        let mut other = sleep(elsewhere.path(), "60").spawn().unwrap();
        end_all_after(here.path(), Duration::from_millis(50));
        assert_eq!(orphan.wait().unwrap().signal(), Some(Signal::KILL.as_raw()));
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
