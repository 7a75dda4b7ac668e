//! A Runner as a process of its own: the release binary, as people run it.

use std::{path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{fs, process::Child, time::timeout};

use crate::{
    console::{self, Console},
    ground::Ground,
    stand_in::StandIn,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A Runner that runs. It is killed with the value.
pub(crate) struct Runner {
    child: Child,
    pid: Pid,
}

impl Runner {
    /// Starts one that does so many jobs at a time, with this in the place of Terraform.
    pub(crate) async fn start(
        ground: &Ground,
        console: &Console,
        tool: &StandIn<'_>,
        slots: u16,
    ) -> Result<Self> {
        let folder = ground.folder()?;
        let token = folder.join("token");
        fs::write(&token, console.register("bench").await?).await?;
        let mut command = console::alethia()?;
        command.args(["runner", "start", "--name", "bench", "--drain", "0", "--slots", &slots.to_string()]);
        command.arg("--server").arg(format!("http://{}", console.address)).arg("--token-file").arg(&token);
        command.arg("--data-dir").arg(folder.join("data"));
        command.arg("--tool").arg(tool.install(&folder)?);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(std::fs::File::create(folder.join("runner.log"))?);
        let child = command.spawn().context("failed to start a Runner")?;
        Ok(Self { pid: console::pid(&child)?, child })
    }

    /// Ends it as an administrator does.
    pub(crate) async fn stop(mut self) -> Result<()> {
        kill_process(self.pid, Signal::TERM)?;
        timeout(PATIENCE, self.child.wait()).await.context("the Runner does not end")??;
        Ok(())
    }
}

/// The Terraform or OpenTofu on PATH.
pub(crate) fn terraform() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut programs = ["terraform", "tofu"]
        .into_iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)));
    programs.find(|program| program.is_file()).context("neither terraform nor tofu is on PATH")
}
