//! `zone`: groups of Specs.

use std::str::FromStr;

use alethia_api::zones::{ChangeZone, NewZone, SPECS_COUNTED, Zone};
use clap::Subcommand;

use crate::{
    output::{self, or_dash, table_or, time},
    pages,
    session::{self, Needs, Session},
    settings::Settings,
};

/// What to do with Zones.
#[derive(Debug, Subcommand)]
pub(crate) enum ZoneCommand {
    /// Create a Zone
    Create {
        /// Its name
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// How many of its jobs may run at a time, 1 to 10000; others wait; no limit when absent
        #[arg(long, value_name = "N")]
        max_jobs: Option<u32>,
    },
    /// Change what a Zone is for, or how many of its jobs may run at a time
    Set {
        /// Its name
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT", required_unless_present = "max_jobs")]
        description: Option<String>,
        /// How many of its jobs may run at a time, 1 to 10000, or `none` for no limit; jobs that run go on
        #[arg(long, value_name = "N|none")]
        max_jobs: Option<Limit>,
    },
    /// List Zones
    List,
    /// Delete a Zone that has no live Spec
    Delete {
        /// Its name
        name: String,
    },
}

/// A number, or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit(Option<u32>);

impl FromStr for Limit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self(None)),
            number => number.parse().map(|number| Self(Some(number))).map_err(|_| "it is a number, or none"),
        }
    }
}

/// Runs one of them.
pub(crate) async fn run(settings: &Settings, command: ZoneCommand) -> anyhow::Result<()> {
    session::with(settings, Needs::Console, async |session| match command {
        ZoneCommand::Create { name, description, max_jobs } => {
            create(settings, session, NewZone { name, description, max_jobs }).await
        }
        ZoneCommand::Set { name, description, max_jobs } => {
            let max_jobs = max_jobs.map(|limit| limit.0);
            set(settings, session, &name, ChangeZone { description: description.map(Some), max_jobs }).await
        }
        ZoneCommand::List => list(settings, session).await,
        ZoneCommand::Delete { name } => {
            session.client().delete_zone(&name).await?;
            eprintln!("Zone {name} is deleted");
            Ok(())
        }
    })
    .await
}

async fn create(settings: &Settings, session: &Session, zone: NewZone) -> anyhow::Result<()> {
    let zone = session.client().create_zone(&zone).await?;
    output::print(settings.output.value, &zone, || format!("Zone {} is created", zone.name))
}

async fn set(settings: &Settings, session: &Session, name: &str, change: ChangeZone) -> anyhow::Result<()> {
    let zone = session.client().change_zone(name, &change).await?;
    output::print(settings.output.value, &zone, || format!("Zone {} is changed", zone.name))
}

async fn list(settings: &Settings, session: &Session) -> anyhow::Result<()> {
    let zones = pages::all(async |page| session.client().zones(&page).await).await?;
    output::print(settings.output.value, &zones, || {
        let header = ["name", "specs", "max jobs", "description", "created"];
        table_or("no Zones", &header, zones.iter().map(row).collect())
    })
}

/// They are not all counted where there are many.
fn specs(count: u32) -> String {
    if count < SPECS_COUNTED { count.to_string() } else { format!("{count} or more") }
}

fn row(zone: &Zone) -> Vec<String> {
    vec![
        zone.name.clone(),
        specs(zone.specs),
        or_dash(zone.max_jobs),
        or_dash(zone.description.as_ref()),
        time(zone.created_at),
    ]
}
