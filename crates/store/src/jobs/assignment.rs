//! What a Runner is told of a job that it has just claimed, in one statement: this is read at every claim.

use alethia_domain::{
    access::CloudAccess,
    ids::{CloudIdentityId, JobId},
};
use serde_json::Value;

use crate::{
    Reader, Result,
    db::{Query, found, values},
};

/// What a job works from and on.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// Resolved document, frozen when the job was made.
    pub document: Value,
    /// For a PLAN: of the removal of everything.
    pub destroy: bool,
    /// Plan it applies.
    pub plan_job_id: Option<JobId>,
    /// Cloud Identity it uses.
    pub identity_id: CloudIdentityId,
    /// Revision of that identity.
    pub identity_revision: u32,
    /// The way into the cloud.
    pub access: CloudAccess,
    /// Lineage of the Spec's state; empty when there is none.
    pub state_lineage: String,
    /// Serial of the Spec's state; 0 when there is none.
    pub state_serial: u64,
}

/// What a job works from and on.
///
/// # Errors
/// When there is no such job, or its Cloud Identity is gone.
pub async fn assignment(reader: &impl Reader, id: JobId) -> Result<Assignment> {
    let sql = "SELECT j.snapshot, j.destroy, j.plan_job_id, i.id AS identity_id, i.revision, i.access, \
        COALESCE(v.lineage, '') AS lineage, COALESCE(v.serial, 0) AS serial \
        FROM provision_jobs j JOIN cloud_identities i ON i.id = j.identity_id \
        LEFT JOIN state_versions v ON v.spec_id = j.spec_id AND v.is_current WHERE j.id = $1";
    let row = found(reader.optional(sql, values![id]).await?, "job with a cloud identity", id)?;
    Ok(Assignment {
        document: row.document("snapshot")?,
        destroy: row.get("destroy")?,
        plan_job_id: row.optional_id("plan_job_id")?,
        identity_id: row.id("identity_id")?,
        identity_revision: row.number("revision")?,
        access: row.json("access")?,
        state_lineage: row.get("lineage")?,
        state_serial: row.number("serial")?,
    })
}
