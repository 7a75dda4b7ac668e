//! `state`: the Terraform states that the Console keeps: versions, locks, restore.

use alethia_api::{
    specs::SpecQuery,
    states::{Orphaned, RescuedState, RestoreState, State, StateVersion, UnlockState},
};
use alethia_domain::ids::SpecId;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    ask,
    error::Fault,
    output::{self, facts, or_dash, table_or, time},
    pages,
    session::{self, Needs, Session},
    settings::Settings,
    target::Target,
};

/// What to do with states.
#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// List the states of all Specs
    List,
    /// Show the state of a Spec and who holds its lock
    #[command(alias = "get")]
    Show(ShowArgs),
    /// List the versions of a state
    Versions {
        /// ZONE/NAME, NAME or a Spec file
        spec: Target,
    },
    /// Make an older version of a state the newest
    Restore {
        /// ZONE/NAME, NAME or a Spec file
        spec: Target,
        /// Serial of the version, as `alethia state versions` shows it
        serial: u64,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Release a lock that its holder left behind
    Unlock {
        /// ZONE/NAME, NAME or a Spec file
        spec: Target,
        /// Id of the lock, so that no other is released by mistake; the present one when absent
        lock_id: Option<String>,
        /// Release it though its holder is alive
        #[arg(long)]
        force: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// What to show of a state.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// ZONE/NAME, NAME or a Spec file
    spec: Target,
    /// Print the content, as Terraform wrote it
    #[arg(long)]
    content: bool,
    /// Of this version instead of the newest
    #[arg(long, requires = "content")]
    serial: Option<u64>,
}

/// A version, or a state that came late and is none yet.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Listed {
    Version(StateVersion),
    Rescued(RescuedState),
}

/// Runs one of them.
pub(crate) async fn run(settings: &Settings, command: StateCommand) -> anyhow::Result<()> {
    session::with(settings, Needs::Console, async |session| match command {
        StateCommand::List => list(settings, session).await,
        StateCommand::Show(args) => show(settings, session, args).await,
        StateCommand::Versions { spec } => versions(settings, session, &spec).await,
        StateCommand::Restore { spec, serial, yes } => restore(settings, session, &spec, serial, yes).await,
        StateCommand::Unlock { spec, lock_id, force, yes } => {
            let spec = spec.fetch(session).await?.spec.id;
            unlock(settings, session, spec, lock_id, force, yes).await
        }
    })
    .await
}

async fn list(settings: &Settings, session: &Session) -> anyhow::Result<()> {
    let specs = pages::all(async |page| {
        session.client().specs(&SpecQuery { zone: None, limit: page.limit, cursor: page.cursor }).await
    });
    let mut states = Vec::new();
    for spec in specs.await? {
        states.push(session.client().state(spec.id).await?);
    }
    output::print(settings.output.value, &states, || {
        let header = ["spec", "serial", "resources", "written", "locked by"];
        table_or("no states", &header, states.iter().map(row).collect())
    })
}

fn row(state: &State) -> Vec<String> {
    let current = state.current.as_ref();
    vec![
        format!("{}/{}", state.zone, state.spec),
        or_dash(current.map(|version| version.serial)),
        or_dash(current.map(|version| version.resources)),
        or_dash(current.map(|version| time(version.created_at))),
        or_dash(state.lock.as_ref().map(|lock| lock.who.clone())),
    ]
}

async fn show(settings: &Settings, session: &Session, args: ShowArgs) -> anyhow::Result<()> {
    let spec = args.spec.fetch(session).await?.spec;
    let state = session.client().state(spec.id).await?;
    if !args.content {
        return print(settings, &state);
    }
    let newest = state.current.map(|version| version.serial);
    let Some(serial) = args.serial.or(newest) else {
        let fault = Fault::failure(format!("{}/{} has no state yet", spec.zone, spec.name));
        return Err(fault.hint("deploy it first with `alethia apply FILE`").into());
    };
    let content = session.client().state_content(spec.id, serial).await?;
    output::print(settings.output.value, &content, || format!("{content:#}"))
}

fn print(settings: &Settings, state: &State) -> anyhow::Result<()> {
    output::print(settings.output.value, state, || settings.typed.in_text(&told(state)))
}

