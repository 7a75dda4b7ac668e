//! Specs as the Console has them.

use alethia_api::specs::{Revision, RevisionDiff, Spec, SpecDetail, SpecQuery};
use alethia_domain::{access::CloudAccess, spec};

use super::{DiffArgs, GetArgs, SpecCommand, offline};
use crate::{
    ask, document,
    error::Fault,
    export,
    output::{self, Format, Paint, facts, inline, or_dash, spec_tone, table_or, time},
    pages,
    session::Session,
    settings::Settings,
    target::Target,
};

/// Runs a command that needs the Console.
pub(super) async fn run(settings: &Settings, session: &Session, command: SpecCommand) -> anyhow::Result<()> {
    match command {
        SpecCommand::List { zone } => list(settings, session, zone).await,
        SpecCommand::Get(args) => get(settings, session, args).await,
        SpecCommand::Diff(args) => diff(settings, session, args).await,
        SpecCommand::History { spec } => history(settings, session, &spec).await,
        SpecCommand::Rollback { spec, revision, yes } => {
            rollback(settings, session, &spec, revision, yes).await
        }
        SpecCommand::Export { spec, folder } => {
            let files = export_stored(session, &spec, &folder).await?;
            offline::exported(settings, &files, &folder)
        }
        SpecCommand::Delete { spec, yes } => delete(session, &spec, yes).await,
        SpecCommand::Validate { files } => offline::validate(settings, &files),
        SpecCommand::Explain { file } => offline::explain(settings, &file),
        SpecCommand::Schema => offline::schema(settings),
    }
}

async fn list(settings: &Settings, session: &Session, zone: Option<String>) -> anyhow::Result<()> {
    let specs = pages::all(async |page| {
        let query = SpecQuery { zone: zone.clone(), limit: page.limit, cursor: page.cursor };
        session.client().specs(&query).await
    })
    .await?;
    let paint = Paint::stdout();
    output::print(settings.output.value, &specs, || {
        let header = ["spec", "stage", "region", "identity", "rev", "deployed", "updated", "status"];
        let nothing = "no Specs yet; make a file with `alethia design spec.yaml`";
        table_or(nothing, &header, specs.iter().map(|spec| row(spec, paint)).collect())
    })
}

fn row(spec: &Spec, paint: Paint) -> Vec<String> {
    vec![
        format!("{}/{}", spec.zone, spec.name),
        spec.stage.to_string(),
        spec.region.clone(),
        spec.identity.clone(),
        spec.revision.to_string(),
        or_dash(spec.deployed_revision),
        time(spec.updated_at),
        paint.paint(spec_tone(spec.status), spec.status.as_str()),
    ]
}

async fn get(settings: &Settings, session: &Session, args: GetArgs) -> anyhow::Result<()> {
    let detail = args.spec.fetch(session).await?;
    let document = match args.revision {
        Some(number) => session.client().revision(detail.spec.id, number).await?.document,
        None if args.document => detail.document,
        None => return output::print(settings.output.value, &detail, || told(&detail)),
    };
    match settings.output.value {
        Format::Table | Format::Yaml => output::write(&spec::print_value(&document)),
        Format::Json => output::print(Format::Json, &document, String::new),
    }
}

fn told(detail: &SpecDetail) -> String {
    let spec = &detail.spec;
    let mut lines = vec![
        ("spec", format!("{}/{}", spec.zone, spec.name)),
        ("id", spec.id.to_string()),
        ("status", spec.status.to_string()),
    ];
    lines.extend(spec.status_reason.iter().map(|reason| ("reason", reason.clone())));
    lines.extend([
        ("stage", spec.stage.to_string()),
        ("cloud", format!("{} {}", provider(spec), spec.region)),
        ("identity", spec.identity.clone()),
        ("revision", format!("{} (deployed: {})", spec.revision, or_dash(spec.deployed_revision))),
        ("job", or_dash(spec.active_job)),
        ("created", time(spec.created_at)),
        ("updated", time(spec.updated_at)),
    ]);
    let rows = detail.components.iter().map(|component| {
        let outputs = component.outputs.iter().map(|(key, value)| format!("{key}={}", inline(value)));
        let outputs: Vec<String> = outputs.collect();
        vec![component.component.to_string(), component.status.to_string(), outputs.join("\n")]
    });
    let components = table_or("no components", &["component", "status", "outputs"], rows.collect());
    format!("{}\n\n{components}", facts(&lines))
}

fn provider(spec: &Spec) -> &'static str {
    match spec.provider {
        spec::Provider::Aws => "aws",
    }
}

