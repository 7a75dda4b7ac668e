//! `recover`: bring back a Spec whose last change broke off, because its Runner was lost, it was killed, or it failed.
//!
//! Shows what is known, lets the Console take over a rescued state and release the lock that was left behind, plans from the
//! newest state what the broken job was to do, shows that, asks, and carries it out to the end. What goes on at this
//! moment is waited for: nobody but the lease says that a Runner is gone.

use alethia_api::{
    jobs::Job,
    specs::SpecDetail,
    states::{Recovery, State},
};
use alethia_domain::{
    lifecycle::{JobType, SpecStatus},
    plan::PlanSummary,
    stage::Stage,
};
use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use super::{
    apply,
    plan::{self, JobArgs, Planned},
};
use crate::{
    ask,
    error::Fault,
    follow::{self, Interrupts},
    output::{self, Paint, facts, time},
    session::{self, Needs, Session},
    settings::Settings,
    target::Target,
};

/// What to bring back.
#[derive(Debug, Args)]
#[command(
    after_help = "Waits for a job that is not over, takes over a state that came late, releases the lock that was left behind, \
                  plans from the newest state with the Revision that the broken job had, shows that, asks, and carries it \
                  out. Declined, it can be run again. A removal of production needs `--confirm NAME` to go on."
)]
pub(crate) struct RecoverArgs {
    /// ZONE/NAME, NAME or a Spec file
    #[arg(value_name = "SPEC")]
    target: Target,
    /// The Spec's name, repeated; to go on with the removal of a production Spec
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Show Terraform's own lines too
    #[arg(long)]
    logs: bool,
}

/// What came out, as one document.
#[derive(Serialize)]
struct Report<'a> {
    recovery: &'a Recovery,
    spec: &'a SpecDetail,
    plan: &'a PlanSummary,
    job: &'a Job,
}

/// Brings a Spec back.
pub(crate) async fn run(settings: &Settings, args: RecoverArgs) -> anyhow::Result<()> {
    session::with(settings, Needs::Runner, async |session| recover(settings, session, &args).await).await
}

async fn recover(settings: &Settings, session: &Session, args: &RecoverArgs) -> anyhow::Result<()> {
    let spec = idle(session, args).await?;
    let before = session.client().state(spec.spec.id).await?;
    let recovery = session.client().recover(spec.spec.id, &Uuid::new_v4().to_string()).await?;
    eprintln!("{}", told(&spec, &before, &recovery));
    let spec = of_revision(spec, recovery.lost.revision);
    let plan = follow::watch(session, &recovery.plan, &mut Interrupts::listen()?, args.logs).await?;
    let planned = Planned::by(session, plan).await?;
    plan::show(settings, &spec, &planned.plan)?;
    confirmed(&spec, &recovery, args.confirm.as_deref())?;
    if !planned.plan.is_empty() {
        ask::agree(&question(&spec, &recovery), args.yes)?;
    }
    let as_planned = JobArgs { logs: args.logs, ..JobArgs::default() };
    let job = planned.carry_out(session, recovery.lost.job_type, args.confirm.clone(), &as_planned).await?;
    report(settings, session, &recovery, &planned.plan, job).await
}

/// The Spec when nothing works on it any more.
async fn idle(session: &Session, args: &RecoverArgs) -> anyhow::Result<SpecDetail> {
    loop {
        let spec = args.target.fetch(session).await?;
        let Some(job) = spec.spec.active_job else { return Ok(spec) };
        let job = session.client().job(job).await?;
        let runner =
            job.runner.as_ref().map_or("no Runner yet".to_owned(), |runner| format!("Runner {runner}"));
        eprintln!(
            "{} {} is {} ({runner}); waiting for its end: that a Runner is gone is known when its lease ends",
            job.job_type, job.id, job.status
        );
        follow::look_on(session, &job, args.logs).await?;
    }
}

/// What is known, and what the Console did.
fn told(spec: &SpecDetail, before: &State, recovery: &Recovery) -> String {
    let lost = &recovery.lost;
    let mut lines = vec![
        ("spec", format!("{}/{} is {}", spec.spec.zone, spec.spec.name, spec.spec.status)),
        ("job", format!("{} {} of Revision {}, {}", lost.job_type, lost.id, lost.revision, lost.status)),
    ];
    if let Some(runner) = &lost.runner {
        let since = lost.started_at.map(time).unwrap_or_default();
        lines.push(("runner", format!("{runner}, attempt {}, from {since}", lost.attempt)));
    }
    lines.extend(lost.failure.iter().map(|failure| ("why", failure.message.clone())));
    lines.push(("state", state(before)));
    for rescued in &before.rescued {
        let fate = match (&rescued.unfit, &recovery.adopted) {
            (Some(unfit), _) => format!("not taken: {unfit}"),
            (None, Some(adopted)) if adopted.serial == rescued.serial => "newer; taken over".to_owned(),
            (None, _) => "not taken: there is a newer one".to_owned(),
        };
        lines
            .push(("rescued", format!("serial {}, {} resources; {fate}", rescued.serial, rescued.resources)));
    }
    if let Some(lock) = &recovery.released {
        let why = lock.orphaned.map_or("its holder is over", |orphaned| orphaned.reason.sentence());
        lines.push(("lock", format!("{} since {}: {why}; released", lock.who, time(lock.created_at))));
    }
    facts(&lines)
}

fn state(before: &State) -> String {
    match &before.current {
        Some(version) => format!(
            "serial {}, {} resources, written {}",
            version.serial,
            version.resources,
            time(version.created_at)
        ),
        None => "none yet".to_owned(),
    }
}

/// The Spec with the Revision that is planned.
fn of_revision(mut spec: SpecDetail, revision: u32) -> SpecDetail {
    spec.spec.revision = revision;
    spec
}

/// A removal of production goes on only when its name is repeated.
fn confirmed(spec: &SpecDetail, recovery: &Recovery, confirm: Option<&str>) -> anyhow::Result<()> {
    let (name, zone) = (&spec.spec.name, &spec.spec.zone);
    let removes_production =
        recovery.lost.job_type == JobType::Destroy && spec.spec.stage == Stage::Production;
    if !removes_production || confirm == Some(name) {
        return Ok(());
    }
    let fault =
        Fault::usage(format!("{zone}/{name} is production; to go on with its removal, repeat its name"));
    Err(fault.hint(format!("alethia recover {zone}/{name} --confirm {name}")).into())
}

fn question(spec: &SpecDetail, recovery: &Recovery) -> String {
    let name = format!("{}/{}", spec.spec.zone, spec.spec.name);
    if recovery.lost.job_type == JobType::Destroy {
        format!("Go on and destroy everything of {name}?")
    } else {
        format!("Go on and apply this to {name}?")
    }
}

async fn report(
    settings: &Settings,
    session: &Session,
    recovery: &Recovery,
    plan: &PlanSummary,
    job: Job,
) -> anyhow::Result<()> {
    let spec = session.client().spec(job.spec_id).await?;
    let report = Report { recovery, spec: &spec, plan, job: &job };
    output::print(settings.output.value, &report, || {
        settings.typed.in_text(&apply::components(&spec, Paint::stdout()))
    })?;
    follow::succeeded(job)?;
    if spec.spec.status == SpecStatus::Active && spec.spec.deployed_revision != Some(spec.spec.revision) {
        let name = format!("{}/{}", spec.spec.zone, spec.spec.name);
        let newest = spec.spec.revision;
        settings.typed.tell(&format!("Revision {newest} is newer; apply it with `alethia apply {name}`"));
    }
    Ok(())
}
