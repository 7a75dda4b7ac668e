//! One Terraform command: its lines go to the log and to whoever watches, its errors become the job's failure.

use std::{collections::VecDeque, fs::File};

use alethia_domain::{event::Failure, lifecycle::FailureReason};
use alethia_terraform::event_json::{self, Diagnostic, Line, Severity, TerraformEvent};

use super::StepError;
use crate::{
    job::Job,
    log::Log,
    process::{self, Ended, Program, Sink, Source},
    stop::StopSignal,
    transcript,
};

/// How many lines of standard error are kept for a failure without a diagnostic.
const TAIL: usize = 12;

/// What the log says where a Terraform was ended for its Runner.
const BY_GUARD: &str = "the Runner stood still for most of the lease, so its guard ended Terraform; what it said meanwhile is lost";

/// Runs Terraform in the job's root and shows its lines to `watch`.
pub(super) async fn run(
    job: &mut Job,
    arguments: &[&str],
    watch: impl FnMut(&Line) + Send,
) -> Result<(), StepError> {
    let stop = job.stop.clone();
    run_until(job, arguments, None, &stop, watch).await
}

/// Runs Terraform in the job's root and writes its standard output into a file.
pub(super) async fn run_into(job: &mut Job, arguments: &[&str], output: File) -> Result<(), StepError> {
    let stop = job.stop.clone();
    run_until(job, arguments, Some(output), &stop, |_| {}).await
}

/// Runs Terraform until another signal than the job's own says stop.
pub(super) async fn run_until(
    job: &mut Job,
    arguments: &[&str],
    output: Option<File>,
    stop: &StopSignal,
    watch: impl FnMut(&Line) + Send,
) -> Result<(), StepError> {
    let Job { shared, workspace, log, limits, backend, .. } = job;
    let workspace = workspace.as_ref().expect("prepare is the first step of every list");
    let program = Program {
        path: &shared.tool.path,
        arguments,
        folder: &workspace.folder.root(),
        environment: &workspace.environment,
        backend,
        output,
        guard: &shared.config.guard,
        limits: limits.clone(),
    };
    let mut listener = Listener { log, watch, first_error: None, errors: 0, tail: VecDeque::new() };
    let ended =
        process::run(program, stop, shared.config.cancel_grace, &mut listener).await.map_err(|error| {
            StepError::runner(&format!("{} can't be run", shared.tool.path.display()), &error)
        })?;
    if ended.by_guard {
        listener.log.write(BY_GUARD).await;
    }
    match ended {
        Ended { status, .. } if status.success() => Ok(()),
        Ended { interrupted: Some(reason), .. } => Err(StepError::Stopped(reason)),
        Ended { status, interrupted: None, .. } => {
            let command = format!("{} {}", shared.tool.name, arguments.first().copied().unwrap_or_default());
            Err(StepError::Terraform(listener.failure(&format!("{command} ended with {status}"))))
        }
    }
}

struct Listener<'a, W> {
    log: &'a mut Log,
    watch: W,
    first_error: Option<Diagnostic>,
    errors: usize,
    tail: VecDeque<String>,
}

impl<W: FnMut(&Line) + Send> Sink for Listener<'_, W> {
    async fn line(&mut self, source: Source, raw: String) {
        let line = event_json::parse(&raw);
        (self.watch)(&line);
        self.remember(source, &line);
        if let Some(text) = transcript::text(&raw, &line) {
            self.log.write(&text).await;
        }
    }
}

impl<W> Listener<'_, W> {
    fn remember(&mut self, source: Source, line: &Line) {
        match &line.event {
            Some(TerraformEvent::Diagnostic(diagnostic)) if diagnostic.severity == Severity::Error => {
                self.errors += 1;
                self.first_error.get_or_insert_with(|| diagnostic.clone());
            }
            _ if source == Source::Err && !line.message.trim().is_empty() => {
                if self.tail.len() == TAIL {
                    self.tail.pop_front();
                }
                self.tail.push_back(line.message.trim_end().to_owned());
            }
            _ => {}
        }
    }

    fn failure(self, otherwise: &str) -> Failure {
        let reason = FailureReason::Terraform;
        let Some(error) = self.first_error else {
            let said = Vec::from(self.tail).join("\n");
            let message =
                if said.is_empty() { otherwise.to_owned() } else { format!("{otherwise}:\n{said}") };
            return Failure { reason, message, address: None, hint: None };
        };
        let mut message = match error.detail.trim() {
            "" => error.summary,
            detail => format!("{}: {detail}", error.summary),
        };
        match self.errors - 1 {
            0 => {}
            1 => message.push_str("\n(and one more error in the log)"),
            more => message.push_str(&format!("\n(and {more} more errors in the log)")),
        }
        Failure { reason, message, address: error.address, hint: error.hint.map(str::to_owned) }
    }
}
