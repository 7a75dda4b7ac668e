//! Terraform processes whose Runner was killed: found by the folder they work in, and ended before it is removed.
//!
//! Without this a killed Runner's Terraform would go on changing the cloud while the next job works on the same Spec.
//! Only processes that stand in a job's folder are touched. Where there is no /proc there is nothing to find. A Terraform
//! that has something to say finds its output closed and ends by itself before that.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, getpgid, kill_process};

/// How long Terraform has after an interrupt: it tries for a while to write its state before it leaves it on the disk.
const GRACE: Duration = Duration::from_secs(45);
/// How long killed ones may take to be gone.
const LAST_GRACE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(20);

/// Ends every process that works below a folder: Terraform is interrupted, which it tells its plugins, and whatever is
/// left after that is killed.
pub(crate) fn end_all(folder: &Path) {
    let leaders: Vec<Pid> = find(folder).into_iter().filter(|orphan| leads_group(*orphan)).collect();
    if !leaders.is_empty() {
        tracing::warn!(folder = %folder.display(), "ending the Terraform that a killed Runner left running");
        signal(&leaders, Signal::INT);
        wait_until_gone(folder, GRACE);
    }
    signal(&find(folder), Signal::KILL);
    wait_until_gone(folder, LAST_GRACE);
}

fn leads_group(process: Pid) -> bool {
    getpgid(Some(process)).is_ok_and(|group| group == process)
}

fn signal(processes: &[Pid], signal: Signal) {
    for process in processes {
        // It may have ended by itself in the meantime.
        let _ = kill_process(*process, signal);
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
    use std::{
        os::unix::process::{CommandExt, ExitStatusExt},
        process::Command,
    };

    use super::*;

    fn sleep(folder: &Path) -> Command {
        let mut command = Command::new("sleep");
        command.arg("60").current_dir(folder);
        command
    }

    #[test]
    fn a_terraform_in_the_folder_is_interrupted_and_no_other() {
        let (here, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut orphan = sleep(here.path()).process_group(0).spawn().unwrap();
        let mut other = sleep(elsewhere.path()).process_group(0).spawn().unwrap();
        end_all(here.path());
        assert_eq!(orphan.wait().unwrap().signal(), Some(Signal::INT.as_raw()));
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }

    #[test]
    fn a_plugin_without_its_terraform_is_killed() {
        let here = tempfile::tempdir().unwrap();
        let mut plugin = sleep(here.path()).spawn().unwrap();
        end_all(here.path());
        assert_eq!(plugin.wait().unwrap().signal(), Some(Signal::KILL.as_raw()));
    }
}
