//! Make the environment of Terraform, with the way into the state and the cloud.

use super::StepError;
use crate::{
    credentials::{Sources, environment},
    job::{Job, lease_length},
};

pub(super) fn run(job: &mut Job) -> Result<(), StepError> {
    let (shared, claim) = (&job.shared, &job.claim);
    let folder = &job.workspace().folder;
    let environment = environment(&Sources {
        own: &shared.environment,
        sandbox: &shared.config.sandbox_environment,
        access: &claim.access,
        state: &shared.console.state_address(claim.spec_id),
        token: &claim.job_token,
        lease: lease_length(claim),
        home: &folder.home(),
        temporary: &folder.temporary(),
    });
    let environment = environment.map_err(|error| StepError::Runner(error.to_string()))?;
    job.workspace_mut().environment = environment;
    Ok(())
}
