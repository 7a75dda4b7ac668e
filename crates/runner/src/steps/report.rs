//! Hand a plan over: first the file, then what it says and what it was made from.

use alethia_api::runner::ReportPlan;
use alethia_domain::plan::{PlanSummary, sha256_hex};
use bytes::Bytes;

use super::{StepError, plan::PLAN_FILE};
use crate::{job::Job, redact::Redactor, retry::persist};

/// The largest plan file that the Console takes, in bytes.
const LARGEST_FILE: usize = 64 * 1024 * 1024;

pub(super) async fn run(job: &mut Job) -> Result<(), StepError> {
    let path = job.workspace().folder.root().join(PLAN_FILE);
    let file =
        std::fs::read(path).map_err(|error| StepError::runner("the plan file can't be read", &error))?;
    if file.len() > LARGEST_FILE {
        return Err(StepError::Runner(format!(
            "the plan file has {} bytes; at most {LARGEST_FILE} can be kept",
            file.len()
        )));
    }
    let summary = job.plan.as_ref().expect("plan comes before report");
    let report = ReportPlan {
        basis: job.basis().clone(),
        summary: redacted(summary, &job.redactor)?,
        file_sha256: sha256_hex(&file),
    };
    let file = Bytes::from(file);
    persist(&job.stop, || job.client.upload_plan_file(file.clone())).await?;
    persist(&job.stop, || job.client.report_plan(&report)).await?;
    Ok(())
}

fn redacted(summary: &PlanSummary, redactor: &Redactor) -> Result<PlanSummary, StepError> {
    let unreadable = |error| StepError::runner("the plan's summary can't be redacted", &error);
    let mut value = serde_json::to_value(summary).map_err(unreadable)?;
    redactor.json(&mut value);
    serde_json::from_value(value).map_err(unreadable)
}
