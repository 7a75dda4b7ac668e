//! What the Runners of a chaos run take for Terraform: it runs the real one and writes down what really happened.
//!
//! It passes everything on: arguments, environment, output, interrupts, the exit code. See `journal` for what it writes.
//! Absent on purpose: any change of what Terraform does.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{self, Write},
    os::fd::AsFd,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
};

use alethia_chaos::journal::{JOURNAL, Journal, REAL, Run, Snapshot};
use alethia_domain::{
    ids::{JobId, SpecId},
    plan::sha256_hex,
};
use anyhow::Context;
use chrono::Utc;
use rustix::{
    fs::{FlockOperation, flock},
    io::{FdFlags, fcntl_setfd},
    process::{Pid, Signal, kill_process},
};
use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdout, Command},
    signal::unix::{SignalKind, signal},
};

/// What the Runner leaves beside Terraform's folder, for the case that it does not see the end.
const TICKET: &str = "../ticket.json";
/// What Terraform leaves in its folder when the backend does not take its state.
const ERRORED_STATE: &str = "errored.tfstate";

/// Which attempt this is.
#[derive(Deserialize)]
struct Ticket {
    spec_id: SpecId,
    job_id: JobId,
    job_token: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = env::args_os();
    let link = PathBuf::from(arguments.next().context("a program has a name")?);
    let arguments: Vec<OsString> = arguments.collect();
    let folder = link.parent().context("the link is in a folder")?;
    let mut terraform = Command::new(folder.join(REAL));
    terraform.args(&arguments);
    let command = arguments.first().and_then(|word| word.to_str()).unwrap_or_default();
    let is_told =
        arguments.iter().any(|argument| argument == "-json") && ["plan", "apply"].contains(&command);
    if !is_told {
        let status = run(terraform, None).await?;
        return Ok(status);
    }
    journaled(folder, command, terraform).await
}

async fn journaled(folder: &Path, command: &str, terraform: Command) -> anyhow::Result<ExitCode> {
    let (journal, ticket) = (Journal::at(folder.join(JOURNAL)), ticket()?);
    let begun = Utc::now();
    let mut run_entry = Run {
        id: format!("{}-{}", begun.timestamp_micros(), std::process::id()),
        command: command.to_owned(),
        spec: ticket.spec_id,
        job: ticket.job_id,
        token_hash: sha256_hex(ticket.job_token.as_bytes()),
        begun,
        ended: None,
        overlaps: false,
        left_state: None,
    };
    let lock = journal.lock_file(run_entry.spec)?;
    if command == "apply" {
        run_entry.overlaps = flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err();
        fcntl_setfd(lock.as_fd(), FdFlags::empty()).context("the lock can't be handed on")?;
    }
    journal.note(&run_entry)?;
    let lines = journal.lines_file(&run_entry.id)?;
    let status = run(terraform, Some(lines)).await?;
    journal.note(&Run { ended: Some(Utc::now()), left_state: left_state(), ..run_entry })?;
    Ok(status)
}

fn ticket() -> anyhow::Result<Ticket> {
    let ticket = fs::read(TICKET).with_context(|| format!("there is no {TICKET}"))?;
    serde_json::from_slice(&ticket).with_context(|| format!("{TICKET} can't be read"))
}

/// The whole state that the backend did not take, if there is one. A full disk has a part of one, which is none.
fn left_state() -> Option<Snapshot> {
    serde_json::from_slice(&fs::read(ERRORED_STATE).ok()?).ok()
}

/// Runs the real program. Its lines are written down before anybody else sees them.
async fn run(mut terraform: Command, lines: Option<std::fs::File>) -> anyhow::Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    if lines.is_some() {
        terraform.stdout(Stdio::piped());
    }
    let mut child = terraform.spawn().context("the real Terraform can't be started")?;
    let reading = tokio::spawn(pass_on(child.stdout.take(), lines));
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            _ = interrupt.recv() => tell(&child, Signal::INT),
            _ = terminate.recv() => tell(&child, Signal::TERM),
        }
    };
    reading.await??;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

fn tell(child: &Child, what: Signal) {
    if let Some(child) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        // It may have ended in this moment; the wait sees that.
        let _ = kill_process(child, what);
    }
}

async fn pass_on(from: Option<ChildStdout>, file: Option<std::fs::File>) -> io::Result<()> {
    let (Some(from), Some(mut file)) = (from, file) else { return Ok(()) };
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).await? > 0 {
        file.write_all(&line)?;
        let mut out = io::stdout().lock();
        out.write_all(&line)?;
        out.flush()?;
        line.clear();
    }
    Ok(())
}
