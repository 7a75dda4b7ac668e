//! `serve`: a Console alone, for Runners elsewhere.

use std::time::Duration;

use clap::Args;

use super::up::{self, ConsoleArgs};
use crate::{
    session::Needs,
    settings::{Serving, Settings},
};

/// How to run it.
#[derive(Debug, Args)]
#[command(
    after_help = "Several Consoles may share one PostgreSQL and one bucket, each with a data folder of its own."
)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    console: ConsoleArgs,
    /// How long to go on once told to end, 0 to 60, while /readyz says so: until a load balancer has noticed
    #[arg(long, value_name = "SECONDS", default_value_t = 0, env = "ALETHIA_CONSOLE_DRAIN", value_parser = clap::value_parser!(u16).range(0..=60))]
    drain: u16,
    /// How long to wait at the start for a PostgreSQL that is not there yet, 0 to 3600
    #[arg(long, value_name = "SECONDS", default_value_t = 60, env = "ALETHIA_DATABASE_WAIT", value_parser = clap::value_parser!(u16).range(0..=3600))]
    database_wait: u16,
    /// A proxy stands in front: believe the last address of its X-Forwarded-For
    #[arg(long, env = "ALETHIA_BEHIND_PROXY")]
    behind_proxy: bool,
}

/// Runs a Console.
pub(crate) async fn run(mut settings: Settings, args: ServeArgs) -> anyhow::Result<()> {
    args.console.override_in(&mut settings);
    settings.serving = Serving {
        drain: Duration::from_secs(args.drain.into()),
        database_wait: Duration::from_secs(args.database_wait.into()),
        behind_proxy: args.behind_proxy,
    };
    up::serve(&settings, Needs::Console).await
}
