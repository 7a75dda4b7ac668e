//! Make the working folder and write the root into it.

use alethia_api::runner::Claim;
use alethia_domain::{lifecycle::JobType, spec::Document};
use alethia_terraform::render::{self, RenderedRoot};

use super::StepError;
use crate::{
    job::{Job, Workspace},
    shelf::Ticket,
};

pub(super) fn run(job: &mut Job) -> Result<(), StepError> {
    let claim = &job.claim;
    let document: Document = serde_json::from_value(claim.document.clone())
        .map_err(|error| StepError::runner("this Runner can't read the Spec document", &error))?;
    let folder =
        job.shared.work.job(claim.job_id).map_err(|error| StepError::runner("no working folder", &error))?;
    Ticket::of(claim)
        .leave_in(folder.path())
        .map_err(|error| StepError::runner("the working folder can't be written", &error))?;
    root(claim, &document)
        .write(&folder.root())
        .map_err(|error| StepError::runner("the Terraform root can't be written", &error))?;
    job.workspace = Some(Workspace { folder, document, environment: Default::default() });
    Ok(())
}

fn root(claim: &Claim, document: &Document) -> RenderedRoot {
    if claim.job_type == JobType::Destroy {
        render::render_for_removal(document, claim.spec_id, &claim.access)
    } else {
        render::render(document, claim.spec_id, &claim.access)
    }
}
