//! What a job does, as a list of steps for each job type.
//!
//! A step does one thing with the job and knows nothing of the others but what they left in it. `job` walks the list,
//! looks between two steps whether the job is to stop, and turns the first error into the job's outcome.

mod apply;
mod credentials;
mod init;
mod live;
mod plan;
mod prepare;
mod release;
mod report;
mod rescue;
mod terraform;

use alethia_api::{
    client::ClientError,
    runner::{Claim, Outcome},
};
use alethia_domain::{
    event::Failure,
    lifecycle::{FailureReason, JobType},
};

use serde_json::Value;

use crate::{job::Job, retry::CallError, stop::Stop};

/// One step of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Make the working folder and write the root into it.
    Prepare,
    /// Make the environment with the way into the cloud.
    Credentials,
    /// Make the root ready for Terraform.
    Init,
    /// Find out what would change.
    Plan,
    /// Check that the plan which the job is bound to still fits.
    CheckPlan,
    /// Fetch that plan, once it fits.
    FetchPlan,
    /// Lift protections from deletion.
    Release,
    /// Do what the plan says.
    Apply,
    /// Hand the plan over.
    Report,
}

/// Why a step ended the job.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    /// The job was to stop.
    #[error("the job was stopped")]
    Stopped(Stop),
    /// Terraform said no.
    #[error("{}", .0.message)]
    Terraform(Failure),
    /// The plan no longer fits.
    #[error("the plan no longer fits: {} changed since it was made", .0.join(", "))]
    Outdated(Vec<&'static str>),
    /// The Console did not take something.
    #[error("the Console refused: {0}")]
    Refused(ClientError),
    /// The Runner could not do its part.
    #[error("{0}")]
    Runner(String),
}

/// The steps of a job; `None` for a type that this Runner does not do.
pub(crate) fn steps(job_type: JobType, has_plan: bool) -> Option<&'static [Step]> {
    use Step::{Apply, CheckPlan, Credentials, FetchPlan, Init, Plan, Prepare, Release, Report};
    match (job_type, has_plan) {
        (JobType::Plan, _) => Some(&[Prepare, Credentials, Init, Plan, Report]),
        (JobType::Deploy, true) => Some(&[Prepare, Credentials, Init, FetchPlan, Apply]),
        (JobType::Deploy, false) => Some(&[Prepare, Credentials, Init, Plan, Apply]),
        // Lifting protections writes the state, so the plan of the removal of everything is made after it.
        (JobType::Destroy, true) => Some(&[Prepare, Credentials, Init, CheckPlan, Release, Plan, Apply]),
        (JobType::Destroy, false) => Some(&[Prepare, Credentials, Init, Release, Plan, Apply]),
        (
            JobType::ConnectionTest
            | JobType::FetchResources
            | JobType::Bootstrap
            | JobType::DeployWorker
            | JobType::DestroyWorker,
            _,
        ) => None,
    }
}

impl Step {
    /// The word in progress reports and the log.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Credentials => "credentials",
            Self::Init => "init",
            Self::Plan => "plan",
            Self::CheckPlan => "check plan",
            Self::FetchPlan => "fetch plan",
            Self::Release => "release",
            Self::Apply => "apply",
            Self::Report => "report",
        }
    }

    /// Does it.
    pub(crate) async fn run(self, job: &mut Job) -> Result<(), StepError> {
        match self {
            Self::Prepare => prepare::run(job),
            Self::Credentials => credentials::run(job),
            Self::Init => init::run(job).await,
            Self::Plan => plan::run(job).await,
            Self::CheckPlan => plan::check(job).map(drop),
            Self::FetchPlan => plan::fetch(job).await,
            Self::Release => release::run(job).await,
            Self::Apply => apply::run(job).await,
            Self::Report => report::run(job).await,
        }
    }
}

impl StepError {
    /// What the Runner could not do, and why.
    pub(crate) fn runner(what: &str, error: &dyn std::error::Error) -> Self {
        Self::Runner(format!("{what}: {error}"))
    }

