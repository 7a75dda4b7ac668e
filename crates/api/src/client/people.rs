//! Calls that people's commands make.

use alethia_domain::{
    ids::{JobId, SpecId, TokenId},
    lifecycle::JobStatus,
};
use reqwest::{Method, header};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{ClientError, Connection, JobStream, read, retry::Outcome};
use crate::{
    IDEMPOTENCY_KEY,
    identities::{CloudIdentity, NewCloudIdentity},
    jobs::{CancelJob, Job, JobQuery, NewJob, Plan},
    keys::Keys,
    logs::{LogChunk, LogQuery},
    page::{Page, PageQuery},
    problem::Code,
    runners::{NewRunner, RegisteredRunner, Runner},
    specs::{PutSpec, Revision, RevisionDetail, RevisionDiff, Rollback, Spec, SpecDetail, SpecQuery},
    states::{Recovery, RestoreState, State, StateVersion, UnlockState},
    tokens::{CreatedToken, NewToken, Token},
    version::Version,
    zones::{ChangeZone, NewZone, Zone},
};

/// The Console as a person's command sees it.
#[derive(Clone, Debug)]
pub struct Client {
    connection: Connection,
}

impl Client {
    /// A client of the Console at `address`, speaking with an API token.
    ///
    /// # Errors
    /// When the address is none. Nothing is sent yet.
    pub fn new(address: &str, token: &str) -> Result<Self, ClientError> {
        Connection::new(address, token).map(|connection| Self { connection: connection.patient() })
    }

    /// Which Console it is.
    pub async fn version(&self) -> Result<Version, ClientError> {
        self.connection.get(&["version"]).await
    }

    /// Zones, newest first.
    pub async fn zones(&self, page: &PageQuery) -> Result<Page<Zone>, ClientError> {
        self.list(&["zones"], page).await
    }

    /// Makes a Zone.
    pub async fn create_zone(&self, zone: &NewZone) -> Result<Zone, ClientError> {
        self.create(&["zones"], zone).await
    }

    /// Changes what a Zone is for, or its limit.
    pub async fn change_zone(&self, name: &str, change: &ChangeZone) -> Result<Zone, ClientError> {
        self.connection.json(self.connection.request(Method::PATCH, &["zones", name]).json(change)).await
    }

    /// Deletes a Zone without live Specs.
    pub async fn delete_zone(&self, name: &str) -> Result<(), ClientError> {
        self.delete(&["zones", name]).await
    }

    /// Specs, newest first.
    pub async fn specs(&self, query: &SpecQuery) -> Result<Page<Spec>, ClientError> {
        self.list(&["specs"], query).await
    }

    /// A Spec by Zone and name.
    pub async fn spec_by_name(&self, zone: &str, name: &str) -> Result<SpecDetail, ClientError> {
        self.connection.get(&["zones", zone, "specs", name]).await
    }

    /// A Spec by id.
    pub async fn spec(&self, spec: SpecId) -> Result<SpecDetail, ClientError> {
        self.connection.get(&["specs", &spec.to_string()]).await
    }

    /// Writes a new Revision; with `expected`, only when that is still the newest.
    pub async fn put_spec(
        &self,
        zone: &str,
        name: &str,
        spec: &PutSpec,
        expected: Option<u32>,
    ) -> Result<SpecDetail, ClientError> {
        let request = self.connection.request(Method::PUT, &["zones", zone, "specs", name]).json(spec);
        self.connection.json(if_match(request, expected)).await
    }

    /// Deletes a Spec that has nothing in the cloud.
    pub async fn delete_spec(&self, spec: SpecId) -> Result<(), ClientError> {
        self.delete(&["specs", &spec.to_string()]).await
    }

    /// Revisions of a Spec, newest first.
    pub async fn revisions(&self, spec: SpecId, page: &PageQuery) -> Result<Page<Revision>, ClientError> {
        self.list(&["specs", &spec.to_string(), "revisions"], page).await
    }

    /// One Revision with its document.
    pub async fn revision(&self, spec: SpecId, number: u32) -> Result<RevisionDetail, ClientError> {
        self.connection.get(&["specs", &spec.to_string(), "revisions", &number.to_string()]).await
    }

