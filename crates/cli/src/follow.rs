//! Watching a job until it ends, with the person's interrupts in between.
//!
//! The first interrupt asks to cancel the job and goes on watching; the second leaves a job of another process's Runner
//! to itself. Where the Runner is in this process, the second one kills Terraform, and only the third leaves: the job ends
//! with its Runner then, and what to do about it is said. A job of somebody else is left at the first interrupt.

use std::time::Duration;

use alethia_api::{
    client::JobStream,
    jobs::{Job, NewJob},
    problem::Code,
};
use alethia_domain::{ids::SpecId, lifecycle::JobStatus};
use anyhow::Context;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Instant, Interval, interval_at, timeout},
};
use uuid::Uuid;

use crate::{error::Fault, progress::Progress, session::Session};

/// After how long it is said for the first time what a job waits for, and how often that is looked at again.
const FIRST_LOOK: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_secs(5);

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
    stream: JobStream,
    looks: Interval,
    progress: Progress,
    /// How the job was asked to end.
    asked: Asked,
}

/// How far a person went to end a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Nothing,
    Cancel,
    Kill,
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
    let mut watch = Watch::begin(session, job, verbose);
    loop {
        tokio::select! {
            ended = watch.until_its_end() => return ended,
            () = interrupts.next() => watch.interrupted(interrupts).await?,
        }
    }
}

/// Watches a job that somebody else asked for: an interrupt ends this alone.
///
/// # Errors
/// When the Console stays out of reach, or the person leaves.
pub(crate) async fn look_on(session: &Session, job: &Job, verbose: bool) -> anyhow::Result<Job> {
    let mut interrupts = Interrupts::listen()?;
    let mut watch = Watch::begin(session, job, verbose);
    tokio::select! {
        ended = watch.until_its_end() => ended,
        () = interrupts.next() => {
            watch.progress.abandon();
            Err(left_running(job, "").into())
        }
    }
}

/// Refuses to begin what would wait for a lock that nobody will release, or work from an older state than there is.
pub(crate) async fn refuse_broken_state(session: &Session, spec: SpecId) -> anyhow::Result<()> {
    let state = session.client().state(spec).await?;
    let name = format!("{}/{}", state.zone, state.spec);
    let late = state.rescued.iter().find(|rescued| rescued.unfit.is_none());
    let why = match (state.lock, late) {
        (Some(lock), _) if !lock.holder_alive => {
            let holder = lock.job_id.map_or(lock.who, |job| format!("job {job}"));
            let why = lock.orphaned.map_or("which is over", |orphaned| orphaned.reason.sentence());
            format!("the state of {name} is locked by {holder}: {why}")
        }
        (_, Some(late)) => {
            format!("a newer state of {name} came late from job {}: serial {}", late.job_id, late.serial)
        }
        (Some(_) | None, None) => return Ok(()),
    };
    Err(Fault::failure(why).hint(format!("alethia recover {name}")).into())
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
            let rest = if own.contains("alethia recover") { read_log(job) } else { hint };
            hint = format!("{}; {rest}", own.trim_end_matches('.'));
        }
    }
    Fault::failure(message).hint(hint)
}

/// What a failure says first; the rest is in the log.
fn first_paragraph(message: &str) -> &str {
    message.trim().split("\n\n").next().unwrap_or_default().trim_end_matches([':', '\n'])
}

fn left_running(job: &Job, why: &str) -> Fault {
    let Job { job_type, id, .. } = job;
    Fault::failure(format!("left {job_type} {id} running{why}"))
        .hint(format!("come back to it with `alethia jobs logs -f {id}`"))
}

fn read_log(job: &Job) -> String {
    format!("read its log with `alethia jobs logs {}`", job.id)
}

fn next_step(job: &Job) -> String {
    if !job.job_type.is_mutating() {
        read_log(job)
    } else if job.kill_requested {
        format!("bring it back with `alethia recover {}/{}`", job.zone, job.spec)
    } else {
        format!("try again with `alethia jobs retry {}`, {}", job.id, read_log(job))
    }
}

impl<'a> Watch<'a> {
    fn begin(session: &'a Session, job: &'a Job, verbose: bool) -> Self {
        Self {
            session,
            job,
            stream: session.client().follow_job(job.id, None),
            looks: interval_at(Instant::now() + FIRST_LOOK, LOOK_AGAIN),
            progress: Progress::start(job, verbose),
            asked: Asked::Nothing,
        }
    }

    /// Shows what happens until the job ends. Safe to cancel and to begin anew.
    async fn until_its_end(&mut self) -> anyhow::Result<Job> {
        loop {
            tokio::select! {
                item = self.stream.next() => match item? {
                    Some(item) => self.progress.observe(&item),
                    None => break,
                },
                _ = self.looks.tick(), if self.progress.is_waiting() => self.say_what_it_waits_for().await,
            }
        }
        let job = self.session.client().job(self.job.id).await?;
        self.progress.finish(&job);
        Ok(job)
    }

    /// That the Console can't be asked is no news here: the stream says so, or comes back. Nobody waits long for it.
    async fn say_what_it_waits_for(&mut self) {
        let look = timeout(FIRST_LOOK, self.session.client().job(self.job.id)).await;
        if let Ok(Ok(Job { waiting: Some(waiting), .. })) = look {
            self.progress.waits(&waiting);
        }
    }

    /// One step further than before. A Console elsewhere that does not answer keeps nobody here: one more interrupt leaves.
    async fn interrupted(&mut self, interrupts: &mut Interrupts) -> anyhow::Result<()> {
        let (client, job, embedded) = (self.session.client(), self.job.id, self.session.is_embedded());
        match (self.asked, embedded) {
            (Asked::Nothing, _) => {
                let again = if embedded { "kills Terraform" } else { "leaves it running" };
                self.progress.say(&format!("asking job {job} to end; once more {again}"));
                self.asked = Asked::Cancel;
            }
            (Asked::Cancel, true) => {
                self.progress
                    .say(&format!("killing Terraform of job {job}; once more does not wait for its end"));
                self.asked = Asked::Kill;
            }
            (Asked::Cancel, false) | (Asked::Kill, _) => return Err(self.left("")),
        }
        let kill = self.asked == Asked::Kill;
        let ask = async { if kill { client.kill_job(job).await } else { client.cancel_job(job).await } };
        let answer = tokio::select! {
            answer = ask => answer,
            () = interrupts.next(), if !embedded => {
                return Err(self.left("; the Console did not answer whether it is to end"));
            }
        };
        match answer {
            Ok(_) => Ok(()),
            // It ended in the meantime; the stream will say how.
            Err(error) if error.code() == Some(Code::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The error for a job that nobody here watches any more.
    fn left(&mut self, why: &str) -> anyhow::Error {
        self.progress.abandon();
        let job = self.job;
        let Job { job_type, id, zone, spec, .. } = job;
        let fault = if self.session.is_embedded() {
            eprintln!("the Runner of this job is in this process; it ends Terraform and then itself");
            let back = format!("bring back what it was about to change with `alethia recover {zone}/{spec}`");
            Fault::failure(format!("{job_type} {id} was stopped together with its Runner"))
                .hint(if job_type.is_mutating() { back } else { read_log(job) })
        } else {
            left_running(job, why)
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
