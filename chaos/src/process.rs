//! One process of the platform: started with an environment of its own, its words kept in a file, and hurt in every way
//! that a machine hurts a process.

use std::{
    fs::OpenOptions,
    io,
    path::{Path, PathBuf},
    process::Child,
    time::{Duration, Instant},
};

use alethia_testkit::processes;
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

/// How long a process that was asked to end may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How to start it, again and again.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) home: PathBuf,
    /// What it says goes here, behind what it said before.
    pub(crate) log: PathBuf,
}

/// A process that runs, or ran.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    name: String,
}

impl Recipe {
    pub(crate) fn start(&self) -> Result<Process> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let child = processes::command(&self.program, &self.home)
            .args(&self.arguments)
            .envs(self.environment.clone())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{} can't be started", self.name))?;
        Ok(Process { child, name: self.name.clone() })
    }
}

impl Process {
    /// As a crash does. Children live on.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// As a power cut does: everything that was started by it is gone too. `below` is a folder that only its children
    /// work in. The guards of Terraform do not: their end is that of what they guard.
    pub(crate) fn kill_with_children(&mut self, below: &Path) -> io::Result<()> {
        self.freeze();
        let children = processes::working_below(below);
        self.kill()?;
        for child in children {
            signal(child, Signal::KILL);
        }
        Ok(())
    }

    pub(crate) fn freeze(&self) {
        signal(Pid::from_child(&self.child), Signal::STOP);
    }

    pub(crate) fn thaw(&self) {
        signal(Pid::from_child(&self.child), Signal::CONT);
    }

    /// Asks it to end, and waits until it has; what does not end is killed.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        self.thaw();
        signal(Pid::from_child(&self.child), Signal::TERM);
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        eprintln!("{} did not end within {PATIENCE:?}", self.name);
        self.kill()
    }

    /// Whether it has ended though nobody ended it.
    pub(crate) fn is_gone(&mut self) -> bool {
        self.child.try_wait().ok().flatten().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Whoever wanted an orderly end has asked for it.
        let _ = self.kill();
    }
}

/// It may be gone already, which is as good.
pub(crate) fn signal(process: Pid, what: Signal) {
    let _ = kill_process(process, what);
}
