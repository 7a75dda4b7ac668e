//! `serve`: a Console alone, for Runners elsewhere.

use clap::Args;

use super::up::{self, ConsoleArgs};
use crate::{session::Needs, settings::Settings};

/// How to run it.
#[derive(Debug, Args)]
#[command(
    after_help = "Several Consoles may share one PostgreSQL and one bucket, each with a data folder of its own."
)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    console: ConsoleArgs,
}

/// Runs a Console.
pub(crate) async fn run(mut settings: Settings, args: ServeArgs) -> anyhow::Result<()> {
    args.console.override_in(&mut settings);
    up::serve(&settings, Needs::Console).await
}
