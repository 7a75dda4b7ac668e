//! The project's own tasks, run as `cargo xtask TASK`.
//!
//! `test` is everything CI runs and `demo` is the main job in front of one's eyes; the rest are the parts that
//! are useful alone. Tasks start programs and read files; nothing of the platform is linked in here, so that a
//! task still runs while a crate of the platform does not compile.

mod checkov;
mod counts;
mod demo;
mod preflight;
mod project;
mod reference;
mod schemas;
mod steps;
mod test;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tasks of the Alethia project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run everything that CI runs: preflight, fmt, tidy, clippy, rustdoc, build, tests, reference
    /// pages, checkov
    Test,
    /// Build the release binary and take examples/shop.yaml to ACTIVE on the sandbox cloud
    Demo,
    /// Check what no compiler checks: crate edges, file sizes, docs, links, lock files
    Tidy,
    /// Write the reference pages in docs/ from the debug binary: the Spec document and the commands
    Docs {
        /// Fail when a page is out of date, and write nothing
        #[arg(long)]
        check: bool,
    },
    /// Check the rendered Terraform of examples/shop.yaml with checkov, in a cached Python environment
    Checkov,
    /// Rewrite the sandbox cloud's provider schemas
    Schemas {
        /// Folder with aws.json and random.json as `terraform providers schema -json` prints them
        source: PathBuf,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Test => return test::run(),
        Task::Demo => demo::run(),
        Task::Tidy => tidy::run(),
        Task::Docs { check } => reference::run(check),
        Task::Checkov => checkov::run(),
        Task::Schemas { source } => schemas::run(&source),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
