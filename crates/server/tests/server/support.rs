//! A Console for one test, and the moves that most tests begin with.

use std::time::Duration;

use alethia_api::{
    client::{Client, ClientError, JobClient, RunnerClient},
    jobs::{Job, NewJob},
    problem::{Code, Problem},
    runner::{Claim, ClaimRequest, Finish, Outcome, ReportPlan},
    runners::NewRunner,
    specs::{PutSpec, SpecDetail},
    tokens::NewToken,
};
use alethia_domain::{
    ids::{JobId, SpecId},
    lifecycle::{FailureReason, JobType},
    plan::{PlanBasis, PlanSummary, Totals, canonical_json, sha256_hex},
    role::Role,
};
use alethia_server::{Config, Server};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A Console with its owner's client.
pub(crate) struct Console {
    pub(crate) server: Server,
    pub(crate) client: Client,
    http: reqwest::Client,
    folder: TempDir,
}

/// A job that a test has as its Runner.
pub(crate) struct Taken {
    pub(crate) claim: Claim,
    pub(crate) job: JobClient,
}

impl Console {
    /// On SQLite.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// On a PostgreSQL database of its own.
    pub(crate) async fn on_postgres() -> Self {
        let server = alethia_testkit::postgres::Postgres::shared().unwrap();
        let database = server.create_database().unwrap();
        Self::with(|config| config.database = database).await
    }

    /// Two on one PostgreSQL database, one folder of blobs and one key; each with a data folder of its own.
    pub(crate) async fn two() -> (Self, Self) {
        let database = alethia_testkit::postgres::Postgres::shared().unwrap().create_database().unwrap();
        let first = Self::with(|config| config.database = database.clone()).await;
        let shared = Config::new(first.folder.path());
        let second = Self::with(|config| {
            std::fs::copy(shared.master_key_file(), config.master_key_file()).unwrap();
            config.database = database;
            config.blobs = shared.blobs;
        });
        let second = second.await;
        (first, second)
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::new(folder.path());
        change(&mut config);
        let server = Server::start(config).await.unwrap();
        let client = Client::new(&server.url(), server.owner_token()).unwrap();
        Self { server, client, http: reqwest::Client::new(), folder }
    }

    /// A raw request without a token; `path` begins with `/`.
    pub(crate) fn open_request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.server.url()))
    }

    /// A raw request of the owner below `/api/v1`.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.open_request(method, &format!("/api/v1{path}")).bearer_auth(self.server.owner_token())
    }

    /// A token of a role.
    pub(crate) async fn token(&self, role: Role) -> String {
        let new = NewToken { name: format!("a-{role}"), role, expires_at: None };
        self.client.create_token(&new).await.unwrap().secret
    }

    /// A Runner without labels.
    pub(crate) async fn runner(&self) -> RunnerClient {
        let new = NewRunner { name: "runner".to_owned(), labels: Vec::new() };
        let registered = self.client.register_runner(&new).await.unwrap();
        RunnerClient::new(&self.server.url(), &registered.token).unwrap()
    }

    /// The token of a Runner without labels.
    pub(crate) async fn runner_token(&self, name: &str) -> String {
        let new = NewRunner { name: name.to_owned(), labels: Vec::new() };
        self.client.register_runner(&new).await.unwrap().token
    }

    /// Writes a document.
    pub(crate) async fn put(&self, document: Value) -> SpecDetail {
        let name = document["name"].as_str().unwrap().to_owned();
        let put = PutSpec { document, message: None };
        self.client.put_spec("default", &name, &put, None).await.unwrap()
    }

    pub(crate) async fn create_job(&self, spec: SpecId, job_type: JobType) -> Job {
        self.client.create_job(spec, &new_job(job_type), &key()).await.unwrap()
    }

    /// A DEPLOY that ended like this.
    pub(crate) async fn deploy(&self, runner: &RunnerClient, spec: SpecId, finish: &Finish) -> JobId {
        let job = self.create_job(spec, JobType::Deploy).await.id;
        take_and_start(runner).await.job.finish(finish).await.unwrap();
        job
    }

    pub(crate) async fn job(&self, id: JobId) -> Job {
        self.client.job(id).await.unwrap()
    }

    pub(crate) async fn spec(&self, id: SpecId) -> SpecDetail {
        self.client.spec(id).await.unwrap()
    }

    /// A PLAN that ended with success.
    pub(crate) async fn plan(&self, runner: &RunnerClient, spec: SpecId, destroy: bool) -> Job {
        let new = NewJob { destroy, ..new_job(JobType::Plan) };
        let plan = self.client.create_job(spec, &new, &key()).await.unwrap();
        let taken = take(runner).await;
        assert_eq!(taken.claim.job_id, plan.id);
        taken.job.start().await.unwrap();
        taken.job.upload_plan_file(b"a plan file".as_slice().into()).await.unwrap();
        taken.job.report_plan(&taken.report()).await.unwrap();
        taken.job.finish(&success()).await.unwrap();
        self.job(plan.id).await
    }
}

