//! The project's own tasks, run as `cargo xtask TASK`.
//!
//! `test` is everything CI runs and `demo` is the main job in front of one's eyes; the rest are the parts that
//! are useful alone. Tasks start programs and read files; nothing of the platform is linked in here, so that a
//! task still runs while a crate of the platform does not compile.

mod bench;
mod chaos;
mod checkov;
mod counts;
mod demo;
mod fixture;
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
    /// pages, checkov, ten minutes of chaos
    Test {
        /// Leave out the chaos
        #[arg(long)]
        quick: bool,
    },
    /// Build the release binary and take examples/shop.yaml to ACTIVE on the sandbox cloud
    Demo,
    /// Measure the figures of docs/performance.md and write that page; `cargo xtask bench --list` names the rows
    #[command(disable_help_flag = true)]
    Bench {
        /// Passed on
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Hurt a whole platform by a seeded schedule of faults and check its history; `cargo xtask chaos
    /// --help` tells the rest
    #[command(disable_help_flag = true)]
    Chaos {
        /// Passed on
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
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
    /// Keep a platform as the code of this version writes it, for later versions to upgrade in their
    /// tests; once a release, before its schema changes
    Fixture,
    /// Rewrite the sandbox cloud's provider schemas
    Schemas {
        /// Folder with aws.json and random.json as `terraform providers schema -json` prints them
        source: PathBuf,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Test { quick } => return test::run(quick),
        Task::Demo => demo::run(),
        Task::Bench { arguments } => bench::run(&arguments),
        Task::Chaos { arguments } => chaos::run(&arguments),
        Task::Tidy => tidy::run(),
        Task::Docs { check } => reference::run(check),
        Task::Checkov => checkov::run(),
        Task::Fixture => fixture::run(),
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
