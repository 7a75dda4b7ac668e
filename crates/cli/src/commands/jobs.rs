//! `jobs`: what Runners did, do and will do.

mod log;

use alethia_api::jobs::{Job, JobQuery};
use alethia_domain::{ids::JobId, lifecycle::JobStatus};
use clap::{Args, Subcommand};
use uuid::Uuid;

use crate::{
    follow::{self, Interrupts},
    output::{self, Paint, facts, job_tone, or_dash, table_or, time},
    progress::waits_for,
    session::{self, Needs, Session},
    settings::Settings,
    target::Target,
};

/// What to do with jobs.
#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// List jobs, newest first
    List(ListArgs),
    /// Show a job
    #[command(alias = "show")]
    Get {
        /// Its id
        #[arg(value_parser = id)]
        id: JobId,
    },
    /// Print the log of a job
    Logs {
        /// Its id
        #[arg(value_parser = id)]
        id: JobId,
        /// Go on until the job has ended
        #[arg(long, short)]
        follow: bool,
        /// Only lines with this text, whatever the case of its letters
        #[arg(long, value_name = "TEXT", conflicts_with = "follow")]
        search: Option<String>,
    },
    /// Ask to end a job
    Cancel {
        /// Its id
        #[arg(value_parser = id)]
        id: JobId,
        /// Kill what it runs, after it was asked to end; may leave things behind, and needs the role admin
        #[arg(long)]
        force: bool,
    },
    /// Try a FAILED or CANCELLED job again
    Retry {
        /// Its id
        #[arg(value_parser = id)]
        id: JobId,
        /// Watch it until it has ended; without a Console this is always done
        #[arg(long)]
        wait: bool,
        /// Show Terraform's own lines too
        #[arg(long)]
        logs: bool,
    },
    /// Watch a job until it has ended; exits 1 unless with success
    Wait {
        /// Its id
        #[arg(value_parser = id)]
        id: JobId,
        /// Show Terraform's own lines too
        #[arg(long)]
        logs: bool,
    },
}

/// Which jobs.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those of this Spec: ZONE/NAME, NAME or a Spec file
    #[arg(long)]
    spec: Option<Target>,
    /// Only those with this status, such as FAILED
    #[arg(long)]
    status: Option<JobStatus>,
    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: u16,
}

/// Runs one of them.
pub(crate) async fn run(settings: &Settings, command: JobsCommand) -> anyhow::Result<()> {
    session::with(settings, needs(&command), async |session| match command {
        JobsCommand::List(args) => list(settings, session, args).await,
        JobsCommand::Get { id } => get(settings, session, id).await,
        JobsCommand::Logs { id, follow: true, .. } => log::follow(settings, session, id).await,
        JobsCommand::Logs { id, follow: false, search } => log::print(settings, session, id, search).await,
        JobsCommand::Cancel { id, force } => cancel(settings, session, id, force).await,
        JobsCommand::Retry { id, wait, logs } => retry(settings, session, id, wait, logs).await,
        JobsCommand::Wait { id, logs } => {
            let job = session.client().job(id).await?;
            wait(settings, session, job, logs).await
        }
    })
    .await
}

/// Whoever waits for a job may be the one whose Runner has to do it.
fn needs(command: &JobsCommand) -> Needs {
    match command {
        JobsCommand::List(_)
        | JobsCommand::Get { .. }
        | JobsCommand::Logs { follow: false, .. }
        | JobsCommand::Cancel { .. } => Needs::Console,
        JobsCommand::Logs { follow: true, .. } | JobsCommand::Retry { .. } | JobsCommand::Wait { .. } => {
            Needs::Runner
        }
    }
}

fn id(text: &str) -> Result<JobId, String> {
    text.parse().map_err(|_| "it is no id of a job; see them with `alethia jobs list`".to_owned())
}

async fn list(settings: &Settings, session: &Session, args: ListArgs) -> anyhow::Result<()> {
    let spec_id = match &args.spec {
        Some(target) => Some(target.fetch(session).await?.spec.id),
        None => None,
    };
    let query = JobQuery { spec_id, status: args.status, limit: Some(args.limit), cursor: None };
    let page = session.client().jobs(&query).await?;
    if page.next.is_some() {
        eprintln!("there are more; see them with `--limit N`");
    }
    let paint = Paint::stdout();
    output::print(settings.output.value, &page.items, || {
        let header = ["id", "type", "spec", "rev", "runner", "created", "status"];
        table_or("no jobs", &header, page.items.iter().map(|job| row(job, paint)).collect())
    })
}

