//! Make the working folder and write the root into it.

use alethia_domain::spec::Document;
use alethia_terraform::render;

use super::StepError;
use crate::job::{Job, Workspace};

pub(super) fn run(job: &mut Job) -> Result<(), StepError> {
    let claim = &job.claim;
    let document: Document = serde_json::from_value(claim.document.clone())
        .map_err(|error| StepError::runner("this Runner can't read the Spec document", &error))?;
    let folder =
        job.shared.work.job(claim.job_id).map_err(|error| StepError::runner("no working folder", &error))?;
    render::render(&document, claim.spec_id, &claim.access)
        .write(&folder.root())
        .map_err(|error| StepError::runner("the Terraform root can't be written", &error))?;
    job.workspace = Some(Workspace { folder, document, environment: Default::default() });
    Ok(())
}
