//! `spec`: documents on the disk, and Specs with their Revisions on the Console.

mod offline;
mod stored;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::block_on;
use crate::{
    session::{self, Needs},
    settings::Settings,
    target::Target,
};

/// What to do with Specs.
#[derive(Debug, Subcommand)]
pub(crate) enum SpecCommand {
    /// List Specs
    List {
        /// Only those of this Zone
        #[arg(long)]
        zone: Option<String>,
    },
    /// Show a Spec and its components
    #[command(alias = "show")]
    Get(GetArgs),
    /// Show what differs between two Revisions, or between a file and the newest Revision
    Diff(DiffArgs),
    /// List the Revisions of a Spec
    History {
        /// ZONE/NAME, NAME or a Spec file
        spec: Target,
    },
    /// Make an older Revision the newest again; nothing is deployed yet
    Rollback {
        /// ZONE/NAME, NAME or a Spec file
        spec: Target,
        /// Number of the Revision, as `alethia spec history` shows it
        revision: u32,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Check Spec files, offline; exits 2 when something is wrong
    Validate {
        /// Spec files, `-` for stdin
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Print a Spec file with every default filled in, and where each came from; offline
    Explain {
        /// Spec file, `-` for stdin
        file: PathBuf,
    },
    /// Print the JSON Schema of Spec files, for editors; offline
    Schema,
    /// Write the Terraform root of a Spec, for running it without Alethia
    Export {
        /// Spec file (offline), or ZONE/NAME
        #[arg(value_name = "FILE")]
        spec: Target,
        /// New or empty folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Delete a Spec that has nothing in the cloud
    Delete {
        /// ZONE/NAME, NAME or a Spec file
        spec: Target,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// What to show of a Spec.
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// ZONE/NAME, NAME or a Spec file
    spec: Target,
    /// Print the document alone
    #[arg(long)]
    document: bool,
    /// Print the document of this Revision
    #[arg(long, value_name = "NUMBER")]
    revision: Option<u32>,
}

/// What to compare.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// ZONE/NAME or NAME; a Spec file is compared with the newest Revision
    spec: Target,
    /// The older Revision; the one before the newer when absent
    #[arg(long, value_name = "NUMBER")]
    from: Option<u32>,
    /// The newer Revision; the newest when absent
    #[arg(long, value_name = "NUMBER")]
    to: Option<u32>,
}

/// Runs one of them. What works offline opens no Console.
pub(crate) fn run(settings: &Settings, command: SpecCommand) -> anyhow::Result<()> {
    match command {
        SpecCommand::Validate { files } => offline::validate(settings, &files),
        SpecCommand::Explain { file } => offline::explain(settings, &file),
        SpecCommand::Schema => offline::schema(settings),
        SpecCommand::Export { spec: Target::File(file), folder } => offline::export(settings, &file, &folder),
        online => block_on(session::with(settings, Needs::Console, async |session| {
            stored::run(settings, session, online).await
        })),
    }
}
