//! Find out what would change, or fetch a plan that was made before and check that it still fits.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use alethia_api::runner::PlanReference;
use alethia_domain::{
    lifecycle::JobType,
    plan::{PlanSummary, sha256_hex},
};
use alethia_terraform::plan_json;

use super::{StepError, terraform};
use crate::{job::Job, retry::persist, workdir::private_file};

/// Name of the plan file in the root.
pub(super) const PLAN_FILE: &str = "plan.bin";
/// How long Terraform waits for the lock of the state.
pub(super) const LOCK_TIMEOUT: &str = "-lock-timeout=30s";
/// File with the plan as JSON.
const PLAN_JSON: &str = "plan.json";
/// The largest plan or state as JSON that is read, in bytes.
pub(super) const LARGEST_JSON: u64 = 512 * 1024 * 1024;

/// Makes a plan and reads what it says.
pub(super) async fn run(job: &mut Job) -> Result<(), StepError> {
    let out = format!("-out={PLAN_FILE}");
    let mut arguments = vec!["plan", "-json", "-input=false", LOCK_TIMEOUT, &out];
    if removes_everything(job) {
        arguments.push("-destroy");
    }
    terraform::run(job, &arguments, |_| {}).await?;
    let summary = summarize(job).await?;
    job.plan = Some(summary);
    Ok(())
}

/// Checks that the plan which the job is bound to would be made the same again.
pub(super) fn check(job: &Job) -> Result<PlanReference, StepError> {
    let reference = job.claim.plan.clone().expect("only a bound job has this step");
    let differences = job.basis().differences(&reference.basis);
    if differences.is_empty() { Ok(reference) } else { Err(StepError::Outdated(differences)) }
}

/// Fetches the plan that the job is bound to.
pub(super) async fn fetch(job: &mut Job) -> Result<(), StepError> {
    let reference = check(job)?;
    let file = persist(&job.stop, || job.client.download_plan_file()).await?;
    if sha256_hex(&file) != reference.file_sha256 {
        return Err(StepError::Runner("the plan file that came is not the one that was made".to_owned()));
    }
    let path = job.workspace().folder.root().join(PLAN_FILE);
    let write = || io::copy(&mut &file[..], &mut private_file(&path)?);
    write().map_err(|error| StepError::runner("the plan file can't be written", &error))?;
    job.plan = Some(reference.summary);
    Ok(())
}

/// Whether the job is about the removal of the whole Spec.
pub(super) fn removes_everything(job: &Job) -> bool {
    job.claim.destroy || job.claim.job_type == JobType::Destroy
}

async fn summarize(job: &mut Job) -> Result<PlanSummary, StepError> {
    let path = job.workspace().folder.root().join(PLAN_JSON);
    let unreadable = |error: io::Error| StepError::runner("the plan can't be read", &error);
    let output = private_file(&path).map_err(unreadable)?;
    terraform::run_into(job, &["show", "-json", "-no-color", PLAN_FILE], output).await?;
    let json = read_at_most(&path, LARGEST_JSON).map_err(unreadable)?;
    plan_json::summarize(&json, &job.workspace().document)
        .map_err(|error| StepError::runner("the plan can't be read", &error))
}

/// A whole file, unless it is larger than it may be.
pub(super) fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}
