//! `apply`: the main job. Store the document, plan, show, ask, deploy exactly that plan, tell what now exists.
//!
//! Without changes no job is created that could mutate anything. A Spec that is not ACTIVE yet is deployed even with an
//! empty plan, and so is a new Revision that changes nothing in the cloud: that is how it is recorded as deployed.

use alethia_api::{
    jobs::Job,
    specs::{Component, SpecDetail},
};
use alethia_domain::{
    lifecycle::{ComponentStatus, JobStatus, JobType, SpecStatus},
    plan::PlanSummary,
    spec::Parsed,
    stage::Stage,
};
use clap::Args;
use serde::Serialize;

use super::plan::{self, JobArgs};
use crate::{
    ask, follow,
    output::{self, Paint, component_tone, inline},
    revise,
    session::{self, Needs, Session},
    settings::Settings,
    target::Target,
};

/// What to apply.
#[derive(Debug, Args)]
#[command(
    after_help = "ZONE/NAME applies the newest Revision as the Console has it, such as one after `spec rollback`.\n\
                  Ctrl-C once asks to cancel the job. Twice leaves it running and says how to come back; without a Console, \
                  where the Runner is in this command, it kills Terraform, and `alethia recover` goes on from there."
)]
pub(crate) struct ApplyArgs {
    /// Spec file, `-` for stdin, or ZONE/NAME
    #[arg(value_name = "FILE")]
    target: Target,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Why; kept with the Revision
    #[arg(long, short, value_name = "TEXT")]
    message: Option<String>,
    #[command(flatten)]
    job: JobArgs,
}

/// What came out, as one document.
#[derive(Serialize)]
pub(crate) struct Report<'a> {
    /// The Spec afterwards.
    pub(crate) spec: &'a SpecDetail,
    /// The plan.
    pub(crate) plan: &'a PlanSummary,
    /// The job that carried it out, if one was needed.
    pub(crate) job: Option<&'a Job>,
    /// Whether a job carried it out.
    pub(crate) changed: bool,
}

/// Outputs that people look for first, best first.
const KEY_OUTPUTS: [&str; 8] =
    ["endpoint", "reader_endpoint", "url", "repository_url", "domain", "name_servers", "vpc_id", "arn"];
/// How many outputs a component's line shows.
const OUTPUTS_SHOWN: usize = 2;

/// Applies a file, or a Spec as the Console has it.
pub(crate) async fn run(settings: &Settings, args: ApplyArgs) -> anyhow::Result<()> {
    let parsed = args.target.read()?;
    session::with(settings, Needs::Runner, async |session| {
        apply(settings, session, &args, parsed.as_ref()).await
    })
    .await
}

async fn apply(
    settings: &Settings,
    session: &Session,
    args: &ApplyArgs,
    parsed: Option<&Parsed>,
) -> anyhow::Result<()> {
    let spec = match parsed {
        Some(parsed) => revise::put(session, parsed, args.message.clone()).await?,
        None => args.target.fetch(session).await?,
    };
    let planned = plan::plan(session, &spec, &args.job, false).await?;
    plan::show(settings, &spec, &planned.plan)?;
    if is_done(&spec, &planned.plan) {
        return report(settings, session, &spec, &planned.plan, None).await;
    }
    if !planned.plan.is_empty() {
        ask::agree(&format!("Apply this to {}/{}?", spec.spec.zone, spec.spec.name), args.yes)?;
    }
    let job = planned.carry_out(session, JobType::Deploy, None, &args.job).await?;
    report(settings, session, &spec, &planned.plan, Some(job)).await
}

/// Whether there is nothing left to do, not even to record that.
fn is_done(spec: &SpecDetail, plan: &PlanSummary) -> bool {
    plan.is_empty()
        && spec.spec.status == SpecStatus::Active
        && spec.spec.deployed_revision == Some(spec.spec.revision)
}

