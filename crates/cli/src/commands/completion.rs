//! `completion`: what a shell needs to complete commands.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::{args::Arguments, output};

/// Which shell.
#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    /// The shell, for example: alethia completion bash > /etc/bash_completion.d/alethia
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(args: &CompletionArgs) -> anyhow::Result<()> {
    let mut script = Vec::new();
    generate(args.shell, &mut Arguments::command(), "alethia", &mut script);
    output::write(&String::from_utf8_lossy(&script))
}
