//! Calls that a Runner makes: a claim with its own token, everything else with the token of the attempt.

use std::time::Duration;

use alethia_domain::ids::{JobId, SpecId};
use bytes::Bytes;
use http::{Request, Response};
use reqwest::{Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{ClientError, Connection, POLL_MARGIN, checked};
use crate::runner::{
    AppendLogs, Claim, ClaimRequest, Finish, Heartbeat, HeartbeatReply, ReportPlan, ReportProgress,
};

/// How long a call of the state backend may take, which the Console gives more time than others: a state may be large.
const STATE_TIMEOUT: Duration = Duration::from_secs(600);

/// The Console as a Runner sees it.
#[derive(Clone, Debug)]
pub struct RunnerClient {
    connection: Connection,
}

/// The Console as one attempt at a job sees it.
#[derive(Clone, Debug)]
pub struct JobClient {
    connection: Connection,
    job: String,
}

/// A lock as Terraform describes it.
#[derive(Deserialize)]
struct Held {
    #[serde(rename = "ID")]
    id: String,
}

impl RunnerClient {
    /// A client of the Console at `address`, speaking with a Runner's token.
    ///
    /// # Errors
    /// When the address is none. Nothing is sent yet.
    pub fn new(address: &str, token: &str) -> Result<Self, ClientError> {
        Connection::new(address, token).map(|connection| Self { connection })
    }

    /// Waits for a job, as long as the request says.
    pub async fn claim(&self, request: &ClaimRequest) -> Result<Option<Claim>, ClientError> {
        let timeout = Duration::from_secs(request.wait_seconds.into()) + POLL_MARGIN;
        let call = self.connection.request(Method::POST, &["runner", "claim"]).json(request).timeout(timeout);
        let response = self.connection.send(call).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        let url = response.url().to_string();
        response
            .json()
            .await
            .map(Some)
            .map_err(|source| ClientError::Unreadable { url, source: source.into() })
    }

    /// The client of the attempt that a claim gave.
    pub fn job(&self, claim: &Claim) -> JobClient {
        self.attempt(claim.job_id, &claim.job_token)
    }

    /// The client of an attempt of which only the job and the token are known any more.
    pub fn attempt(&self, job: JobId, token: &str) -> JobClient {
        JobClient { connection: self.connection.with_token(token), job: job.to_string() }
    }
}

impl JobClient {
    /// A client of the Console at `address`, speaking with the token of an attempt at this job.
    ///
    /// # Errors
    /// When the address is none. Nothing is sent yet.
    pub fn new(address: &str, job: JobId, token: &str) -> Result<Self, ClientError> {
        Connection::new(address, token).map(|connection| Self { connection, job: job.to_string() })
    }

    /// Says that the work begins.
    pub async fn start(&self) -> Result<(), ClientError> {
        self.connection.unit(self.call(Method::POST, &["start"])).await
    }

    /// Says that the work goes on, and asks whether it should; waits for the answer as long as the heartbeat says.
    pub async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<HeartbeatReply, ClientError> {
        let timeout = Duration::from_secs(heartbeat.wait_seconds.into()) + POLL_MARGIN;
        self.connection.json(self.call(Method::POST, &["heartbeat"]).json(heartbeat).timeout(timeout)).await
    }

    /// Gives the job back to the queue: it was claimed, and the work did not begin.
    pub async fn release(&self) -> Result<(), ClientError> {
        self.connection.unit(self.call(Method::POST, &["release"])).await
    }

    /// Writes a version of the state in the place of a Terraform of this attempt that could not, and releases the lock.
    /// Terraform may have left its own lock behind; it is used then, since nobody else can have locked the state while
    /// that Terraform worked. Otherwise the lock is taken under the name `lock`. May be repeated.
    pub async fn write_state(&self, spec: SpecId, lock: &str, state: Bytes) -> Result<(), ClientError> {
        let held = self.lock_state(spec, lock).await?;
        let write = self.state(Method::POST, spec).query(&[("ID", held.as_str())]);
        self.connection.unit(write.header(header::CONTENT_TYPE, "application/json").body(state)).await?;
        self.connection.unit(self.state(extension("UNLOCK"), spec).json(&json!({ "ID": held }))).await
    }

    /// Takes the lock of the state; tells the id of the one that is held then.
    async fn lock_state(&self, spec: SpecId, lock: &str) -> Result<String, ClientError> {
        let info = json!({ "ID": lock, "Operation": "rescue", "Who": "runner" });
        let request = self.connection.built(self.state(extension("LOCK"), spec).json(&info))?;
        let response = self.connection.execute(request).await?;
        match response.status() {
            StatusCode::LOCKED => {
                let url = response.url().to_string();
                let held: Held = response
                    .json()
                    .await
                    .map_err(|source| ClientError::Unreadable { url, source: source.into() })?;
                Ok(held.id)
            }
            _ => checked(response).await.map(|_| lock.to_owned()),
        }
    }

    /// Makes a call of the state backend as Terraform made it, and gives back the answer as it came, a refusal too.
    pub async fn pass_on_to_state(
        &self,
        spec: SpecId,
        call: &Request<Bytes>,
    ) -> Result<Response<Bytes>, ClientError> {
        let unreachable = |source| ClientError::Unreachable { url: self.connection.base.to_string(), source };
        let request = self.state(call.method().clone(), spec).headers(call.headers().clone());
        let mut request = self.connection.built(request.body(call.body().clone()))?;
        request.url_mut().set_query(call.uri().query());
        let answer = self.connection.execute(request).await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut passed_on = Response::new(answer.bytes().await.map_err(unreachable)?);
        *passed_on.status_mut() = status;
        *passed_on.headers_mut() = headers;
        Ok(passed_on)
    }

    /// Hands over a state that Terraform could not write, after the attempt was over. The Console keeps it beside the
    /// lock that was left behind; it does not become the current one by itself.
    pub async fn rescue_state(&self, state: Bytes) -> Result<(), ClientError> {
        let request = self
            .call(Method::PUT, &["state", "rescue"])
            .header(header::CONTENT_TYPE, "application/json")
            .body(state);
        self.connection.unit(request).await
    }

    /// Adds to the log.
    pub async fn append_logs(&self, logs: &AppendLogs) -> Result<(), ClientError> {
        self.post("logs", logs).await
    }

    /// Says what happened to components.
    pub async fn report_progress(&self, progress: &ReportProgress) -> Result<(), ClientError> {
        self.post("progress", progress).await
    }

    /// Stores the plan file of this PLAN job.
    pub async fn upload_plan_file(&self, file: Bytes) -> Result<(), ClientError> {
        let request = self
            .call(Method::PUT, &["plan", "file"])
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .body(file);
        self.connection.unit(request).await
    }

    /// Fetches the plan file that this job is bound to.
    pub async fn download_plan_file(&self) -> Result<Bytes, ClientError> {
        self.connection.bytes(self.call(Method::GET, &["plan", "file"])).await
    }

    /// Stores the summary and basis of the plan.
    pub async fn report_plan(&self, plan: &ReportPlan) -> Result<(), ClientError> {
        self.connection.unit(self.call(Method::PUT, &["plan"]).json(plan)).await
    }

    /// Says how the job ended.
    pub async fn finish(&self, finish: &Finish) -> Result<(), ClientError> {
        self.post("finish", finish).await
    }

    /// Id of the job.
    pub fn id(&self) -> JobId {
        self.job.parse().expect("it was printed from an id")
    }

    async fn post(&self, what: &str, body: &impl Serialize) -> Result<(), ClientError> {
        self.connection.unit(self.call(Method::POST, &[what]).json(body)).await
    }

    fn state(&self, method: Method, spec: SpecId) -> reqwest::RequestBuilder {
        self.connection.request(method, &["state", &spec.to_string()]).timeout(STATE_TIMEOUT)
    }

    fn call(&self, method: Method, rest: &[&str]) -> reqwest::RequestBuilder {
        let parts: Vec<&str> = ["runner", "jobs", &self.job].iter().chain(rest).copied().collect();
        self.connection.request(method, &parts)
    }
}

fn extension(method: &str) -> Method {
    Method::from_bytes(method.as_bytes()).expect("its letters are allowed in a method")
}