fn told(state: &State) -> String {
    let mut lines = vec![("spec", format!("{}/{}", state.zone, state.spec))];
    if let Some(version) = &state.current {
        lines.extend([
            ("serial", version.serial.to_string()),
            ("lineage", version.lineage.clone()),
            ("resources", version.resources.to_string()),
            ("size", format!("{} bytes", version.size)),
            ("written", time(version.created_at)),
            ("written by", version.job_id.map_or("hand".to_owned(), |job| format!("job {job}"))),
        ]);
    } else {
        lines.push(("serial", "none yet".to_owned()));
    }
    if let Some(lock) = &state.lock {
        let fate = match lock.orphaned {
            Some(Orphaned { since, reason }) => format!("over since {}: {}", time(since), reason.sentence()),
            None => "alive".to_owned(),
        };
        lines.extend([
            ("lock", lock.id.clone()),
            ("locked by", lock.who.clone()),
            ("operation", lock.operation.clone()),
            ("lock job", or_dash(lock.job_id)),
            ("lock runner", or_dash(lock.runner.as_ref())),
            ("lock holder", fate),
            ("locked since", time(lock.created_at)),
        ]);
    }
    for late in &state.rescued {
        let fate = late.unfit.as_deref().unwrap_or("newer than the newest version");
        lines.push(("rescued", format!("serial {}, {} resources; {fate}", late.serial, late.resources)));
    }
    let is_broken = state.lock.as_ref().is_some_and(|lock| !lock.holder_alive)
        || state.rescued.iter().any(|late| late.unfit.is_none());
    if is_broken {
        lines.push(("next step", format!("alethia recover {}/{}", state.zone, state.spec)));
    }
    facts(&lines)
}

async fn versions(settings: &Settings, session: &Session, spec: &Target) -> anyhow::Result<()> {
    let spec = spec.fetch(session).await?.spec.id;
    let late = session.client().state(spec).await?.rescued.into_iter().map(Listed::Rescued);
    let versions = pages::all(async |page| session.client().state_versions(spec, &page).await).await?;
    let listed: Vec<Listed> = late.chain(versions.into_iter().map(Listed::Version)).collect();
    output::print(settings.output.value, &listed, || {
        let header = ["serial", "resources", "bytes", "job", "written", "kind"];
        table_or("no versions yet", &header, listed.iter().map(listed_row).collect())
    })
}

fn listed_row(listed: &Listed) -> Vec<String> {
    match listed {
        Listed::Version(version) => version_row(version),
        Listed::Rescued(late) => vec![
            late.serial.to_string(),
            late.resources.to_string(),
            late.size.to_string(),
            late.job_id.to_string(),
            time(late.created_at),
            "rescued".to_owned(),
        ],
    }
}

fn version_row(version: &StateVersion) -> Vec<String> {
    vec![
        version.serial.to_string(),
        version.resources.to_string(),
        version.size.to_string(),
        or_dash(version.job_id),
        time(version.created_at),
        "version".to_owned(),
    ]
}

async fn restore(
    settings: &Settings,
    session: &Session,
    spec: &Target,
    serial: u64,
    yes: bool,
) -> anyhow::Result<()> {
    let spec = spec.fetch(session).await?.spec;
    let versions = pages::all(async |page| session.client().state_versions(spec.id, &page).await).await?;
    if !versions.iter().any(|version| version.serial == serial) {
        let name = format!("{}/{}", spec.zone, spec.name);
        let fault = Fault::failure(format!("the state of {name} has no version {serial}"));
        return Err(fault.hint(format!("see its versions with `alethia state versions {name}`")).into());
    }
    let question = format!("Make version {serial} of the state of {}/{} the newest?", spec.zone, spec.name);
    ask::agree(&question, yes)?;
    let state = session.client().restore_state(spec.id, &RestoreState { serial }).await?;
    session.typed().tell(&format!(
        "version {serial} is restored; see what differs from the cloud with `alethia plan {}/{}`",
        spec.zone, spec.name
    ));
    print(settings, &state)
}

async fn unlock(
    settings: &Settings,
    session: &Session,
    spec: SpecId,
    lock_id: Option<String>,
    force: bool,
    yes: bool,
) -> anyhow::Result<()> {
    let state = session.client().state(spec).await?;
    let Some(lock) = &state.lock else {
        eprintln!("the state of {}/{} is not locked", state.zone, state.spec);
        return Ok(());
    };
    settings.typed.tell(&told(&state));
    ask::agree("Release this lock?", yes)?;
    let unlock = UnlockState { lock_id: lock_id.unwrap_or_else(|| lock.id.clone()), force };
    let state = session.client().unlock_state(spec, &unlock).await?;
    eprintln!("the lock is released");
    print(settings, &state)
}
