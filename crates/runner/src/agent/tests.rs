use std::thread;

use alethia_domain::lifecycle::JobType;
use alethia_testkit::fake_terraform::{FakeTerraform, Mode};

use super::*;
use crate::{
    test_console::{Mood, TestConsole, claim_of},
    test_runner::TestRunner,
};

fn failed_with(finish: &Finish, reason: FailureReason) -> bool {
    match &finish.outcome {
        Outcome::Failed { failure } => failure.reason == reason,
        Outcome::Success | Outcome::Cancelled => false,
    }
}

#[tokio::test]
async fn a_runner_ends_when_it_is_told_to() {
    let runner = TestRunner::start(FakeTerraform::new()).await;
    runner.job(claim_of(JobType::Plan)).await;
    runner.end().await.unwrap();
}

#[tokio::test]
async fn a_running_job_is_interrupted_and_reported_before_the_runner_ends() {
    let fake = FakeTerraform::new().apply(Mode::Hang);
    let runner = TestRunner::start_with(fake, |config| {
        config.shutdown_grace = Duration::from_millis(50);
        config.cancel_grace = Duration::from_secs(20);
    })
    .await;
    runner.console.set(|received| received.claims.push_back(claim_of(JobType::Deploy)));
    runner.until_it_hangs().await;
    runner.shutdown.cancel();
    let finish = runner.console.finish().await;
    assert!(failed_with(&finish, FailureReason::Runner), "{finish:?}");
    assert!(runner.console.log().contains("interrupted"));
    runner.end().await.unwrap();
}

#[tokio::test]
async fn a_running_job_may_end_by_itself_while_the_runner_drains_and_no_other_begins() {
    let fake = FakeTerraform::new().plan(Mode::Flood(5_000));
    let runner =
        TestRunner::start_with(fake, |config| config.shutdown_grace = Duration::from_secs(3600)).await;
    runner.console.set(|received| received.claims.extend([JobType::Plan, JobType::Plan].map(claim_of)));
    runner.until_called("plan").await;
    runner.shutdown.cancel();
    assert_eq!(runner.console.finish().await.outcome, Outcome::Success);
    assert_eq!(runner.console.received().claims.len(), 1);
    runner.end().await.unwrap();
}

#[tokio::test]
async fn a_job_that_comes_as_the_runner_ends_is_given_back() {
    let runner = TestRunner::start(FakeTerraform::new()).await;
    runner.console.set(|received| received.claim_delay = Duration::from_millis(100));
    runner.console.until("a question waits", |received| received.questions > 1).await;
    runner.console.set(|received| received.claims.push_back(claim_of(JobType::Plan)));
    runner.shutdown.cancel();
    runner.console.until("the job is given back", |received| received.released == 1).await;
    assert_eq!(runner.console.received().started, 0);
    runner.end().await.unwrap();
}

