//! Do what the plan says, tell how it goes, and keep what came of it.

use std::sync::Arc;

use super::{
    StepError,
    live::Live,
    plan::{LOCK_TIMEOUT, PLAN_FILE, removes_everything},
    rescue, terraform,
};
use crate::job::Job;

pub(super) async fn run(job: &mut Job) -> Result<(), StepError> {
    let plan = job.plan.take().expect("a plan was made or fetched before");
    let destroy = removes_everything(job);
    let mut live = Live::new(&plan, destroy, job.progress.clone(), Arc::clone(&job.redactor));
    let arguments = ["apply", "-json", "-input=false", LOCK_TIMEOUT, PLAN_FILE];
    let ended = terraform::run(job, &arguments, |line| live.observe(line)).await;
    rescue::deliver_state(job).await;
    match ended {
        Ok(()) => {
            (job.components, job.outputs) = live.succeeded();
            Ok(())
        }
        Err(error) => {
            job.components = live.failed();
            Err(error)
        }
    }
}
