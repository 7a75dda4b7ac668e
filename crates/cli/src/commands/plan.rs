//! `plan`: what applying a Spec would change. Also the half that `apply` and `destroy` share: plan, show.
//!
//! A plan is always one of the Revision that this command read or wrote: when somebody adds another in between, the
//! command ends instead of showing, or applying, what nobody here asked for.

use alethia_api::jobs::{Job, NewJob, Plan};
use alethia_api::specs::SpecDetail;
use alethia_domain::{lifecycle::JobType, plan::PlanSummary};
use clap::Args;
use serde::Serialize;

use crate::{
    error::Fault,
    follow,
    output::{self, Format, Paint},
    plan_view, revise,
    session::{self, Needs, Session},
    settings::Settings,
    target::Target,
};

/// What to plan.
#[derive(Debug, Args)]
#[command(
    after_help = "A file is stored as a new Revision of its Spec, not applied. ZONE/NAME plans the newest Revision."
)]
pub(crate) struct PlanArgs {
    /// Spec file, `-` for stdin, or ZONE/NAME
    #[arg(value_name = "FILE")]
    target: Target,
    /// Plan the removal of everything instead
    #[arg(long)]
    destroy: bool,
    #[command(flatten)]
    job: JobArgs,
}

/// What commands that create jobs understand.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct JobArgs {
    /// Only a Runner with this label may do it; may be repeated
    #[arg(long = "label", value_name = "LABEL")]
    pub(crate) labels: Vec<String>,
    /// Show Terraform's own lines too
    #[arg(long)]
    pub(crate) logs: bool,
}

/// A plan and the job that made it.
pub(super) struct Planned {
    /// The PLAN job.
    pub(super) job: Job,
    /// What it would change.
    pub(super) plan: PlanSummary,
}

#[derive(Serialize)]
struct Report<'a> {
    spec: &'a SpecDetail,
    plan: &'a PlanSummary,
    job: &'a Job,
    has_changes: bool,
}

/// Plans and shows the plan.
pub(crate) async fn run(settings: &Settings, args: PlanArgs) -> anyhow::Result<()> {
    let parsed = args.target.read()?;
    session::with(settings, Needs::Runner, async |session| {
        let spec = match &parsed {
            Some(parsed) => revise::put(session, parsed, None).await?,
            None => args.target.fetch(session).await?,
        };
        let planned = plan(session, &spec, &args.job, args.destroy).await?;
        let report = Report {
            spec: &spec,
            plan: &planned.plan,
            job: &planned.job,
            has_changes: !planned.plan.is_empty(),
        };
        output::print(settings.output.value, &report, || told(&spec, &planned.plan, Paint::stdout()))
    })
    .await
}

/// Makes a plan of the Spec's Revision.
///
/// # Errors
/// When the PLAN job does not end with success, or somebody added a Revision before it began.
pub(super) async fn plan(
    session: &Session,
    spec: &SpecDetail,
    args: &JobArgs,
    destroy: bool,
) -> anyhow::Result<Planned> {
    follow::refuse_broken_state(session, spec.spec.id).await?;
    let job = NewJob { destroy, ..new_job(JobType::Plan, args) };
    let job = follow::run(session, spec.spec.id, &job, args.logs).await?;
    if job.revision != spec.spec.revision {
        return Err(overtaken(spec, job.revision).into());
    }
    Planned::by(session, job).await
}

impl Planned {
    /// What a PLAN job found.
    ///
    /// # Errors
    /// When it did not end with success.
    pub(super) async fn by(session: &Session, job: Job) -> anyhow::Result<Self> {
        let job = follow::succeeded(job)?;
        let Plan { summary, .. } = session.client().plan(job.id).await?;
        Ok(Self { job, plan: summary })
    }

    /// Carries out exactly this plan and watches that to its end, whichever it is.
    pub(super) async fn carry_out(
        &self,
        session: &Session,
        job_type: JobType,
        confirm: Option<String>,
        args: &JobArgs,
    ) -> anyhow::Result<Job> {
        let job = NewJob { plan_job_id: Some(self.job.id), confirm, ..new_job(job_type, args) };
        follow::run(session, self.job.spec_id, &job, args.logs).await
    }
}

fn overtaken(spec: &SpecDetail, newest: u32) -> Fault {
    let name = format!("{}/{}", spec.spec.zone, spec.spec.name);
    let read = spec.spec.revision;
    Fault::failure(format!(
        "somebody added Revision {newest} of {name} after Revision {read}; nothing was carried out"
    ))
    .hint(format!("see what differs with `alethia spec diff {name} --from {read}`, then try again"))
}

/// A job to be made, bound to nothing.
fn new_job(job_type: JobType, args: &JobArgs) -> NewJob {
    NewJob { required_labels: args.labels.clone(), ..NewJob::new(job_type) }
}

/// Shows a plan before a question about it: with the data, or beside it where that is for programs.
pub(super) fn show(settings: &Settings, spec: &SpecDetail, plan: &PlanSummary) -> anyhow::Result<()> {
    match settings.output.value {
        Format::Table => output::write(&told(spec, plan, Paint::stdout())),
        Format::Json | Format::Yaml => {
            eprintln!("{}", told(spec, plan, Paint::stderr()));
            Ok(())
        }
    }
}

fn told(spec: &SpecDetail, plan: &PlanSummary, paint: Paint) -> String {
    let spec = &spec.spec;
    let head = format!(
        "\n{}/{} ({}, {}, identity {}), Revision {}",
        spec.zone, spec.name, spec.stage, spec.region, spec.identity, spec.revision
    );
    let body = if plan.is_empty() && plan.drift.is_empty() {
        "No changes: the cloud is as the Spec says.".to_owned()
    } else {
        plan_view::render(plan, paint)
    };
    format!("{head}\n\n{body}\n")
}
