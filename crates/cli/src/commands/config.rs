//! `config`: a configuration file to begin with, or what is in force.

use clap::Args;

use crate::{
    output::{self, or_dash},
    settings::{DEFAULT_FILE, Settings},
};

/// What to print.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// Print the settings in force and where each comes from
    #[arg(long)]
    effective: bool,
    /// Print where the configuration file is or would be
    #[arg(long, conflicts_with = "effective")]
    path: bool,
}

impl ConfigArgs {
    /// Whether nothing is asked of the settings in force.
    pub(crate) fn is_template(&self) -> bool {
        !self.effective && !self.path
    }
}

/// Prints a configuration file to begin with.
pub(crate) fn template() -> anyhow::Result<()> {
    output::write(DEFAULT_FILE)
}

/// Prints the commented default file, the effective settings or the path of the file.
pub(crate) fn run(settings: &Settings, args: &ConfigArgs) -> anyhow::Result<()> {
    if args.path {
        return output::write(&settings.config_file.display().to_string());
    }
    if args.effective { effective(settings) } else { template() }
}

fn effective(settings: &Settings) -> anyhow::Result<()> {
    let entries = settings.entries();
    output::print(settings.output.value, &entries, || {
        let rows = entries.iter().map(|entry| {
            let origin = format!("{:?}", entry.origin).to_lowercase();
            vec![entry.key.to_owned(), or_dash(entry.value.as_ref()), origin]
        });
        output::table(&["key", "value", "from"], rows)
    })
}
