//! The claim loop: so many slots, each asks for a job, works on it, and asks again, until the Runner is to end. Nobody asks
//! while the disk is full.
//!
//! One job never harms another: a panic in a job ends that job alone. A Console that can't be reached is waited for; one
//! that refuses this Runner ends it.

use std::{collections::BTreeMap, io, pin::pin, sync::Arc, time::Duration};

use alethia_api::{
    CONTRACT_VERSION,
    client::{ClientError, RunnerClient},
    problem::Code,
    runner::{Claim, ClaimRequest, Finish, Outcome},
};
use alethia_domain::lifecycle::FailureReason;
use tokio::{task::JoinSet, time::Instant};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    config::RunnerConfig,
    courier,
    init_cache::InitCache,
    job,
    lease::Heart,
    retry::persist,
    stop::StopSignal,
    tool::Tool,
    workdir::{WorkDirError, WorkDirs},
};

/// Pause after a claim that failed; doubled at each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Shortest time from one empty answer to the next question.
const CLAIM_PAUSE: Duration = Duration::from_millis(200);
/// How often it is seen whether a disk that was full has room again.
const ROOM_PAUSE: Duration = Duration::from_secs(1);
/// How long a Runner that ends waits for the answer to its last question, and for giving back what that brought.
const LATE_CLAIM: Duration = Duration::from_millis(250);
const RELEASE_PATIENCE: Duration = Duration::from_secs(5);

/// The execution agent.
pub struct Runner {
    shared: Arc<Shared>,
}

/// What all jobs of a Runner share.
pub(crate) struct Shared {
    pub config: RunnerConfig,
    pub console: RunnerClient,
    /// The same for heartbeats alone, whose connections nothing else holds up.
    pub heartbeats: RunnerClient,
    pub heart: Heart,
    pub tool: Tool,
    pub work: WorkDirs,
    pub cache: InitCache,
    /// The Runner's own environment.
    pub environment: BTreeMap<String, String>,
    /// Cancelled when jobs that run are to end.
    pub hurry: CancellationToken,
    /// Cancelled when they are to end at once.
    pub abort: CancellationToken,
}