impl Taken {
    /// What the job's plan was made from, as far as a test can know.
    pub(crate) fn report(&self) -> ReportPlan {
        let Claim { document, identity, state, .. } = &self.claim;
        ReportPlan {
            basis: PlanBasis {
                snapshot: sha256_hex(&canonical_json(document)),
                bundle: "bundle".to_owned(),
                lock_file: "lock file".to_owned(),
                tool: "terraform 1.11.4".to_owned(),
                identity: identity.clone(),
                state_lineage: state.lineage.clone(),
                state_serial: state.serial,
            },
            summary: PlanSummary {
                totals: Totals { create: 2, ..Totals::default() },
                ..PlanSummary::default()
            },
            file_sha256: sha256_hex(b"a plan file"),
        }
    }
}

/// A small document of a production environment.
pub(crate) fn production() -> Value {
    let mut document = document(&["orders"]);
    document["stage"] = "production".into();
    document
}

/// A small document with these queues.
pub(crate) fn document(queues: &[&str]) -> Value {
    let queues: Vec<Value> = queues.iter().map(|name| json!({ "name": name })).collect();
    json!({
        "apiVersion": "alethia/v1",
        "kind": "Spec",
        "name": "shop",
        "stage": "development",
        "cloud": { "provider": "aws", "region": "eu-west-1", "identity": "sandbox" },
        "queues": queues,
    })
}

pub(crate) fn new_job(job_type: JobType) -> NewJob {
    NewJob::new(job_type)
}

/// An Idempotency-Key that was never used.
pub(crate) fn key() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A claim that waits so long.
pub(crate) fn claim_request(wait_seconds: u16) -> ClaimRequest {
    ClaimRequest {
        contract: alethia_api::CONTRACT_VERSION,
        version: "0.1.0".to_owned(),
        tool: "terraform 1.11.4".to_owned(),
        wait_seconds,
    }
}

/// Takes the job that waits.
pub(crate) async fn take(runner: &RunnerClient) -> Taken {
    let claim = runner.claim(&claim_request(10)).await.unwrap().expect("a job waits");
    Taken { job: runner.job(&claim), claim }
}

/// Takes the job that waits and starts it.
pub(crate) async fn take_and_start(runner: &RunnerClient) -> Taken {
    let taken = take(runner).await;
    taken.job.start().await.unwrap();
    taken
}

pub(crate) fn success() -> Finish {
    Finish { outcome: Outcome::Success, components: Vec::new(), outputs: Vec::new() }
}

/// Terraform said no.
pub(crate) fn failure(message: &str) -> Finish {
    Finish { outcome: Outcome::failed(FailureReason::Terraform, message), ..success() }
}

/// The problem that a call was refused with.
pub(crate) fn refused<T>(result: Result<T, ClientError>) -> Problem {
    match result {
        Ok(_) => panic!("it was not refused"),
        Err(ClientError::Refused(problem)) => *problem,
        Err(other) => panic!("no refusal: {other:?}"),
    }
}

/// The code that a call was refused with.
pub(crate) fn code<T>(result: Result<T, ClientError>) -> Code {
    refused(result).code
}

/// The problem in a raw answer.
pub(crate) async fn problem(request: RequestBuilder) -> Problem {
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let status = response.status().as_u16();
    let problem: Problem = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(problem.status, status);
    problem
}

/// Waits until something holds; at most ten seconds.
pub(crate) async fn eventually<F: Future<Output = bool>>(holds: impl Fn() -> F) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("it holds in time");
}
