//! What tests need that start programs: an environment that holds nothing of the person who runs the test, who works in
//! a folder, and a wait for what one of them does.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Pid;

/// How often it is looked for what is waited for.
const PAUSE: Duration = Duration::from_millis(20);

/// A program that knows no more than PATH and this home, in which it stands too. Nobody types to it.
pub fn command(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default()).env("HOME", home);
    command.current_dir(home).stdin(Stdio::null());
    command
}

/// Processes that stand in a folder or below it. Where there is no /proc there is nothing to find.
pub fn working_below(folder: &Path) -> Vec<Pid> {
    let (Ok(folder), Ok(processes)) = (fs::canonicalize(folder), fs::read_dir("/proc")) else {
        return Vec::new();
    };
    let works_there = |process: fs::DirEntry| {
        let id = process.file_name().to_str()?.parse().ok()?;
        let stands_in = fs::read_link(process.path().join("cwd")).ok()?;
        stands_in.starts_with(&folder).then(|| Pid::from_raw(id)).flatten()
    };
    processes.flatten().filter_map(works_there).collect()
}

/// Looks until there is something to see.
///
/// # Panics
/// When there is nothing in time.
pub fn until<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + patience;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "not within {patience:?}: {what}");
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_works_in_a_folder_is_found_until_it_ends() {
        let home = tempfile::tempdir().unwrap();
        assert!(working_below(home.path()).is_empty());
        let mut sleeper = command("sleep", home.path()).arg("60").spawn().unwrap();
        assert_eq!(working_below(home.path()), [Pid::from_child(&sleeper)]);
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
        assert!(working_below(home.path()).is_empty());
    }

    #[test]
    fn a_program_knows_nothing_of_who_runs_the_test() {
        let home = tempfile::tempdir().unwrap();
        let output = command("env", home.path()).output().unwrap();
        let names = String::from_utf8(output.stdout).unwrap();
        let mut names: Vec<&str> = names.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        names.sort_unstable();
        assert_eq!(names, ["HOME", "PATH"]);
    }
}
