//! What a Runner is told at its start.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

/// What a Runner is told at its start. Its `Debug` form leaves the token out.
#[derive(Clone)]
pub struct RunnerConfig {
    /// Address of the Console, such as `http://127.0.0.1:4646`.
    pub console: String,
    /// The Runner's own token.
    pub token: String,
    /// The Runner's name, for its own log; the Console knows it by the token.
    pub name: String,
    /// How many jobs run at the same time, at least 1.
    pub slots: usize,
    /// Folder for the working folders of jobs; this process alone uses it.
    pub work_dir: PathBuf,
    /// Folder for providers and prepared roots; several Runners may share it.
    pub cache_dir: PathBuf,
    /// What stands guard over a running Terraform.
    pub guard: GuardProgram,
    /// Variables of Terraform in the sandbox cloud; empty where there is none.
    pub sandbox_environment: BTreeMap<String, String>,
    /// How long a job may take.
    pub job_timeout: Duration,
    /// How long one request for a job waits at the Console, 0 to 30 seconds.
    pub poll_seconds: u16,
    /// How long Terraform has to end after each of the two interrupts, before it is killed.
    pub cancel_grace: Duration,
    /// The drain: how long running jobs may go on when the Runner is told to end, before they are interrupted.
    pub shutdown_grace: Duration,
}

/// A command that does nothing but call [`crate::stand_guard`].
#[derive(Clone, Debug)]
pub struct GuardProgram {
    /// The program.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl GuardProgram {
    /// This very program, called with `runner guard`; also when its file was replaced since it was started.
    pub fn this_program() -> Self {
        let itself = Path::new("/proc/self/exe");
        let path = if itself.exists() { Ok(itself.to_path_buf()) } else { std::env::current_exe() };
        Self {
            path: path.unwrap_or_else(|_| "alethia".into()),
            arguments: vec!["runner".to_owned(), "guard".to_owned()],
        }
    }
}

impl RunnerConfig {
    /// A Runner with one slot and the usual times.
    pub fn new(
        console: impl Into<String>,
        token: impl Into<String>,
        name: impl Into<String>,
        work_dir: impl Into<PathBuf>,
        cache_dir: impl Into<PathBuf>,
    ) -> Self {
        Self {
            console: console.into(),
            token: token.into(),
            name: name.into(),
            slots: 1,
            work_dir: work_dir.into(),
            cache_dir: cache_dir.into(),
            guard: GuardProgram::this_program(),
            sandbox_environment: BTreeMap::new(),
            job_timeout: Duration::from_secs(4 * 60 * 60),
            poll_seconds: 25,
            cancel_grace: Duration::from_secs(60),
            shutdown_grace: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for RunnerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunnerConfig")
            .field("console", &self.console)
            .field("token", &"***")
            .field("name", &self.name)
            .field("slots", &self.slots)
            .field("work_dir", &self.work_dir)
            .field("cache_dir", &self.cache_dir)
            .field("guard", &self.guard)
            .field("sandbox_environment", &self.sandbox_environment)
            .field("job_timeout", &self.job_timeout)
            .field("poll_seconds", &self.poll_seconds)
            .field("cancel_grace", &self.cancel_grace)
            .field("shutdown_grace", &self.shutdown_grace)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_does_not_show_in_debug_output() {
        let config = RunnerConfig::new("http://127.0.0.1:1", "alr_secret", "one", "/w", "/c");
        assert!(!format!("{config:?}").contains("alr_secret"));
    }
}