    /// What differs between two Revisions; the last two when none is named.
    pub async fn diff(
        &self,
        spec: SpecId,
        from: Option<u32>,
        to: Option<u32>,
    ) -> Result<RevisionDiff, ClientError> {
        let query = crate::specs::DiffQuery { from, to };
        let request =
            self.connection.request(Method::GET, &["specs", &spec.to_string(), "diff"]).query(&query);
        self.connection.json(request).await
    }

    /// Makes an older Revision the newest again.
    pub async fn rollback(&self, spec: SpecId, revision: u32) -> Result<SpecDetail, ClientError> {
        let request = self
            .connection
            .request(Method::POST, &["specs", &spec.to_string(), "rollback"])
            .header(IDEMPOTENCY_KEY, uuid::Uuid::new_v4().to_string())
            .json(&Rollback { revision });
        self.connection.json(request).await
    }

    /// Creates a job of a Spec. The same key never creates a second one.
    pub async fn create_job(&self, spec: SpecId, job: &NewJob, key: &str) -> Result<Job, ClientError> {
        let request = self
            .connection
            .request(Method::POST, &["specs", &spec.to_string(), "jobs"])
            .header(IDEMPOTENCY_KEY, key)
            .json(job);
        self.connection.json(request).await
    }

    /// Jobs, newest first.
    pub async fn jobs(&self, query: &JobQuery) -> Result<Page<Job>, ClientError> {
        self.list(&["jobs"], query).await
    }

    /// A job.
    pub async fn job(&self, job: JobId) -> Result<Job, ClientError> {
        self.connection.get(&["jobs", &job.to_string()]).await
    }

    /// The plan that a PLAN job made.
    pub async fn plan(&self, job: JobId) -> Result<Plan, ClientError> {
        self.connection.get(&["jobs", &job.to_string(), "plan"]).await
    }

    /// Asks to kill what a job runs, after it was asked to end.
    pub async fn kill_job(&self, job: JobId) -> Result<Job, ClientError> {
        let request = self.connection.request(Method::POST, &["jobs", &job.to_string(), "cancel"]);
        self.connection.json(request.json(&CancelJob { force: true })).await
    }

    /// Prepares that a Spec is brought back whose last change was lost or failed.
    pub async fn recover(&self, spec: SpecId, key: &str) -> Result<Recovery, ClientError> {
        let request = self.connection.request(Method::POST, &["specs", &spec.to_string(), "recover"]);
        self.connection.json(request.header(IDEMPOTENCY_KEY, key)).await
    }

    /// Asks to end a job.
    pub async fn cancel_job(&self, job: JobId) -> Result<Job, ClientError> {
        let request = self.connection.request(Method::POST, &["jobs", &job.to_string(), "cancel"]);
        let Outcome { answer, perhaps_done } = self.connection.send_knowing(request, true).await;
        match answer {
            Err(error) if perhaps_done && error.code() == Some(Code::Conflict) => {
                let now = self.job(job).await?;
                if now.status == JobStatus::Cancelled { Ok(now) } else { Err(error) }
            }
            answer => read(answer?).await,
        }
    }

    /// Tries a job again that FAILED or was CANCELLED.
    pub async fn retry_job(&self, job: JobId, key: &str) -> Result<Job, ClientError> {
        let request = self
            .connection
            .request(Method::POST, &["jobs", &job.to_string(), "retry"])
            .header(IDEMPOTENCY_KEY, key);
        self.connection.json(request).await
    }

    /// Log of a job, oldest first.
    pub async fn logs(&self, job: JobId, query: &LogQuery) -> Result<Page<LogChunk>, ClientError> {
        self.list(&["jobs", &job.to_string(), "logs"], query).await
    }

    /// Everything that happens to a job from `last_event_id` on, and its log. Reconnects by itself.
    pub fn follow_job(&self, job: JobId, last_event_id: Option<String>) -> JobStream {
        JobStream::new(self.connection.clone(), job, last_event_id)
    }

    /// Cloud Identities.
    pub async fn identities(&self, page: &PageQuery) -> Result<Page<CloudIdentity>, ClientError> {
        self.list(&["cloud-identities"], page).await
    }

    /// Makes a Cloud Identity.
    pub async fn create_identity(&self, identity: &NewCloudIdentity) -> Result<CloudIdentity, ClientError> {
        self.create(&["cloud-identities"], identity).await
    }

    /// Deletes a Cloud Identity that no Spec uses.
    pub async fn delete_identity(&self, name: &str) -> Result<(), ClientError> {
        self.delete(&["cloud-identities", name]).await
    }