/// Prints what exists now; the job's own outcome is the command's.
pub(crate) async fn report(
    settings: &Settings,
    session: &Session,
    before: &SpecDetail,
    plan: &PlanSummary,
    job: Option<Job>,
) -> anyhow::Result<()> {
    let spec = session.client().spec(before.spec.id).await?;
    let report = Report { spec: &spec, plan, job: job.as_ref(), changed: job.is_some() };
    output::print(settings.output.value, &report, || {
        settings.typed.in_text(&components(&spec, Paint::stdout()))
    })?;
    let Some(job) = job else { return Ok(()) };
    let job = follow::succeeded(job)?;
    next_steps(settings, &spec, &job);
    Ok(())
}

/// Every component with its status and what people need of it.
pub(crate) fn components(spec: &SpecDetail, paint: Paint) -> String {
    let mut lines = vec![format!("{}/{} is {}", spec.spec.zone, spec.spec.name, spec.spec.status)];
    if let Some(reason) = &spec.spec.status_reason {
        lines.push(reason.clone());
    }
    let gone_with_it = spec.spec.status == SpecStatus::Destroyed;
    let shown: Vec<&Component> = spec
        .components
        .iter()
        .filter(|component| gone_with_it || component.status != ComponentStatus::Destroyed)
        .collect();
    if !shown.is_empty() {
        lines.push(String::new());
        let width = shown.iter().map(|component| component.component.to_string().len()).max().unwrap_or(0);
        lines.extend(shown.into_iter().map(|component| component_line(component, width, paint)));
    }
    lines.join("\n")
}

fn component_line(component: &Component, width: usize, paint: Paint) -> String {
    let status = format!("{:<10}", component.status.as_str());
    let status = paint.paint(component_tone(component.status), &status);
    let detail = match (&component.status_reason, component.status) {
        (Some(reason), _) => reason.lines().next().unwrap_or_default().to_owned(),
        (None, ComponentStatus::Destroyed) => String::new(),
        (
            None,
            ComponentStatus::Pending
            | ComponentStatus::Creating
            | ComponentStatus::Active
            | ComponentStatus::Updating
            | ComponentStatus::Failed
            | ComponentStatus::Destroying,
        ) => key_outputs(component),
    };
    let name = component.component.to_string();
    format!("  {name:<width$} {status} {detail}").trim_end().to_owned()
}

fn key_outputs(component: &Component) -> String {
    let known = KEY_OUTPUTS.iter().filter_map(|key| component.outputs.get_key_value(*key));
    let others = component.outputs.iter().filter(|(key, _)| !KEY_OUTPUTS.contains(&key.as_str()));
    let told = known.chain(others).filter(|(_, value)| !value.is_null()).take(OUTPUTS_SHOWN);
    told.map(|(key, value)| format!("{key}={}", inline(value))).collect::<Vec<_>>().join("  ")
}

fn next_steps(settings: &Settings, spec: &SpecDetail, job: &Job) {
    let name = format!("{}/{}", spec.spec.zone, spec.spec.name);
    if job.job_type == JobType::Destroy || job.status != JobStatus::Success {
        return;
    }
    let confirm = match spec.spec.stage {
        Stage::Production => format!(" --confirm {}", spec.spec.name),
        Stage::Development | Stage::Staging => String::new(),
    };
    settings.typed.tell(&format!(
        "\nNext:\n  \
         all outputs      alethia spec get {name} --output yaml\n  \
         change it        edit the file, then `alethia apply` it again\n  \
         its jobs         alethia jobs list --spec {name}\n  \
         remove it all    alethia destroy {name}{confirm}"
    ));
}

#[cfg(test)]
mod tests {
    use alethia_domain::component::{ComponentKind, ComponentRef};
    use chrono::DateTime;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_component_shows_the_outputs_that_people_need_first() {
        let outputs =
            json!({"arn": "arn:aws:rds", "name": "orders", "endpoint": "orders.example", "port": 5432});
        let component = Component {
            component: ComponentRef::named(ComponentKind::Database, "orders"),
            status: ComponentStatus::Active,
            status_reason: None,
            outputs: outputs.as_object().unwrap().clone(),
            updated_at: DateTime::UNIX_EPOCH,
        };
        assert_eq!(key_outputs(&component), "endpoint=orders.example  arn=arn:aws:rds");
    }
}
