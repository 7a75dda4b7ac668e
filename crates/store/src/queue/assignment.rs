//! What a Runner is told of the job that it gets. The statement that finds the job reads it too: this happens at every
//! claim.

use alethia_domain::{
    access::CloudAccess,
    ids::{CloudIdentityId, JobId},
};
use serde_json::Value;

use crate::{
    Result,
    db::{Row, found},
    plans::{self, Plan},
};

/// What a job works from and on.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// Resolved document, frozen when the job was made.
    pub document: Value,
    /// For a PLAN: of the removal of everything.
    pub destroy: bool,
    /// Plan it applies.
    pub plan: Option<Plan>,
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

/// Columns that an [`Assignment`] is read from, where `j` is the job.
pub(super) const COLUMNS: &str = "j.snapshot, j.destroy, j.plan_job_id, j.identity_id, i.revision, i.access, \
    COALESCE(v.lineage, '') AS lineage, COALESCE(v.serial, 0) AS serial, p.digest, p.basis, p.summary, p.file_sha256";

/// What they come from besides. Nothing of it must be there for the job to be found.
pub(super) const JOINS: &str = "LEFT JOIN cloud_identities i ON i.id = j.identity_id \
    LEFT JOIN state_versions v ON v.spec_id = j.spec_id AND v.is_current LEFT JOIN plans p ON p.job_id = j.plan_job_id";

impl Assignment {
    /// # Errors
    /// When its Cloud Identity or its plan is gone, or something can't be read.
    pub(super) fn from_row(row: &Row) -> Result<Self> {
        let identity_id = row.id("identity_id")?;
        let plan: Option<JobId> = row.optional_id("plan_job_id")?;
        Ok(Self {
            document: row.document("snapshot")?,
            destroy: row.get("destroy")?,
            plan: plan.map(|job| plans::plan(row, job)).transpose()?,
            identity_id,
            identity_revision: found(row.optional_number("revision")?, "cloud identity", identity_id)?,
            access: row.json("access")?,
            state_lineage: row.get("lineage")?,
            state_serial: row.number("serial")?,
        })
    }
}