/// Why a Runner can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no place to work.
    #[error(transparent)]
    WorkDir(#[from] WorkDirError),
    /// There is no place for providers.
    #[error("the cache folder {path} can't be used: {source}")]
    Cache {
        /// Which folder.
        path: String,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// The address of the Console is none.
    #[error(transparent)]
    Console(#[from] ClientError),
    /// There is no thread for the leases.
    #[error("no thread can be started: {0}")]
    Thread(#[source] io::Error),
    /// It is to work on no job at a time.
    #[error("a Runner needs at least one slot; 0 were given")]
    NoSlots,
}

/// Why a Runner ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The Console wants nothing of it.
    #[error("the Console refused this Runner: {0}")]
    Refused(#[source] ClientError),
    /// A slot broke.
    #[error("a slot of the Runner broke: {0}")]
    Broken(#[source] tokio::task::JoinError),
}

impl Runner {
    /// A Runner that does its jobs with this tool. Looks whether everything else is there: folders, an address. Nothing is
    /// sent yet.
    ///
    /// # Errors
    /// When something is missing; the message says what and how to provide it.
    pub async fn prepare(config: RunnerConfig, tool: Tool) -> Result<Self, StartError> {
        Self::prepare_in(config, tool, own_environment()).await
    }

    /// The same in an environment that is not this process's own.
    pub(crate) async fn prepare_in(
        config: RunnerConfig,
        tool: Tool,
        environment: BTreeMap<String, String>,
    ) -> Result<Self, StartError> {
        if config.slots == 0 {
            return Err(StartError::NoSlots);
        }
        let work_dir = config.work_dir.clone();
        let work = tokio::task::spawn_blocking(move || WorkDirs::open(&work_dir))
            .await
            .expect("opening a work folder does not panic")?;
        let cache = InitCache::open(&config.cache_dir)
            .map_err(|source| StartError::Cache { path: config.cache_dir.display().to_string(), source })?;
        let console = RunnerClient::new(&config.console, &config.token)?;
        let heartbeats = RunnerClient::new(&config.console, &config.token)?;
        let heart = Heart::start().map_err(StartError::Thread)?;
        let (hurry, abort) = (CancellationToken::new(), CancellationToken::new());
        let shared =
            Shared { config, console, heartbeats, heart, tool, work, cache, environment, hurry, abort };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The tool that runs the jobs.
    pub fn tool(&self) -> &Tool {
        &self.shared.tool
    }

    /// Cancelled by a caller who no longer waits for the drain: jobs that run then are interrupted and reported.
    pub fn hurry(&self) -> CancellationToken {
        self.shared.hurry.clone()
    }

    /// Cancelled by a caller who no longer waits for Terraform: it is killed then, and the jobs are reported.
    pub fn abort(&self) -> CancellationToken {
        self.shared.abort.clone()
    }

    /// Works on jobs until `shutdown` is cancelled. Then no job is claimed any more; running ones have the grace of the
    /// configuration to end, are interrupted after it, and are reported before this returns.
    ///
    /// # Errors
    /// When the Console refuses the Runner.
    pub async fn run(&self, shutdown: CancellationToken) -> Result<(), RunError> {
        let ending = shutdown.child_token();
        let courier = courier::run(Arc::clone(&self.shared), ending.clone());
        let _courier = AbortOnDropHandle::new(tokio::spawn(courier));
        let mut slots = JoinSet::new();
        for _ in 0..self.shared.config.slots {
            slots.spawn(serve(Arc::clone(&self.shared), ending.clone()));
        }
        let name = &self.shared.config.name;
        tracing::info!(name, tool = %self.shared.tool, slots = slots.len(), "the Runner waits for jobs");
        let mut result = Ok(());
        while let Some(ended) = slots.join_next().await {
            if let Err(error) = ended.map_err(RunError::Broken).flatten() {
                // The first error counts; the other slots finish what they have.
                ending.cancel();
                result = result.and(Err(error));
            }
        }
        result
    }
}

/// One slot.
async fn serve(shared: Arc<Shared>, ending: CancellationToken) -> Result<(), RunError> {
    let request = ClaimRequest {
        contract: CONTRACT_VERSION,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        tool: shared.tool.to_string(),
        wait_seconds: shared.config.poll_seconds.min(30),
    };
    let mut pause = FIRST_PAUSE;
    while !ending.is_cancelled() {
        let Some(takes) = ending.run_until_cancelled(takes_a_job(&shared)).await else { break };
        if !takes {
            ending.run_until_cancelled(tokio::time::sleep(ROOM_PAUSE)).await;
            continue;
        }
        let asked = Instant::now();
        let mut claim = pin!(shared.console.claim(&request));
        let claimed = tokio::select! {
            biased;
            () = ending.cancelled() => {
                give_back_late(&shared, claim).await;
                return Ok(());
            }
            claimed = &mut claim => claimed,
        };
        let next = match claimed {
            Ok(Some(claim)) => {
                pause = FIRST_PAUSE;
                // The Console may have held its answer for long.
                if takes_a_job(&shared).await {
                    let job = job::run(Arc::clone(&shared), claim.clone(), ending.clone());
                    contain(&shared, &claim, job).await;
                } else {
                    give_back(&shared, &claim, "the disk is full").await;
                }
                continue;
            }
            Ok(None) => {
                pause = FIRST_PAUSE;
                asked + CLAIM_PAUSE
            }
            Err(error) if is_final(&error) => return Err(RunError::Refused(error)),
            Err(error) => {
                tracing::warn!(%error, "no job could be asked for; trying again");
                let next = Instant::now() + pause;
                pause = (pause * 2).min(LONGEST_PAUSE);
                next
            }
        };
        tokio::select! {
            () = ending.cancelled() => {}
            () = tokio::time::sleep_until(next) => {}
        }
    }
    Ok(())
}

/// Whether there is room for another job; a disk may be slow to say.
async fn takes_a_job(shared: &Arc<Shared>) -> bool {
    let shared = Arc::clone(shared);
    let look = tokio::task::spawn_blocking(move || shared.work.takes_a_job());
    look.await.expect("looking at a disk does not panic")
}

/// A job may come in the very moment in which the Runner is told to end.
async fn give_back_late(shared: &Shared, claim: impl Future<Output = Result<Option<Claim>, ClientError>>) {
    let patience = shared.config.shutdown_grace.min(LATE_CLAIM);
    if let Ok(Ok(Some(claim))) = tokio::time::timeout(patience, claim).await {
        give_back(shared, &claim, "the Runner ends").await;
    }
}

/// Another Runner is to have the job, and at once.
async fn give_back(shared: &Shared, claim: &Claim, why: &str) {
    let client = shared.console.job(claim);
    match tokio::time::timeout(RELEASE_PATIENCE, client.release()).await {
        Ok(Ok(())) => tracing::info!(job = %claim.job_id, why, "gave back a job"),
        Ok(Err(error)) => tracing::warn!(job = %claim.job_id, %error, "a job could not be given back"),
        Err(_) => tracing::warn!(job = %claim.job_id, "a job could not be given back in time"),
    }
}

/// Works on a job in a task of its own, so that a panic in it stays in it.
async fn contain(shared: &Arc<Shared>, claim: &Claim, job: impl Future<Output = ()> + Send + 'static) {
    if let Err(error) = AbortOnDropHandle::new(tokio::spawn(job)).await {
        tracing::error!(job = %claim.job_id, %error, "the Runner failed in the middle of a job");
        report_panic(shared, claim).await;
    }
}

async fn report_panic(shared: &Arc<Shared>, claim: &Claim) {
    let message = "the Runner failed in the middle of the job; its own log says where";
    let finish = Finish {
        outcome: Outcome::failed(FailureReason::Runner, message),
        components: Vec::new(),
        outputs: Vec::new(),
    };
    let (client, stop) = (shared.console.job(claim), StopSignal::new());
    let told = persist(&stop, || client.finish(&finish));
    let patience = Duration::from_secs(claim.lease_seconds.into());
    match tokio::time::timeout(patience, told).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(job = %claim.job_id, %error, "the end of the job was not taken"),
        Err(_) => tracing::error!(job = %claim.job_id, "the end of the job could not be told in time"),
    }
}

/// Whether asking again makes no sense.
fn is_final(error: &ClientError) -> bool {
    match error.code() {
        // A conflict is one of versions.
        Some(Code::Unauthenticated | Code::Forbidden | Code::Invalid | Code::NotFound | Code::Conflict) => {
            true
        }
        Some(
            Code::PreconditionFailed
            | Code::IdempotencyMismatch
            | Code::LeaseLost
            | Code::StateLocked
            | Code::TooLarge
            | Code::Unavailable
            | Code::Internal,
        )
        | None => false,
    }
}

/// What of this process's environment is text.
fn own_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests;
