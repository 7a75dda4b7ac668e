//! The command line: what may be typed. Each command's own arguments stand beside its code in `commands`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::{
    commands::{
        apply::ApplyArgs,
        backup::{BackupArgs, RestoreArgs},
        completion::CompletionArgs,
        config::ConfigArgs,
        design::DesignArgs,
        destroy::DestroyArgs,
        identity::IdentityCommand,
        jobs::JobsCommand,
        keys::KeysCommand,
        plan::PlanArgs,
        recover::RecoverArgs,
        runner::RunnerCommand,
        sandbox::SandboxCommand,
        serve::ServeArgs,
        spec::SpecCommand,
        state::StateCommand,
        token::TokenCommand,
        up::UpArgs,
        zone::ZoneCommand,
    },
    output::Format,
};

/// Describe an environment as a Spec; Alethia plans and applies it with Terraform.
///
/// Without a Console (`--server`) the whole platform runs inside of the command, and keeps its data on this machine.
#[derive(Debug, Parser)]
#[command(
    name = "alethia",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 success, 1 failure, 2 usage or validation, 3 declined."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Console to work with [env: ALETHIA_SERVER]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// Token for it; others on this machine can see it, a file is better [env: ALETHIA_TOKEN]
    #[arg(long, global = true, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    /// File that holds the token [env: ALETHIA_TOKEN_FILE]
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "token")]
    pub(crate) token_file: Option<PathBuf>,
    /// Folder for what this machine keeps [env: ALETHIA_DATA_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// terraform or tofu >= 1.11; looked for on PATH when absent [env: ALETHIA_TOOL]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) tool: Option<PathBuf>,
    /// Configuration file [env: ALETHIA_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// How data is printed [env: ALETHIA_OUTPUT]
    #[arg(long, short, global = true, value_enum, value_name = "FORMAT", hide_possible_values = true)]
    #[arg(help = "How data is printed: table, json or yaml [env: ALETHIA_OUTPUT]")]
    pub(crate) output: Option<Format>,
    /// Say on stderr what happens inside; twice says more [env: ALETHIA_LOG]
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the cloud as a Spec file says: plan, ask, apply
    Apply(ApplyArgs),
    /// Show what applying a Spec would change
    Plan(PlanArgs),
    /// Remove everything that a Spec has in the cloud
    Destroy(DestroyArgs),
    /// Bring back a Spec whose last change broke off: plan from the newest state, ask, go on
    Recover(RecoverArgs),
    /// Create a Spec file by answering a few questions
    Design(DesignArgs),
    /// Zones: groups of Specs
    #[command(subcommand, alias = "zones")]
    Zone(ZoneCommand),
    /// Specs, their documents and Revisions
    #[command(subcommand, alias = "specs")]
    Spec(SpecCommand),
    /// Jobs: what Runners did, do and will do
    #[command(subcommand, alias = "job")]
    Jobs(JobsCommand),
    /// Runners: who executes jobs
    #[command(subcommand, alias = "runners")]
    Runner(RunnerCommand),
    /// Terraform states: versions and locks
    #[command(subcommand, alias = "states")]
    State(StateCommand),
    /// Cloud Identities: the ways into clouds
    #[command(subcommand, alias = "identities")]
    Identity(IdentityCommand),
    /// API tokens
    #[command(subcommand, alias = "tokens")]
    Token(TokenCommand),
    /// Keys that states, plans and logs are sealed with
    #[command(subcommand, alias = "key")]
    Keys(KeysCommand),
    /// Write the whole platform into one file, while it runs
    Backup(BackupArgs),
    /// Make a platform from a backup
    Restore(RestoreArgs),
    /// The simulated cloud on this machine
    #[command(subcommand)]
    Sandbox(SandboxCommand),
    /// Run a Console and a Runner
    Up(UpArgs),
    /// Run a Console alone
    Serve(ServeArgs),
    /// Print a commented configuration file, or the settings in force
    Config(ConfigArgs),
    /// Print a completion script for a shell
    Completion(CompletionArgs),
    /// Print the version
    Version,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_help_of_every_command_is_as_reviewed() {
        let mut root = Arguments::command().term_width(100);
        root.build();
        let mut text = String::new();
        tell(&mut root, &mut text);
        insta::assert_snapshot!("help", text);
    }

    fn tell(command: &mut clap::Command, text: &mut String) {
        let name = command.get_bin_name().unwrap_or_default().to_owned();
        let help = command.render_long_help().to_string();
        let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
        let is_general = |part: &&str| name.contains(' ') && part.starts_with("Global options:");
        let help = lines.join("\n");
        let own: Vec<&str> = help.split("\n\n").filter(|part| !is_general(part)).collect();
        text.push_str(&format!("## {name}\n\n{}\n\n", own.join("\n\n")));
        for child in command.get_subcommands_mut().filter(|child| !child.is_hide_set()) {
            tell(child, text);
        }
    }
}
