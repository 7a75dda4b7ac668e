//! `destroy`: plan the removal, show it, ask, remove exactly that.

use alethia_api::specs::SpecDetail;
use alethia_domain::{
    lifecycle::{JobType, SpecStatus},
    stage::Stage,
};
use clap::Args;

use super::{
    apply,
    plan::{self, JobArgs},
};
use crate::{
    ask,
    error::Fault,
    session::{self, Needs, Session},
    settings::Settings,
    target::Target,
};

/// What to destroy.
#[derive(Debug, Args)]
#[command(after_help = "A production Spec needs `--confirm NAME`, whatever else is said.")]
pub(crate) struct DestroyArgs {
    /// ZONE/NAME, NAME or a Spec file
    #[arg(value_name = "SPEC")]
    target: Target,
    /// The Spec's name, repeated
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    job: JobArgs,
}

/// Destroys a Spec.
pub(crate) async fn run(settings: &Settings, args: DestroyArgs) -> anyhow::Result<()> {
    session::with(settings, Needs::Runner, async |session| destroy(settings, session, &args).await).await
}

async fn destroy(settings: &Settings, session: &Session, args: &DestroyArgs) -> anyhow::Result<()> {
    let spec = args.target.fetch(session).await?;
    confirmed(&spec, args.confirm.as_deref())?;
    if matches!(spec.spec.status, SpecStatus::Destroyed | SpecStatus::Draft) {
        eprintln!(
            "{}/{} is {}: it has nothing in the cloud",
            spec.spec.zone, spec.spec.name, spec.spec.status
        );
        return apply::report(settings, session, &spec, &Default::default(), None).await;
    }
    let planned = plan::plan(session, &spec, &args.job, true).await?;
    plan::show(settings, &spec, &planned.plan)?;
    let question = format!("Destroy everything of {}/{}?", spec.spec.zone, spec.spec.name);
    ask::agree(&question, args.yes)?;
    let job = planned.carry_out(session, JobType::Destroy, args.confirm.clone(), &args.job).await?;
    apply::report(settings, session, &spec, &planned.plan, Some(job)).await
}

fn confirmed(spec: &SpecDetail, confirm: Option<&str>) -> anyhow::Result<()> {
    let (name, zone) = (&spec.spec.name, &spec.spec.zone);
    let hint = || format!("alethia destroy {zone}/{name} --confirm {name}");
    match (spec.spec.stage, confirm) {
        (_, Some(word)) if word != name => {
            Err(Fault::usage(format!("{word:?} is not the name of {zone}/{name}")).hint(hint()).into())
        }
        (Stage::Production, None) => {
            Err(Fault::usage(format!("{zone}/{name} is production; its name must be confirmed"))
                .hint(hint())
                .into())
        }
        (Stage::Production | Stage::Staging | Stage::Development, Some(_))
        | (Stage::Staging | Stage::Development, None) => Ok(()),
    }
}
