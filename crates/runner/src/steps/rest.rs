//! After an apply failed: go on with the components that only waited for a part that failed and is not theirs.
//!
//! Terraform orders resources of a module that is used several times for all uses together: when the cluster of one
//! database fails, it makes no instance of any other. So the rest is planned anew for the components that were held up,
//! and applied only if every change in it stands in the plan that was agreed to, and none touches another component.

use alethia_domain::{
    component::ComponentRef,
    lifecycle::Change,
    plan::{PlanSummary, ResourceChange},
};

use super::{
    StepError,
    live::Live,
    plan::{LOCK_TIMEOUT, removes_everything, summarize},
    terraform,
};
use crate::job::Job;

const REST_FILE: &str = "rest.bin";

/// Does what is left of the plan for the components that were held up.
pub(super) async fn run(job: &mut Job, plan: &PlanSummary, live: &mut Live) {
    let held_up = live.held_up();
    let names: Vec<String> = held_up.iter().map(ToString::to_string).collect();
    if names.is_empty() {
        return;
    }
    job.log.write(&format!("going on with what the failure held up: {}", names.join(", "))).await;
    let together = go_on(job, plan, &held_up, live).await;
    if !matches!(together, Ok(false)) {
        return;
    }
    for component in &held_up {
        match go_on(job, plan, std::slice::from_ref(component), live).await {
            Ok(true) => {}
            Ok(false) => job.log.write(&format!("{component} needs what failed, and is left as it is")).await,
            // What went wrong is in the log; the job has failed already.
            Err(_) => return,
        }
    }
}

/// Plans and applies the rest for some components; false when that would do more than was agreed to.
async fn go_on(
    job: &mut Job,
    plan: &PlanSummary,
    components: &[ComponentRef],
    live: &mut Live,
) -> Result<bool, StepError> {
    if let Some(reason) = job.stop.reason() {
        return Err(StepError::Stopped(reason));
    }
    let (out, targets) = (format!("-out={REST_FILE}"), components.iter().map(target).collect::<Vec<_>>());
    let mut arguments = vec!["plan", "-json", "-input=false", "-refresh=false", LOCK_TIMEOUT, &out];
    if removes_everything(job) {
        arguments.push("-destroy");
    }
    arguments.extend(targets.iter().map(String::as_str));
    terraform::run(job, &arguments, |_| {}).await?;
    let rest = summarize(job, REST_FILE).await?;
    if !is_agreed(&rest, plan, components) {
        return Ok(false);
    }
    let arguments = ["apply", "-json", "-input=false", LOCK_TIMEOUT, REST_FILE];
    terraform::run(job, &arguments, |line| live.observe(line)).await?;
    Ok(true)
}

fn target(component: &ComponentRef) -> String {
    let ComponentRef { kind, name } = component;
    if kind.is_singleton() {
        format!("-target=module.{kind}")
    } else {
        format!("-target=module.{kind}[\"{name}\"]")
    }
}

/// Whether every change of the rest is one of the plan, and of these components.
fn is_agreed(rest: &PlanSummary, plan: &PlanSummary, components: &[ComponentRef]) -> bool {
    let stands_in_plan = |resource: &ResourceChange| {
        let agreed = plan.components.iter().flat_map(|component| &component.resources);
        agreed.filter(|agreed| agreed.address == resource.address).any(|agreed| {
            // Of a replacement the removal may be done already.
            agreed.change == resource.change
                || (agreed.change, resource.change) == (Change::Replace, Change::Create)
        })
    };
    rest.components
        .iter()
        .filter(|part| !part.resources.is_empty())
        .all(|part| components.contains(&part.component) && part.resources.iter().all(stands_in_plan))
}
