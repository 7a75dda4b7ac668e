//! `zone`: groups of Specs.

use alethia_api::zones::{NewZone, Zone};
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
    },
    /// List Zones
    List,
    /// Delete a Zone that has no live Spec
    Delete {
        /// Its name
        name: String,
    },
}

/// Runs one of them.
pub(crate) async fn run(settings: &Settings, command: ZoneCommand) -> anyhow::Result<()> {
    session::with(settings, Needs::Console, async |session| match command {
        ZoneCommand::Create { name, description } => {
            create(settings, session, NewZone { name, description }).await
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

async fn list(settings: &Settings, session: &Session) -> anyhow::Result<()> {
    let zones = pages::all(async |page| session.client().zones(&page).await).await?;
    output::print(settings.output.value, &zones, || {
        let header = ["name", "specs", "description", "created"];
        table_or("no Zones", &header, zones.iter().map(row).collect())
    })
}

fn row(zone: &Zone) -> Vec<String> {
    vec![zone.name.clone(), zone.specs.to_string(), or_dash(zone.description.as_ref()), time(zone.created_at)]
}