async fn diff(settings: &Settings, session: &Session, args: DiffArgs) -> anyhow::Result<()> {
    if let Target::File(path) = &args.spec
        && args.from.is_none()
        && args.to.is_none()
    {
        let parsed = document::read(path)?;
        let stored = args.spec.fetch(session).await?;
        let changes = spec::diff(&stored.document, &parsed.written);
        return output::print(settings.output.value, &changes, || {
            let lines = changes
                .iter()
                .map(|change| change_line(&change.path, change.before.as_ref(), change.after.as_ref()));
            or_nothing(lines.collect())
        });
    }
    let spec = args.spec.fetch(session).await?.spec;
    if spec.revision < 2 && args.from.is_none() {
        let fault = Fault::failure(format!("{}/{} has one Revision only", spec.zone, spec.name));
        return Err(fault.hint("compare a file with it: `alethia spec diff FILE`").into());
    }
    let diff = session.client().diff(spec.id, args.from, args.to).await?;
    output::print(settings.output.value, &diff, || diff_told(&diff))
}

fn diff_told(diff: &RevisionDiff) -> String {
    let lines = diff
        .changes
        .iter()
        .map(|change| change_line(&change.path, change.before.as_ref(), change.after.as_ref()));
    format!("Revision {} -> {}\n{}", diff.from, diff.to, or_nothing(lines.collect()))
}

fn change_line(path: &str, before: Option<&serde_json::Value>, after: Option<&serde_json::Value>) -> String {
    match (before, after) {
        (None, Some(after)) => format!("  + {path}: {after}"),
        (Some(before), None) => format!("  - {path}: {before}"),
        (Some(before), Some(after)) => format!("  ~ {path}: {before} -> {after}"),
        (None, None) => format!("    {path}"),
    }
}

fn or_nothing(lines: Vec<String>) -> String {
    if lines.is_empty() { "no differences".to_owned() } else { lines.join("\n") }
}

async fn history(settings: &Settings, session: &Session, target: &Target) -> anyhow::Result<()> {
    let spec = target.fetch(session).await?.spec;
    let revisions = pages::all(async |page| session.client().revisions(spec.id, &page).await).await?;
    output::print(settings.output.value, &revisions, || {
        let header = ["rev", "author", "created", "deployed", "message"];
        let rows = revisions.iter().map(|revision| revision_row(revision, &spec));
        table_or("no Revisions", &header, rows.collect())
    })
}

fn revision_row(revision: &Revision, spec: &Spec) -> Vec<String> {
    let deployed = if spec.deployed_revision == Some(revision.number) { "yes" } else { "-" };
    vec![
        revision.number.to_string(),
        revision.author.clone(),
        time(revision.created_at),
        deployed.to_owned(),
        or_dash(revision.message.as_ref()),
    ]
}

async fn rollback(
    settings: &Settings,
    session: &Session,
    target: &Target,
    revision: u32,
    yes: bool,
) -> anyhow::Result<()> {
    let detail = target.fetch(session).await?;
    let spec = &detail.spec;
    if spec.revision == revision {
        eprintln!("Revision {revision} of {}/{} is the newest already", spec.zone, spec.name);
        return output::print(settings.output.value, &detail, || told(&detail));
    }
    let diff = session.client().diff(spec.id, Some(spec.revision), Some(revision)).await?;
    eprintln!("{}", diff_told(&diff));
    let name = format!("{}/{}", spec.zone, spec.name);
    ask::agree(&format!("Make Revision {revision} of {name} the newest again?"), yes)?;
    let detail = session.client().rollback(spec.id, revision).await?;
    session.typed().tell(&format!(
        "Revision {} is as Revision {revision} was; deploy it with `alethia apply {name}`",
        detail.spec.revision
    ));
    output::print(settings.output.value, &detail, || told(&detail))
}

async fn export_stored(
    session: &Session,
    target: &Target,
    folder: &std::path::Path,
) -> anyhow::Result<Vec<String>> {
    let detail = target.fetch(session).await?;
    let identities = pages::all(async |page| session.client().identities(&page).await).await?;
    let identity = identities.into_iter().find(|identity| identity.name == detail.spec.identity);
    let access = match identity.map(|identity| identity.access) {
        Some(access @ CloudAccess::Aws { .. }) => access,
        Some(CloudAccess::Sandbox) | None => export::own_access(),
    };
    let document = spec::resolve(&detail.document).map_err(|problems| {
        let told = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Fault::failure(format!("the stored document is not valid any more: {told}"))
    })?;
    export::write(&document, detail.spec.id, &access, folder)
}

async fn delete(session: &Session, target: &Target, yes: bool) -> anyhow::Result<()> {
    let spec = target.fetch(session).await?.spec;
    let name = format!("{}/{}", spec.zone, spec.name);
    ask::agree(&format!("Delete {name} with its Revisions and jobs?"), yes)?;
    session.client().delete_spec(spec.id).await?;
    eprintln!("{name} is deleted");
    Ok(())
}
