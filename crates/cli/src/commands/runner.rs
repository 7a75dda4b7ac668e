//! `runner`: who executes jobs, and being one.

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use alethia_api::runners::{NewRunner, Runner};
use anyhow::Context;
use clap::{Args, Subcommand};

use crate::{
    embedded::{DataLock, LocalRunner, find_tool, machine_name},
    error::Fault,
    follow::Interrupts,
    output::{self, or_dash, table_or, time},
    pages,
    session::{self, Needs, Session},
    settings::Settings,
};

/// How many Runners on one data folder find a name by themselves.
const MOST_RUNNERS: u32 = 64;

/// What to do with Runners.
#[derive(Debug, Subcommand)]
pub(crate) enum RunnerCommand {
    /// Register a Runner; its token is shown this once
    #[command(alias = "create")]
    Register(RegisterArgs),
    /// Be a Runner of the Console that `--server` names
    Start(StartArgs),
    /// List Runners
    List,
    /// Remove a Runner; its token is worthless from then on
    #[command(alias = "delete")]
    Remove {
        /// Its name
        name: String,
    },
}

/// A Runner to be registered.
#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    /// Its name
    name: String,
    /// It takes jobs that require this label; may be repeated
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// Write the token to this new file (0600) instead of printing it
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

/// A Runner to be started.
#[derive(Debug, Args)]
#[command(after_help = "The token is the Runner's own, from `alethia runner register NAME --save FILE`.")]
pub(crate) struct StartArgs {
    /// Name of its folder on this machine; this machine's name, with a number where that is taken
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// How many jobs it does at a time, 1 to 64 [default: 2] [env: ALETHIA_SLOTS]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=64))]
    slots: Option<u16>,
    /// How long jobs that run may go on once it is told to end, before they are interrupted
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    drain: u32,
}

/// Runs one of them.
pub(crate) async fn run(settings: &Settings, command: RunnerCommand) -> anyhow::Result<()> {
    if let RunnerCommand::Start(args) = command {
        return start(settings.clone(), args).await;
    }
    session::with(settings, Needs::Console, async |session| match command {
        RunnerCommand::Register(args) => register(settings, session, args).await,
        RunnerCommand::List => list(settings, session).await,
        RunnerCommand::Remove { name } => {
            session.client().remove_runner(&name).await?;
            eprintln!("Runner {name} is removed");
            Ok(())
        }
        RunnerCommand::Start(args) => start(settings.clone(), args).await,
    })
    .await
}

async fn register(settings: &Settings, session: &Session, args: RegisterArgs) -> anyhow::Result<()> {
    let new = NewRunner { name: args.name, labels: args.labels };
    let mut file = args.save.as_deref().map(new_private_file).transpose()?;
    let registered = session.client().register_runner(&new).await?;
    if let (Some(file), Some(path)) = (&mut file, &args.save) {
        writeln!(file, "{}", registered.token).with_context(|| unwritable(path))?;
        eprintln!("its token is in {}", path.display());
        return output::print(settings.output.value, &registered.runner, || {
            format!("Runner {} is registered", registered.runner.name)
        });
    }
    eprintln!("this token is shown only now; keep it in a file that only the Runner can read");
    output::print(settings.output.value, &registered, || registered.token.clone())
}

fn new_private_file(path: &Path) -> anyhow::Result<std::fs::File> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.with_context(|| Fault::usage(unwritable(path)).hint("name a file that is not there yet"))
}

fn unwritable(path: &Path) -> String {
    format!("the token can't be written to {}", path.display())
}

async fn list(settings: &Settings, session: &Session) -> anyhow::Result<()> {
    let runners = pages::all(async |page| session.client().runners(&page).await).await?;
    output::print(settings.output.value, &runners, || {
        let header = ["name", "online", "jobs", "labels", "tool", "version", "last seen"];
        let nothing = "no Runners; register one with `alethia runner register NAME`";
        table_or(&settings.typed.in_text(nothing), &header, runners.iter().map(row).collect())
    })
}

fn row(runner: &Runner) -> Vec<String> {
    let labels = if runner.labels.is_empty() { "-".to_owned() } else { runner.labels.join(",") };
    vec![
        runner.name.clone(),
        if runner.online { "yes" } else { "no" }.to_owned(),
        runner.jobs.len().to_string(),
        labels,
        or_dash(runner.tool.as_ref()),
        or_dash(runner.version.as_ref()),
        or_dash(runner.last_seen_at.map(time)),
    ]
}

async fn start(mut settings: Settings, args: StartArgs) -> anyhow::Result<()> {
    let Some(console) = settings.server.value.clone() else {
        let fault = Fault::usage("a Runner needs a Console to work for");
        return Err(fault.hint("alethia runner start --server URL --token-file FILE").into());
    };
    let Some(token) = settings.token()? else {
        let fault = Fault::usage("a Runner needs its own token");
        return Err(fault
            .hint("alethia runner register NAME --save FILE, then start it with `--token-file FILE`")
            .into());
    };
    if let Some(slots) = args.slots {
        settings.slots.value = slots.into();
    }
    let runners = settings.data_dir.value.join("runners");
    let (name, _lock) = own_folder(&runners, args.name)?;
    let mut interrupts = Interrupts::listen()?;
    let drain = Duration::from_secs(args.drain.into());
    let tool = find_tool(&settings).await?;
    let mut runner = LocalRunner::start(&settings, tool, &console, &token, &name, drain).await?;
    eprintln!("the Runner works for {console}; its folder is {}", runners.join(&name).display());
    eprintln!("stop it with Ctrl-C");
    tokio::select! {
        error = runner.ended() => return Err(error),
        () = interrupts.next() => {
            eprintln!("ending; jobs that run have {} s to finish, once more interrupts them", args.drain);
        }
    }
    runner.shutdown().await;
    Ok(())
}

/// A folder that no other Runner works in, and the lock that keeps it so.
fn own_folder(runners: &Path, name: Option<String>) -> anyhow::Result<(String, DataLock)> {
    let names = match name {
        Some(name) => vec![name],
        None => {
            let machine = machine_name();
            let numbered = (2..=MOST_RUNNERS).map(|number| format!("{machine}-{number}"));
            std::iter::once(machine.clone()).chain(numbered).collect()
        }
    };
    for name in names {
        if let Some(lock) = DataLock::try_take(&runners.join(&name))? {
            return Ok((name, lock));
        }
    }
    let fault = Fault::failure(format!("Runners already work in {}", runners.display()));
    Err(fault.hint("give this one a name of its own with `--name NAME`").into())
}
