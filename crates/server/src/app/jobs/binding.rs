//! Whether a plan still fits: what a DEPLOY or DESTROY is bound to must be what it would be made from now.
//!
//! The Console checks what it knows: the snapshot, the Cloud Identity, the state. The Runner checks all of it again,
//! with its own templates, lock file and tool.

use alethia_domain::{
    ids::{CloudIdentityId, JobId},
    lifecycle::{JobStatus, JobType},
    plan::PlanBasis,
};
use alethia_store::{Tx, identities::CloudIdentity, jobs, plans, specs, states};

use crate::error::{Error, Result};

/// A Cloud Identity as a plan's basis names it.
pub(in crate::app) fn identity_of(id: CloudIdentityId, revision: u32) -> String {
    format!("{id}@{revision}")
}

/// Refuses a plan that is not one of this Spec for this job type, or was made from something else than there is now.
pub(super) async fn must_fit(
    tx: &Tx,
    plan: JobId,
    spec: &specs::Spec,
    job_type: JobType,
    snapshot_hash: &str,
    identity: &CloudIdentity,
) -> Result<()> {
    let job = jobs::get(tx, plan).await?;
    must_be_plan_of(&job, spec, job_type)?;
    let made_from = plans::get(tx, plan).await?.basis;
    let state = states::current(tx, spec.id).await?;
    let (lineage, serial) = state.map_or_else(Default::default, |state| (state.lineage, state.serial));
    let now = PlanBasis {
        snapshot: snapshot_hash.to_owned(),
        identity: identity_of(identity.id, identity.revision),
        state_lineage: lineage,
        state_serial: serial,
        ..made_from.clone()
    };
    match made_from.differences(&now).as_slice() {
        [] => Ok(()),
        changed => Err(Error::Conflict {
            detail: format!("the plan no longer fits: {} changed since it was made", changed.join(", ")),
            permitted: vec!["plan"],
            hint: Some(format!("alethia plan {}/{}", spec.zone, spec.name)),
        }),
    }
}

fn must_be_plan_of(job: &jobs::Job, spec: &specs::Spec, job_type: JobType) -> Result<()> {
    let refuse = |message: String| Err(Error::field("plan_job_id", message));
    if job.job_type != JobType::Plan {
        return refuse(format!("job {} is a {}, not a PLAN", job.id, job.job_type));
    }
    if job.spec_id != spec.id {
        return refuse(format!("job {} is a plan of another Spec", job.id));
    }
    if job.destroy != (job_type == JobType::Destroy) {
        return refuse(format!("job {} is not a plan for a {job_type}", job.id));
    }
    if job.status != JobStatus::Success {
        return Err(Error::conflict(format!("the plan job {} is {}, not SUCCESS", job.id, job.status)));
    }
    Ok(())
}
