//! One job from its claim to its end: the list of steps, one look between two of them whether to stop, one place where
//! errors become the outcome.
//!
//! While the steps run, the lease is kept, the log and the progress are carried. What must stay true: the end is told once
//! everything else has been, and nothing is told after the lease was lost.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

use alethia_api::{
    client::JobClient,
    runner::{Claim, ComponentOutputs, ComponentReport, Finish, Outcome},
};
use alethia_domain::{
    lifecycle::FailureReason,
    plan::{PlanBasis, PlanSummary},
    spec::Document,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    agent::Shared,
    credentials::secrets,
    guard::{Backend, Limits},
    lease::Lease,
    log::Log,
    progress::{self, Carrier, Progress},
    redact::Redactor,
    retry::{CallError, persist},
    steps::{Step, StepError, steps},
    stop::{Stop, StopSignal},
    workdir::JobDir,
};

/// The longest message of a failure, in bytes.
const LONGEST_MESSAGE: usize = 8 * 1024;

/// How long the end of a job waits for a Console that takes nothing of the log, though it may take heartbeats.
const LOG_PATIENCE: Duration = Duration::from_secs(20 * 60);

/// A job that is being worked on.
pub(crate) struct Job {
    /// What all jobs of this Runner share.
    pub shared: Arc<Shared>,
    /// What the Console said.
    pub claim: Claim,
    /// The way to say something back.
    pub client: JobClient,
    /// Why it is to stop, if it is.
    pub stop: StopSignal,
    /// Cancelled when the Runner is to end.
    pub ending: CancellationToken,
    /// Its log.
    pub log: Log,
    /// Its progress.
    pub progress: Progress,
    /// What must not show.
    pub redactor: Arc<Redactor>,
    /// Until when Terraform may run.
    pub limits: watch::Receiver<Limits>,
    /// The state that it works on.
    pub backend: Backend,
    /// Where it works; there once it is prepared.
    pub workspace: Option<Workspace>,
    /// What a plan of now is made from; there once the root is ready.
    pub basis: Option<PlanBasis>,
    /// What is about to change; there once it is planned.
    pub plan: Option<PlanSummary>,
    /// The last word on components.
    pub components: Vec<ComponentReport>,
    /// What they gave out.
    pub outputs: Vec<ComponentOutputs>,
}

/// Where a job works.
pub(crate) struct Workspace {
    /// Its folder.
    pub folder: JobDir,
    /// The document.
    pub document: Document,
    /// The environment of Terraform.
    pub environment: BTreeMap<String, String>,
}

/// Works on a job until it has ended and the Console knows. `ending` is cancelled when the Runner is to end.
pub(crate) async fn run(shared: Arc<Shared>, claim: Claim, ending: CancellationToken) {
    let (client, stop) = (shared.console.job(&claim), StopSignal::new());
    let step = watch::Sender::new("prepare");
    let heartbeats = shared.heartbeats.job(&claim);
    let lease = Lease::keep(&shared.heart, heartbeats, lease_length(&claim), step.subscribe(), stop.clone());
    tracing::info!(job = %claim.job_id, job_type = %claim.job_type, attempt = claim.attempt, "claimed a job");
    if let Err(error) = persist(&stop, || client.start()).await {
        // Most often it was cancelled between claim and start.
        tracing::info!(job = %claim.job_id, %error, "the job is not ours to start");
        return;
    }
    let (mut job, carrier) = Job::open(shared, claim, client, stop, ending, lease.limits());
    let outcome = job.work(&step).await;
    job.end(outcome, carrier).await;
    drop(lease);
}

impl Job {
    fn open(
        shared: Arc<Shared>,
        claim: Claim,
        client: JobClient,
        stop: StopSignal,
        ending: CancellationToken,
        limits: watch::Receiver<Limits>,
    ) -> (Self, Carrier) {
        let spool = shared.work.spool();
        let backend = Backend::of(&claim, &shared.config.console);
        let secrets = secrets(&shared.environment, &shared.config.token, &backend);
        let redactor = Redactor::new(secrets);
        let log = Log::open(client.clone(), claim.attempt, redactor.clone(), stop.clone(), spool);
        let (progress, carrier) = progress::open(client.clone(), stop.clone());
        let job = Self {
            shared,
            claim,
            client,
            stop,
            ending,
            log,
            progress,
            redactor: Arc::new(redactor),
            limits,
            backend,
            workspace: None,
            basis: None,
            plan: None,
            components: Vec::new(),
            outputs: Vec::new(),
        };
        (job, carrier)
    }

    /// Where the job works.
    pub(crate) fn workspace(&self) -> &Workspace {
        self.workspace.as_ref().expect("prepare is the first step of every list")
    }

    /// Where the job works, to be changed.
    pub(crate) fn workspace_mut(&mut self) -> &mut Workspace {
        self.workspace.as_mut().expect("prepare is the first step of every list")
    }

    /// What a plan of now is made from.
    pub(crate) fn basis(&self) -> &PlanBasis {
        self.basis.as_ref().expect("init comes before every step that needs it")
    }

    /// Walks the steps while watching the clock; `None` when nothing may be said any more.
    async fn work(&mut self, step: &watch::Sender<&'static str>) -> Option<Outcome> {
        let Some(list) = steps(self.claim.job_type, self.claim.plan.is_some()) else {
            let message = format!("this Runner does not do {} jobs", self.claim.job_type);
            return Some(Outcome::failed(FailureReason::Runner, message));
        };
        let shared = Arc::clone(&self.shared);
        let ending = self.ending.clone();
        let drained = drained(&ending, shared.config.shutdown_grace, &shared.hurry);
        let clock = watch_clock(self.stop.clone(), shared.config.job_timeout, drained, &shared.abort);
        let walked = tokio::select! {
            walked = self.walk(list, step) => walked,
            never = clock => match never {},
        };
        match walked {
            Ok(()) => Some(Outcome::Success),
            Err(error) => error.outcome(&self.claim).map(|outcome| self.redacted(outcome)),
        }
    }

