//! A Runner for tests: with a fake Terraform, against a Console for tests, working until the test is over.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use alethia_api::runner::{Claim, Finish};
use alethia_testkit::fake_terraform::{FakeTerraform, Installed};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{RunError, Runner, RunnerConfig, Tool, guard, test_console::TestConsole};

pub(crate) struct TestRunner {
    pub console: TestConsole,
    pub fake: Installed,
    pub shutdown: CancellationToken,
    pub hurry: CancellationToken,
    pub abort: CancellationToken,
    pub work_dir: PathBuf,
    running: JoinHandle<Result<(), RunError>>,
    _folder: TempDir,
}

impl TestRunner {
    pub(crate) async fn start(fake: FakeTerraform) -> Self {
        Self::start_with(fake, |_| {}).await
    }

    pub(crate) async fn start_with(fake: FakeTerraform, adjust: impl FnOnce(&mut RunnerConfig)) -> Self {
        let (console, folder, fake) =
            (TestConsole::start().await, tempfile::tempdir().unwrap(), fake.install().unwrap());
        let work_dir = folder.path().join("work");
        let cache_dir = folder.path().join("cache");
        let token = "alr_token-of-the-runner";
        let mut config = RunnerConfig::new(&console.address, token, "one", &work_dir, cache_dir);
        config.guard = guard::tests::program();
        config.poll_seconds = 1;
        config.cancel_grace = Duration::from_millis(100);
        config.sandbox_environment =
            BTreeMap::from([("ALETHIA_SANDBOX_CLOUD".to_owned(), "/cloud".to_owned())]);
        adjust(&mut config);
        let environment = BTreeMap::from([
            ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), "planted-cloud-key".to_owned()),
        ]);
        let tool = Tool::find(Some(&fake.path()), None).await.unwrap();
        let runner = Runner::prepare_in(config, tool, environment).await.unwrap();
        let (shutdown, hurry, abort) = (CancellationToken::new(), runner.hurry(), runner.abort());
        let until = shutdown.clone();
        let running = tokio::spawn(async move { runner.run(until).await });
        Self { console, fake, shutdown, hurry, abort, work_dir, running, _folder: folder }
    }

    /// Does a job and says how it ended.
    pub(crate) async fn job(&self, claim: Claim) -> Finish {
        let before = self.console.received().finishes.len();
        self.console.set(|received| received.claims.push_back(claim));
        self.console.until("the job ends", |received| received.finishes.len() > before).await;
        self.console.received().finishes[before].clone()
    }

    /// Ends the Runner and waits for it.
    pub(crate) async fn end(self) -> Result<(), RunError> {
        self.shutdown.cancel();
        self.running.await.unwrap()
    }

    /// Waits until the Runner ends by itself.
    pub(crate) async fn ended(self) -> Result<(), RunError> {
        tokio::time::timeout(Duration::from_secs(20), self.running).await.unwrap().unwrap()
    }

    /// Waits until the fake hangs.
    pub(crate) async fn until_it_hangs(&self) {
        Self::until(|| !self.fake.hanging().is_empty()).await;
    }

    /// Waits until the fake is asked for this.
    pub(crate) async fn until_called(&self, command: &str) {
        Self::until(|| self.fake.calls().iter().any(|call| call.starts_with(command))).await;
    }

    async fn until(condition: impl Fn() -> bool) {
        let wait = async {
            while !condition() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
    }

    /// Names of the folders of jobs.
    pub(crate) fn job_folders(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.work_dir).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with("job-")).collect()
    }
}
