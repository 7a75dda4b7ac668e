//! Watching a job until it ends, with the person's interrupts in between.
//!
//! The first interrupt asks to cancel the job and goes on watching; the second leaves. A job of another process's Runner
//! then goes on by itself; a job of the Runner in this process ends with it, and that is said.

use std::{pin::pin, time::Duration};

use alethia_api::{
    jobs::{Job, NewJob},
    problem::Code,
};
use alethia_domain::{
    ids::SpecId,
    lifecycle::{JobStatus, JobType},
};
use anyhow::Context;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::sleep,
};
use uuid::Uuid;

use crate::{error::Fault, progress::Progress, session::Session};

/// After how long it is said that no Runner took the job.
const QUEUE_NOTICE: Duration = Duration::from_secs(10);

/// The person's wish to stop.
pub(crate) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupts {
    /// From now on an interrupt no longer ends the process by itself.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("interrupts can't be listened to");
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Resolves at the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// A job that is being watched.
struct Watch<'a> {
    session: &'a Session,
    job: &'a Job,
    progress: Progress,
    /// Whether the job was asked to end.
    asked: bool,
}

/// Creates a job and watches it to its end, whichever that is.
pub(crate) async fn run(session: &Session, spec: SpecId, job: &NewJob, verbose: bool) -> anyhow::Result<Job> {
    let mut interrupts = Interrupts::listen()?;
    let job = session.client().create_job(spec, job, &Uuid::new_v4().to_string()).await?;
    watch(session, &job, &mut interrupts, verbose).await
}

/// Watches a job to its end, whichever that is.
///
/// # Errors
/// When the Console stays out of reach, or the person leaves.
pub(crate) async fn watch(
    session: &Session,
    job: &Job,
    interrupts: &mut Interrupts,
    verbose: bool,
) -> anyhow::Result<Job> {
    let mut stream = session.client().follow_job(job.id, None);
    let mut watch = Watch { session, job, progress: Progress::start(job, verbose), asked: false };
    let mut notice = pin!(sleep(QUEUE_NOTICE));
    loop {
        tokio::select! {
            item = stream.next() => match item? {
                Some(item) => watch.progress.observe(&item),
                None => break,
            },
            () = interrupts.next() => watch.interrupted().await?,
            () = &mut notice, if !notice.is_elapsed() => watch.say_who_is_missing(),
        }
    }
    let job = session.client().job(job.id).await?;
    watch.progress.finish(&job);
    Ok(job)
}

/// Refuses to begin what would wait for a lock that nobody will release.
pub(crate) async fn refuse_orphaned_lock(session: &Session, spec: SpecId) -> anyhow::Result<()> {
    let state = session.client().state(spec).await?;
    let Some(lock) = state.lock.filter(|lock| !lock.holder_alive) else { return Ok(()) };
    let holder = lock.job_id.map_or(lock.who, |job| format!("job {job}"));
    let name = format!("{}/{}", state.zone, state.spec);
    let fault = Fault::failure(format!("the state of {name} is locked by {holder}, whose Runner is gone"));
    Err(fault.hint(format!("release the lock with `alethia state unlock {name}`, then try again")).into())
}

/// The job if it ended well; otherwise why not and what to do about it.
pub(crate) fn succeeded(job: Job) -> anyhow::Result<Job> {
    match job.status {
        JobStatus::Success => Ok(job),
        JobStatus::Queued | JobStatus::Claimed | JobStatus::Processing | JobStatus::Failed => {
            Err(failure(&job).into())
        }
        JobStatus::Cancelled => {
            let fault = Fault::failure(format!("{} {} was CANCELLED", job.job_type, job.id));
            Err(fault.hint(next_step(&job)).into())
        }
    }
}

fn failure(job: &Job) -> Fault {
    let mut message = format!("{} {} {}", job.job_type, job.id, job.status);
    let mut hint = next_step(job);
    if let Some(failure) = &job.failure {
        message.push_str(&format!(": {}", first_paragraph(&failure.message)));
        if let Some(address) = failure.address.as_ref().filter(|address| !failure.message.contains(*address))
        {
            message.push_str(&format!(" ({address})"));
        }
        if let Some(own) = &failure.hint {
            hint = format!("{}; {hint}", own.trim_end_matches('.'));
        }
    }
    Fault::failure(message).hint(hint)
}

/// What a failure says first; the rest is in the log.
fn first_paragraph(message: &str) -> &str {
    message.trim().split("\n\n").next().unwrap_or_default().trim_end_matches([':', '\n'])
}

fn next_step(job: &Job) -> String {
    match job.job_type {
        JobType::Plan => format!("read its log with `alethia jobs logs {}`", job.id),
        JobType::ConnectionTest
        | JobType::FetchResources
        | JobType::Bootstrap
        | JobType::Deploy
        | JobType::Destroy
        | JobType::DeployWorker
        | JobType::DestroyWorker => {
            format!(
                "try again with `alethia jobs retry {0}`, read its log with `alethia jobs logs {0}`",
                job.id
            )
        }
    }
}

impl Watch<'_> {
    fn say_who_is_missing(&mut self) {
        if self.progress.is_waiting() {
            let notice = "no Runner took it yet; see who is there with `alethia runner list`";
            self.progress.say(&self.session.typed().in_text(notice));
        }
    }

    /// Asks the job to end at the first interrupt, leaves at the second.
    async fn interrupted(&mut self) -> anyhow::Result<()> {
        if self.asked {
            return Err(self.left());
        }
        self.asked = true;
        let again = if self.session.is_embedded() {
            "once more stops its Runner, which is in this process"
        } else {
            "once more leaves it running"
        };
        self.progress.say(&format!("asking job {} to end; {again}", self.job.id));
        match self.session.client().cancel_job(self.job.id).await {
            Ok(_) => Ok(()),
            // It ended in the meantime; the stream will say how.
            Err(error) if error.code() == Some(Code::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn left(&mut self) -> anyhow::Error {
        self.progress.abandon();
        let what = format!("{} {}", self.job.job_type, self.job.id);
        let fault = if self.session.is_embedded() {
            eprintln!(
                "the Runner of this job is in this process: waiting for Terraform to stop; once more does not wait"
            );
            Fault::failure(format!("{what} was stopped together with its Runner"))
                .hint(format!("see how it ended with `alethia jobs get {}`", self.job.id))
        } else {
            Fault::failure(format!("left {what} running"))
                .hint(format!("come back to it with `alethia jobs logs -f {}`", self.job.id))
        };
        fault.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_by_its_first_paragraph() {
        let message = "Error acquiring the state lock:\n\nTerraform acquires a state lock";
        assert_eq!(first_paragraph(message), "Error acquiring the state lock");
        assert_eq!(first_paragraph("no capacity\n"), "no capacity");
    }
}
