//! Make the environment of Terraform, with the way into the cloud.

use super::StepError;
use crate::{
    credentials::{Sources, environment},
    job::Job,
};

pub(super) fn run(job: &mut Job) -> Result<(), StepError> {
    let (shared, claim) = (&job.shared, &job.claim);
    let folder = &job.workspace().folder;
    let environment = environment(&Sources {
        own: &shared.environment,
        sandbox: &shared.config.sandbox_environment,
        access: &claim.access,
        home: &folder.home(),
        temporary: &folder.temporary(),
    });
    let environment = environment.map_err(|error| StepError::Runner(error.to_string()))?;
    job.workspace_mut().environment = environment;
    Ok(())
}