#[tokio::test]
async fn a_runner_without_a_disk_claims_nothing_gives_back_what_comes_and_goes_on_later() {
    let runner = TestRunner::start(FakeTerraform::new()).await;
    runner.console.set(|received| received.claim_delay = Duration::from_millis(100));
    runner.console.until("a question waits", |received| received.questions > 1).await;
    let away = runner.work_dir.with_file_name("away");
    std::fs::rename(&runner.work_dir, &away).unwrap();
    runner.console.set(|received| received.claims.push_back(claim_of(JobType::Plan)));
    runner.console.until("the job is given back", |received| received.released == 1).await;
    let asked = runner.console.received().questions;
    let another = runner.console.until("another question", |received| received.questions > asked);
    tokio::time::timeout(Duration::from_millis(500), another).await.unwrap_err();
    assert_eq!(runner.console.received().started, 0);
    std::fs::rename(&away, &runner.work_dir).unwrap();
    assert_eq!(runner.job(claim_of(JobType::Plan)).await.outcome, Outcome::Success);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_lines_on_a_busy_machine_does_not_cost_the_lease() {
    let _load = Load::begin();
    let runner = TestRunner::start(FakeTerraform::new().plan(Mode::FloodUntilEnough)).await;
    let mut claim = claim_of(JobType::Plan);
    claim.lease_seconds = 3;
    runner.console.set(|received| received.claims.push_back(claim));
    runner.console.until("the flood begins", |received| !received.chunks.is_empty()).await;
    let two_leases = Instant::now() + Duration::from_secs(6);
    runner.console.until("two leases pass", |_| Instant::now() > two_leases).await;
    runner.fake.enough();
    assert_eq!(runner.console.finish().await.outcome, Outcome::Success);
    let log = runner.console.log();
    let flood = log.lines().filter_map(|line| line.strip_prefix("03:04:05 line "));
    let numbers: Vec<usize> =
        flood.filter_map(|line| line.split(' ').next().unwrap_or_default().parse().ok()).collect();
    assert!(numbers.len() > 1000, "{} lines are no flood", numbers.len());
    assert!(numbers.iter().copied().eq(1..=numbers.len()), "lines are missing");
}

/// Until it is dropped, more threads than the machine has cores do nothing, and do it all the time.
struct Load {
    over: CancellationToken,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Load {
    fn begin() -> Self {
        let over = CancellationToken::new();
        let work = || {
            let over = over.clone();
            thread::spawn(move || while !over.is_cancelled() {})
        };
        let cores = thread::available_parallelism().unwrap().get();
        let threads = (0..2 * cores).map(|_| work()).collect();
        Self { over, threads }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.over.cancel();
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
    }
}

#[tokio::test]
async fn who_does_not_wait_for_terraform_leaves_none_behind() {
    let fake = FakeTerraform::new().apply(Mode::IgnoreInterrupt);
    let runner = TestRunner::start_with(fake, |config| {
        config.shutdown_grace = Duration::ZERO;
        config.cancel_grace = Duration::from_secs(3600);
    })
    .await;
    runner.console.set(|received| received.claims.push_back(claim_of(JobType::Deploy)));
    runner.until_it_hangs().await;
    runner.shutdown.cancel();
    runner.abort.cancel();
    let finish = runner.console.finish().await;
    assert!(failed_with(&finish, FailureReason::Runner), "{finish:?}");
    assert_eq!(runner.job_folders(), [""; 0]);
    runner.end().await.unwrap();
}

#[tokio::test]
async fn a_drain_ends_early_for_who_is_in_a_hurry() {
    let fake = FakeTerraform::new().apply(Mode::Hang);
    let runner =
        TestRunner::start_with(fake, |config| config.shutdown_grace = Duration::from_secs(3600)).await;
    runner.console.set(|received| received.claims.push_back(claim_of(JobType::Deploy)));
    runner.until_it_hangs().await;
    runner.shutdown.cancel();
    runner.hurry.cancel();
    let finish = runner.console.finish().await;
    assert!(failed_with(&finish, FailureReason::Runner), "{finish:?}");
    runner.end().await.unwrap();
}

#[tokio::test]
async fn a_console_that_is_away_for_a_moment_is_waited_for() {
    let runner = TestRunner::start(FakeTerraform::new()).await;
    runner.console.set(|received| received.mood = Mood::Unavailable);
    runner.console.set(|received| received.claims.push_back(claim_of(JobType::Plan)));
    tokio::time::timeout(Duration::from_millis(500), runner.console.finish()).await.unwrap_err();
    runner.console.set(|received| received.mood = Mood::Well);
    assert_eq!(runner.console.finish().await.outcome, Outcome::Success);
}

#[tokio::test]
async fn a_panic_in_a_job_is_reported_and_stays_in_it() {
    let console = TestConsole::start().await;
    let (folder, fake) = (tempfile::tempdir().unwrap(), FakeTerraform::new().install().unwrap());
    let (work, cache) = (folder.path().join("work"), folder.path().join("cache"));
    let config = RunnerConfig::new(&console.address, "alr_x", "one", work, cache);
    let tool = Tool::find(Some(&fake.path()), None).await.unwrap();
    let runner = Runner::prepare(config, tool).await.unwrap();
    contain(&runner.shared, &claim_of(JobType::Plan), async { panic!("a fault of the Runner") }).await;
    assert!(failed_with(&console.finish().await, FailureReason::Runner));
}

#[tokio::test]
async fn what_is_missing_is_said_before_any_job_is_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let config = || RunnerConfig::new("http://127.0.0.1:1", "alr_x", "one", folder.path(), folder.path());
    let fake = FakeTerraform::new().install().unwrap();
    let tool = Tool::find(Some(&fake.path()), None).await.unwrap();
    let mut no_address = config();
    no_address.console = "nowhere".to_owned();
    assert!(matches!(Runner::prepare(no_address, tool.clone()).await.err().unwrap(), StartError::Console(_)));
    let mut no_slots = config();
    no_slots.slots = 0;
    assert!(matches!(Runner::prepare(no_slots, tool).await.err().unwrap(), StartError::NoSlots));
}

#[tokio::test]
async fn a_runner_that_is_refused_ends() {
    let runner = TestRunner::start(FakeTerraform::new()).await;
    runner.console.set(|received| received.mood = Mood::Refused);
    let error = runner.ended().await.unwrap_err();
    assert!(matches!(error, RunError::Refused(_)), "{error}");
}
