//! What a Runner and the Console say to each other.
//!
//! A claim is authorised by the Runner's token. Everything about a job is authorised by the job token that came with the
//! claim: it is good for that attempt alone, so every write is fenced by it. A stale one gets 409 `lease_lost`.

use alethia_domain::{
    access::CloudAccess,
    component::ComponentRef,
    event::Failure,
    ids::{JobId, SpecId},
    lifecycle::{ComponentEvent, FailureReason, JobType},
    plan::{PlanBasis, PlanSummary},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::logs::LogChunk;

/// `POST /runner/claim`: wait for a job, at most `wait_seconds`. 200 with a `Claim`, or 204 when there was none.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimRequest {
    /// The Runner's contract version.
    pub contract: u32,
    /// The Runner's version.
    pub version: String,
    /// Its tool, such as `terraform 1.11.4`.
    pub tool: String,
    /// How long to wait, 0 to 30.
    pub wait_seconds: u16,
}

/// A job that the Runner now has.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Claim {
    /// The job.
    pub job_id: JobId,
    /// What it does.
    pub job_type: JobType,
    /// Spec it works on.
    pub spec_id: SpecId,
    /// The attempt: the fence of every write.
    pub attempt: u32,
    /// Token for everything about this attempt.
    pub job_token: String,
    /// Until when the attempt is valid without a heartbeat.
    pub lease_expires_at: DateTime<Utc>,
    /// Length of the lease in seconds; a heartbeat every tenth of it leaves time to try again.
    pub lease_seconds: u32,
    /// Resolved document, frozen when the job was made.
    pub document: Value,
    /// For a PLAN: of the removal of everything.
    pub destroy: bool,
    /// Way into the cloud.
    pub access: CloudAccess,
    /// Id and revision of the Cloud Identity, for the plan's basis.
    pub identity: String,
    /// Plan to apply exactly, for a DEPLOY or DESTROY.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanReference>,
    /// State as the Console has it, for the plan's basis.
    pub state: StateReference,
}

/// Plan that a job is bound to.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PlanReference {
    /// PLAN job that made it.
    pub job_id: JobId,
    /// What it was made from; the plan is applied only while all of it still holds.
    pub basis: PlanBasis,
    /// What it would change.
    pub summary: PlanSummary,
    /// SHA-256 of the plan file.
    pub file_sha256: String,
}

/// Which state there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StateReference {
    /// Its lineage; empty when there is none.
    pub lineage: String,
    /// Its serial; 0 when there is none.
    pub serial: u64,
}

/// `POST /runner/jobs/{id}/heartbeat`: the Runner still works on it. Also tells how far it is. The lease is renewed at
/// once; the answer may be held until there is something to say.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Step that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// How long the answer is held while there is nothing new to do, 0 to 30 seconds.
    #[serde(default)]
    pub wait_seconds: u16,
    /// What the Runner was told last: only another instruction ends the wait.
    #[serde(default)]
    pub told: Instruction,
}

/// Answer to a heartbeat.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HeartbeatReply {
    /// What to do now.
    pub instruction: Instruction,
    /// Until when the attempt is now valid.
    pub lease_expires_at: DateTime<Utc>,
}

/// What a Runner is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Instruction {
    /// Go on.
    #[default]
    Continue,
    /// End the work in an orderly way, then report CANCELLED.
    Cancel,
    /// End the work at once, whatever it leaves behind, then report CANCELLED. Since contract 2.
    Kill,
}

/// `POST /runner/jobs/{id}/logs`: chunks in order. Repeated sequence numbers are ignored.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppendLogs {
    /// The chunks, at most 64.
    pub chunks: Vec<LogChunk>,
}

/// `POST /runner/jobs/{id}/progress`: what happened to components and how far the job is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportProgress {
    /// Step that runs.
    pub step: String,
    /// Resources that are done.
    pub done: u32,
    /// Resources in all.
    pub total: u32,
    /// What happened to components, in order.
    #[serde(default)]
    pub components: Vec<ComponentReport>,
}

/// What happened to one component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ComponentReport {
    /// Which.
    pub component: ComponentRef,
    /// What.
    pub event: ComponentEvent,
    /// Why, for a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Resources of it that are done.
    pub done: u32,
    /// Resources of it in all.
    pub total: u32,
}

/// `PUT /runner/jobs/{id}/plan`: a plan's summary and basis. The file goes to `PUT /runner/jobs/{id}/plan/file` before.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportPlan {
    /// What it was made from.
    pub basis: PlanBasis,
    /// What it would change.
    pub summary: PlanSummary,
    /// SHA-256 of the plan file.
    pub file_sha256: String,
}

/// `POST /runner/jobs/{id}/finish`: how the job ended. Outputs are those of the components.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Finish {
    /// How it ended.
    pub outcome: Outcome,
    /// Final word on components, in order.
    #[serde(default)]
    pub components: Vec<ComponentReport>,
    /// What exists now, by component; only of a DEPLOY.
    #[serde(default)]
    pub outputs: Vec<ComponentOutputs>,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "status", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// Well.
    Success,
    /// With an error.
    Failed {
        /// Which.
        failure: Failure,
    },
    /// As it was asked to.
    Cancelled,
}

/// Outputs of one component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ComponentOutputs {
    /// Which.
    pub component: ComponentRef,
    /// Endpoints, ARNs and the like; never a secret value.
    pub outputs: Map<String, Value>,
}

impl Outcome {
    /// An end with an error that has no address and no hint.
    pub fn failed(reason: FailureReason, message: impl Into<String>) -> Self {
        Self::Failed { failure: Failure { reason, message: message.into(), address: None, hint: None } }
    }
}