    /// How a job ends with it; `None` when nothing may be said any more.
    pub(crate) fn outcome(self, claim: &Claim) -> Option<Outcome> {
        let message = self.to_string();
        let failed = |reason, message: String, hint: Option<String>| {
            Some(Outcome::Failed { failure: Failure { reason, message, address: None, hint } })
        };
        let retry = || Some(format!("alethia jobs retry {}", claim.job_id));
        let recover = || if claim.job_type.is_mutating() { Some(recovery(claim)) } else { retry() };
        match self {
            Self::Stopped(Stop::Over) => None,
            Self::Stopped(Stop::Cancel | Stop::Kill) => Some(Outcome::Cancelled),
            Self::Stopped(Stop::Timeout) => failed(
                FailureReason::Timeout,
                "the job took longer than this Runner allows".to_owned(),
                retry(),
            ),
            Self::Stopped(Stop::Shutdown) => {
                failed(FailureReason::Runner, "the Runner was ended while the job ran".to_owned(), retry())
            }
            Self::Stopped(Stop::LeaseEnding) => failed(
                FailureReason::RunnerLost,
                "the Runner could not reach the Console for too long and stopped Terraform".to_owned(),
                recover(),
            ),
            Self::Stopped(Stop::LeaseLost) => failed(
                FailureReason::RunnerLost,
                "the Runner could not reach the Console for too long and killed Terraform".to_owned(),
                recover(),
            ),
            Self::Stopped(Stop::Abort) => failed(
                FailureReason::Runner,
                "the Runner was ended while the job ran and did not wait for Terraform".to_owned(),
                recover(),
            ),
            Self::Terraform(failure) => Some(Outcome::Failed { failure }),
            Self::Outdated(_) => failed(
                FailureReason::PlanOutdated,
                message,
                Some("make a new plan with `alethia plan`, or run `alethia apply` again".to_owned()),
            ),
            Self::Refused(error) => {
                let hint = match &error {
                    ClientError::Refused(problem) => problem.hint.clone(),
                    ClientError::Unreachable { .. }
                    | ClientError::NotAConsole { .. }
                    | ClientError::Unreadable { .. }
                    | ClientError::Silent { .. }
                    | ClientError::Address(_) => None,
                };
                failed(FailureReason::Runner, message, hint)
            }
            Self::Runner(_) => failed(FailureReason::Runner, message, None),
        }
    }
}

/// What brings a Spec back whose change broke off.
fn recovery(claim: &Claim) -> String {
    let word = |key: &str| claim.document.get(key).and_then(Value::as_str).unwrap_or_default();
    format!("alethia recover {}/{}", word("zone"), word("name"))
}

impl From<CallError> for StepError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::LeaseLost => Self::Stopped(Stop::Over),
            CallError::Refused(error) => Self::Refused(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_console::claim_of;

    #[test]
    fn every_list_prepares_first_and_a_bound_deployment_never_plans() {
        for job_type in JobType::ALL {
            for has_plan in [false, true] {
                let Some(list) = steps(job_type, has_plan) else { continue };
                assert_eq!(list[..3], [Step::Prepare, Step::Credentials, Step::Init]);
                let plans = list.contains(&Step::Plan);
                assert_eq!(plans, job_type != JobType::Deploy || !has_plan, "{job_type}");
                assert_eq!(list.contains(&Step::Apply), job_type.is_mutating(), "{job_type}");
            }
        }
    }

    #[test]
    fn an_attempt_that_is_over_says_nothing_and_an_outdated_plan_says_what_changed() {
        let claim = claim_of(JobType::Deploy);
        assert_eq!(StepError::Stopped(Stop::Over).outcome(&claim), None);
        let outcome = StepError::Outdated(vec!["the state", "the templates"]).outcome(&claim);
        let Some(Outcome::Failed { failure }) = outcome else { panic!("no failure") };
        assert_eq!(failure.reason, FailureReason::PlanOutdated);
        assert!(failure.message.contains("the state, the templates changed"), "{}", failure.message);
    }

    #[test]
    fn a_change_that_broke_off_is_to_be_recovered_and_a_plan_made_again() {
        for (job_type, hint) in
            [(JobType::Deploy, "alethia recover default/shop"), (JobType::Plan, "alethia jobs retry ")]
        {
            let outcome = StepError::Stopped(Stop::LeaseLost).outcome(&claim_of(job_type));
            let Some(Outcome::Failed { failure }) = outcome else { panic!("no failure") };
            assert!(failure.hint.as_ref().unwrap().starts_with(hint), "{failure:?}");
        }
    }
}