    /// Runners.
    pub async fn runners(&self, page: &PageQuery) -> Result<Page<Runner>, ClientError> {
        self.list(&["runners"], page).await
    }

    /// Registers a Runner; its token is in the answer and nowhere else.
    pub async fn register_runner(&self, runner: &NewRunner) -> Result<RegisteredRunner, ClientError> {
        self.create(&["runners"], runner).await
    }

    /// Removes a Runner; its token is worthless from then on.
    pub async fn remove_runner(&self, name: &str) -> Result<(), ClientError> {
        self.delete(&["runners", name]).await
    }

    /// Which keys there are, what each seals, and which Consoles know it.
    pub async fn keys(&self) -> Result<Keys, ClientError> {
        self.connection.get(&["keys"]).await
    }

    /// Makes a key the one that seals.
    pub async fn rotate_key(&self, id: &str) -> Result<Keys, ClientError> {
        self.connection.json(self.connection.request(Method::POST, &["keys", id, "rotate"])).await
    }

    /// Lets a key go that seals nothing.
    pub async fn remove_key(&self, id: &str) -> Result<(), ClientError> {
        self.delete(&["keys", id]).await
    }

    /// API tokens.
    pub async fn tokens(&self, page: &PageQuery) -> Result<Page<Token>, ClientError> {
        self.list(&["tokens"], page).await
    }

    /// Makes an API token; its secret is in the answer and nowhere else.
    pub async fn create_token(&self, token: &NewToken) -> Result<CreatedToken, ClientError> {
        self.create(&["tokens"], token).await
    }

    /// Revokes an API token.
    pub async fn revoke_token(&self, token: TokenId) -> Result<(), ClientError> {
        self.delete(&["tokens", &token.to_string()]).await
    }

    /// State of a Spec: newest version and lock.
    pub async fn state(&self, spec: SpecId) -> Result<State, ClientError> {
        self.connection.get(&["specs", &spec.to_string(), "state"]).await
    }

    /// Versions of a state, newest first.
    pub async fn state_versions(
        &self,
        spec: SpecId,
        page: &PageQuery,
    ) -> Result<Page<StateVersion>, ClientError> {
        self.list(&["specs", &spec.to_string(), "state", "versions"], page).await
    }

    /// Content of one version of a state.
    pub async fn state_content(&self, spec: SpecId, serial: u64) -> Result<Value, ClientError> {
        let parts = ["specs", &spec.to_string(), "state", "versions", &serial.to_string()];
        self.connection.get(&parts).await
    }

    /// Makes an older version of a state the newest.
    pub async fn restore_state(&self, spec: SpecId, restore: &RestoreState) -> Result<State, ClientError> {
        let request = self
            .connection
            .request(Method::POST, &["specs", &spec.to_string(), "state", "restore"])
            .json(restore);
        self.connection.json(request).await
    }

    /// Releases a lock on a state.
    pub async fn unlock_state(&self, spec: SpecId, unlock: &UnlockState) -> Result<State, ClientError> {
        let request = self
            .connection
            .request(Method::POST, &["specs", &spec.to_string(), "state", "unlock"])
            .json(unlock);
        self.connection.json(request).await
    }

    async fn list<T: DeserializeOwned>(
        &self,
        parts: &[&str],
        query: &impl Serialize,
    ) -> Result<Page<T>, ClientError> {
        self.connection.json(self.connection.request(Method::GET, parts).query(query)).await
    }

    /// A creating POST under a key of its own: each call is meant to create once.
    async fn create<T: DeserializeOwned>(
        &self,
        parts: &[&str],
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let key = uuid::Uuid::new_v4().to_string();
        let request = self.connection.request(Method::POST, parts).header(IDEMPOTENCY_KEY, key).json(body);
        self.connection.json(request).await
    }

    async fn delete(&self, parts: &[&str]) -> Result<(), ClientError> {
        let Outcome { answer, perhaps_done } =
            self.connection.send_knowing(self.connection.request(Method::DELETE, parts), false).await;
        match answer {
            Err(error) if perhaps_done && error.code() == Some(Code::NotFound) => Ok(()),
            answer => answer.map(drop),
        }
    }
}

fn if_match(request: reqwest::RequestBuilder, expected: Option<u32>) -> reqwest::RequestBuilder {
    match expected {
        Some(revision) => request.header(header::IF_MATCH, format!("\"{revision}\"")),
        None => request,
    }
}