    async fn walk(&mut self, list: &[Step], now: &watch::Sender<&'static str>) -> Result<(), StepError> {
        for step in list {
            if let Some(reason) = self.stop.reason() {
                return Err(StepError::Stopped(reason));
            }
            now.send_replace(step.as_str());
            self.progress.step(step.as_str());
            self.log.write(&format!("== {} ==", step.as_str())).await;
            step.run(self).await?;
        }
        Ok(())
    }

    fn redacted(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Failed { mut failure } => {
                let message = self.redactor.text(&failure.message);
                failure.message = message[..message.floor_char_boundary(LONGEST_MESSAGE)].to_owned();
                Outcome::Failed { failure }
            }
            Outcome::Success | Outcome::Cancelled => outcome,
        }
    }

    /// Tells the end. A Runner that is to end itself does not wait for a Console that is away.
    async fn end(self, outcome: Option<Outcome>, carrier: Carrier) {
        let (stop, impatience) = (self.stop.clone(), self.impatience());
        tokio::pin!(impatience);
        let told = self.tell_end(outcome, carrier);
        tokio::pin!(told);
        tokio::select! {
            () = &mut told => return,
            () = impatience => stop.raise(Stop::Over),
        }
        told.await;
    }

    /// Resolves when the Runner is to end and does not wait for the Console any more.
    pub(crate) fn impatience(&self) -> impl Future<Output = ()> + use<> {
        let (shared, ending, lease) =
            (Arc::clone(&self.shared), self.ending.clone(), lease_length(&self.claim));
        async move {
            drained(&ending, shared.config.shutdown_grace, &shared.hurry).await;
            tokio::time::sleep(lease).await;
        }
    }

    async fn tell_end(mut self, outcome: Option<Outcome>, carrier: Carrier) {
        // Nobody needs the folder any more, and the disk takes its time.
        let workspace = self.workspace.take();
        let removal = tokio::task::spawn_blocking(|| drop(workspace));
        let removed = async { removal.await.expect("removing a folder does not panic") };
        let Some(outcome) = outcome.filter(|_| !self.stop.is_over()) else {
            tracing::warn!(job = %self.claim.job_id, "the attempt is over; the job is no longer ours");
            return removed.await;
        };
        self.log.write(&last_line(&outcome)).await;
        let lost = self.log.close(LOG_PATIENCE).await;
        carrier.close().await;
        let outcome = with_loss(outcome, lost);
        let outputs = if outcome == Outcome::Success { self.outputs } else { Vec::new() };
        let end = Finish { outcome, components: self.components, outputs };
        // The folder goes before the Console hears of the end: whoever waits for the end finds it gone.
        removed.await;
        finish(&self.client, &self.stop, &end).await;
    }
}

async fn finish(client: &JobClient, stop: &StopSignal, end: &Finish) {
    let job = client.id();
    match persist(stop, || client.finish(end)).await {
        Ok(()) => tracing::info!(%job, outcome = ?end.outcome, "the job has ended"),
        // Also when an answer to an earlier try was lost on the way: the attempt is over then.
        Err(CallError::LeaseLost) => {
            tracing::warn!(%job, "the attempt was over before its end was confirmed");
        }
        Err(CallError::Refused(error)) => {
            tracing::error!(%job, %error, "the Console refused the end of the job");
        }
    }
}

/// Length of the lease, at least a second.
pub(crate) fn lease_length(claim: &Claim) -> Duration {
    Duration::from_secs(claim.lease_seconds.max(1).into())
}

/// Raises the reasons that come from the clock and from the end of the Runner.
async fn watch_clock(
    stop: StopSignal,
    timeout: Duration,
    drained: impl Future<Output = ()>,
    abort: &CancellationToken,
) -> Infallible {
    tokio::select! {
        () = tokio::time::sleep(timeout) => stop.raise(Stop::Timeout),
        () = drained => stop.raise(Stop::Shutdown),
    }
    abort.cancelled().await;
    stop.raise(Stop::Abort);
    std::future::pending().await
}

/// Resolves when the Runner is to end and what runs has had its time.
async fn drained(ending: &CancellationToken, grace: Duration, hurry: &CancellationToken) {
    ending.cancelled().await;
    tokio::select! {
        () = tokio::time::sleep(grace) => {}
        () = hurry.cancelled() => {}
    }
}

/// A failure also says that its log has gaps. A job that went well has gone well; its log says it alone.
fn with_loss(outcome: Outcome, lost: u64) -> Outcome {
    match outcome {
        Outcome::Failed { mut failure } if lost > 0 => {
            failure
                .message
                .push_str(&format!("\n{lost} lines of the log were lost: the Runner's disk is full"));
            Outcome::Failed { failure }
        }
        Outcome::Success | Outcome::Failed { .. } | Outcome::Cancelled => outcome,
    }
}

fn last_line(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Success => "== done ==".to_owned(),
        Outcome::Cancelled => "== cancelled ==".to_owned(),
        Outcome::Failed { failure } => {
            let hint = failure.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            format!("== failed ==\n{}{hint}", failure.message)
        }
    }
}

#[cfg(test)]
mod tests;