fn row(job: &Job, paint: Paint) -> Vec<String> {
    vec![
        job.id.to_string(),
        job.job_type.to_string(),
        format!("{}/{}", job.zone, job.spec),
        job.revision.to_string(),
        or_dash(job.runner.as_ref()),
        time(job.created_at),
        status(job, paint),
    ]
}

/// The status, with what the job waits for.
fn status(job: &Job, paint: Paint) -> String {
    let status = paint.paint(job_tone(job.status), job.status.as_str());
    match &job.waiting {
        Some(waiting) => format!("{status}, {}", waits_for(waiting)),
        None if job.kill_requested && !job.status.is_final() => format!("{status}, to be killed"),
        None if job.cancel_requested && !job.status.is_final() => format!("{status}, to end"),
        None => status,
    }
}

async fn get(settings: &Settings, session: &Session, id: JobId) -> anyhow::Result<()> {
    let job = session.client().job(id).await?;
    print(settings, &job)
}

fn print(settings: &Settings, job: &Job) -> anyhow::Result<()> {
    output::print(settings.output.value, job, || settings.typed.in_text(&told(job)))
}

fn told(job: &Job) -> String {
    let mut lines = vec![
        ("id", job.id.to_string()),
        ("type", job.job_type.to_string()),
        ("status", job.status.to_string()),
        ("spec", format!("{}/{} Revision {}", job.zone, job.spec, job.revision)),
        ("runner", or_dash(job.runner.as_ref())),
        ("attempt", job.attempt.to_string()),
        ("author", job.author.clone()),
        ("created", time(job.created_at)),
        ("started", or_dash(job.started_at.map(time))),
        ("finished", or_dash(job.finished_at.map(time))),
    ];
    lines.extend(job.waiting.iter().map(|waiting| ("waits", waits_for(waiting))));
    if !job.status.is_final() && job.cancel_requested {
        let how = if job.kill_requested { "and to be killed" } else { "in order" };
        lines.push(("asked to end", format!("{how}, by its Runner's next word")));
    }
    if let Some(plan) = job.plan_job_id {
        lines.push(("plan", plan.to_string()));
    }
    if let Some(first) = job.retry_of {
        lines.push(("retry of", first.to_string()));
    }
    if job.progress.total > 0 {
        lines.push(("resources", format!("{} of {}", job.progress.done, job.progress.total)));
    }
    if let Some(failure) = &job.failure {
        lines.push(("reason", failure.reason.as_str().to_owned()));
        lines.push(("error", failure.message.clone()));
        lines.extend(failure.address.iter().map(|address| ("address", address.clone())));
        lines.extend(failure.hint.iter().map(|hint| ("hint", hint.clone())));
    }
    facts(&lines)
}

async fn cancel(settings: &Settings, session: &Session, id: JobId, force: bool) -> anyhow::Result<()> {
    let client = session.client();
    let job = if force { client.kill_job(id).await? } else { client.cancel_job(id).await? };
    if !job.status.is_final() {
        let asked = if force { "kill what it runs" } else { "end it" };
        let notice = format!("the Runner is asked to {asked}; see when it has with `alethia jobs wait {id}`");
        session.typed().tell(&notice);
    }
    print(settings, &job)
}

async fn retry(
    settings: &Settings,
    session: &Session,
    id: JobId,
    watched: bool,
    logs: bool,
) -> anyhow::Result<()> {
    follow::refuse_broken_state(session, session.client().job(id).await?.spec_id).await?;
    let job = session.client().retry_job(id, &Uuid::new_v4().to_string()).await?;
    if watched || session.is_embedded() {
        return wait(settings, session, job, logs).await;
    }
    session.typed().tell(&format!("watch it with `alethia jobs wait {}`", job.id));
    print(settings, &job)
}

async fn wait(settings: &Settings, session: &Session, job: Job, logs: bool) -> anyhow::Result<()> {
    let job = if job.status.is_final() {
        job
    } else {
        follow::watch(session, &job, &mut Interrupts::listen()?, logs).await?
    };
    print(settings, &job)?;
    follow::succeeded(job).map(drop)
}
