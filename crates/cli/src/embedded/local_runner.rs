//! A Runner as a task of this process: for `up`, embedded commands and `runner start`.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use alethia_runner::{RunError, Runner, RunnerConfig, Tool};
use anyhow::Context;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{error::Fault, follow::Interrupts, settings::Settings};

const CANNOT_START: &str = "the Runner can't start";

/// A Runner that works until it is told to end.
pub(crate) struct LocalRunner {
    stop: CancellationToken,
    hurry: CancellationToken,
    abort: CancellationToken,
    drain: Duration,
    task: JoinHandle<Result<(), RunError>>,
}

impl LocalRunner {
    /// Begins to ask the Console for jobs. At its end, jobs that run have `drain` to finish.
    ///
    /// # Errors
    /// When a folder can't be used.
    pub(crate) async fn start(
        settings: &Settings,
        tool: Tool,
        console: &str,
        token: &str,
        name: &str,
        drain: Duration,
    ) -> anyhow::Result<Self> {
        let config = RunnerConfig { shutdown_grace: drain, ..config(settings, console, token, name)? };
        let runner = Runner::prepare(config, tool).await.context(Fault::failure(CANNOT_START))?;
        let (stop, hurry, abort) = (CancellationToken::new(), runner.hurry(), runner.abort());
        let told = stop.clone();
        let task = tokio::spawn(async move { runner.run(told).await });
        Ok(Self { stop, hurry, abort, drain, task })
    }

    /// Resolves when the Runner ends though nobody told it to; says why.
    pub(crate) async fn ended(&mut self) -> anyhow::Error {
        match (&mut self.task).await {
            Ok(Ok(())) => anyhow::anyhow!("the Runner ended by itself"),
            Ok(Err(error)) => {
                let fault = Fault::failure("the Runner ended");
                let fault = match &error {
                    RunError::Refused(_) => fault.hint(
                        "give it the token that `alethia runner register NAME --save FILE` wrote, with `--token-file FILE`",
                    ),
                    RunError::Broken(_) => fault,
                };
                anyhow::Error::new(error).context(fault)
            }
            Err(error) => anyhow::Error::new(error).context("the Runner broke"),
        }
    }

    /// Tells it to end and waits. A further interrupt ends the drain, if there is one; the one after that kills Terraform,
    /// which is reported too. Only one more leaves without waiting, and even then nothing of Terraform stays.
    pub(crate) async fn shutdown(mut self) {
        self.stop.cancel();
        if self.task.is_finished() {
            return;
        }
        let Ok(mut interrupts) = Interrupts::listen() else { return };
        let mut steps = [Self::end_drain as fn(&Self), Self::kill].into_iter();
        if self.drain.is_zero() {
            steps.next();
        }
        loop {
            tokio::select! {
                ended = &mut self.task => {
                    if let Ok(Err(error)) = ended {
                        tracing::warn!(%error, "the Runner ended with an error");
                    }
                    return;
                }
                () = interrupts.next() => {}
            }
            let Some(step) = steps.next() else {
                eprintln!(
                    "left without a word to the Console; its jobs are lost, see them with `alethia jobs list`"
                );
                return;
            };
            step(&self);
        }
    }

    fn end_drain(&self) {
        eprintln!("interrupting the jobs that run; once more kills Terraform");
        self.hurry.cancel();
    }

    fn kill(&self) {
        eprintln!("killing Terraform; bring back what it was about to change with `alethia recover SPEC`");
        self.abort.cancel();
    }
}

/// The Terraform that the Runner of these settings works with.
///
/// # Errors
/// When there is none that fits.
pub(crate) async fn find_tool(settings: &Settings) -> anyhow::Result<Tool> {
    let named = settings.tool.value.as_deref();
    Tool::find(named, env::var_os("PATH").as_deref()).await.with_context(|| {
        Fault::failure(CANNOT_START)
            .hint("see what is there with `terraform version`, or name another tool with `--tool FILE`")
    })
}

/// The name of the Runner in this process. With a database that is shared, each machine has one of its own.
pub(crate) fn name(settings: &Settings) -> String {
    match settings.database.value {
        Some(_) => format!("local-{}", machine_name()),
        None => "local".to_owned(),
    }
}

/// This machine's name, as far as it fits into a Runner's name.
pub(crate) fn machine_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let fitting = name.trim().chars().map(|letter| letter.to_ascii_lowercase());
    let fitting = fitting.map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' });
    let name: String = fitting.take(30).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "machine".to_owned() } else { name.to_owned() }
}

/// The folder that is the sandbox cloud of this machine.
pub(crate) fn sandbox_cloud(settings: &Settings) -> PathBuf {
    settings.data_dir.value.join("sandbox").join("cloud")
}

fn config(settings: &Settings, console: &str, token: &str, name: &str) -> anyhow::Result<RunnerConfig> {
    let folder = absolute(&settings.data_dir.value)?;
    let work = folder.join("runners").join(name);
    let mut config = RunnerConfig::new(console, token, name, work, folder.join("cache"));
    config.slots = settings.slots.value;
    config.sandbox_environment = sandbox(settings)?;
    Ok(config)
}

fn sandbox(settings: &Settings) -> anyhow::Result<BTreeMap<String, String>> {
    let folder = absolute(&settings.data_dir.value)?.join("sandbox");
    let mirror = alethia_sandbox::mirror::write(&folder.join("mirror"))?;
    let program = env::current_exe().context("this program can't find itself")?;
    let cloud = alethia_sandbox::cloud::Cloud::open(folder.join("cloud"))?;
    let mut environment = mirror.environment(&program, cloud.root());
    if let Ok(faults) = env::var(alethia_sandbox::faults::VARIABLE) {
        environment.insert(alethia_sandbox::faults::VARIABLE.to_owned(), faults);
    }
    Ok(environment)
}

fn absolute(folder: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(folder).with_context(|| format!("the folder {} can't be found", folder.display()))
}
