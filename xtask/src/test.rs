//! `cargo xtask test`: everything that CI runs, in one list.
//!
//! The cheap steps come first, so that a slip shows in seconds. One `cargo build` makes every artifact that the
//! tests, the reference check and checkov use: all of them see the same features and the same profile, so
//! nothing is compiled twice for them. Only clippy stands apart, because it checks without generating code.

use std::io::IsTerminal;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};

use crate::counts::{self, Counts};
use crate::steps::{self, Outcome, Steps};
use crate::{checkov, preflight, project, reference, tidy};

pub(crate) fn run() -> ExitCode {
    let mut steps = Steps::begin();
    if !steps.run("preflight", || preflight::run().map(|()| Outcome::Counted(Counts::PASSED))) {
        for name in ["fmt", "tidy", "clippy", "build", "tests", "reference", "checkov"] {
            steps.run(name, || skipped("the machine lacks what preflight names"));
        }
        steps.close();
        return ExitCode::FAILURE;
    }

    steps.run("fmt", || steps::program(cargo().args(["fmt", "--all", "--check"])));
    steps.run("tidy", || tidy::run().map(|()| Outcome::Counted(Counts::PASSED)));
    steps.run("clippy", || {
        steps::program(cargo().args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
    });
    let built =
        steps.run("build", || steps::program(cargo().args(["build", "--workspace", "--all-targets"])));
    if built {
        steps.run("tests", tests);
        steps.run("reference", || reference::run(true).map(|()| Outcome::Counted(Counts::PASSED)));
        steps.run("checkov", || checkov::run().map(|()| Outcome::Counted(Counts::PASSED)));
    } else {
        for name in ["tests", "reference", "checkov"] {
            steps.run(name, || skipped("the build failed"));
        }
    }
    if steps.close() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All tests of the workspace, by nextest where it is installed.
fn tests() -> Result<Outcome> {
    let mut command = cargo();
    if preflight::nextest() {
        command.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
    } else {
        command.args(["test", "--workspace", "--all-targets", "--no-fail-fast"]);
    }
    let (success, output) = steps::record(&mut command)?;
    match counts::read(&output) {
        Some(counts) if success || counts.failed > 0 => Ok(Outcome::Counted(counts)),
        Some(_) => bail!("the test runner failed although no test did"),
        None => bail!("the test runner ended without a summary"),
    }
}

fn cargo() -> Command {
    let mut cargo = project::cargo();
    if std::io::stderr().is_terminal() {
        cargo.env("CARGO_TERM_COLOR", "always");
    }
    cargo
}

fn skipped(why: &str) -> Result<Outcome> {
    Ok(Outcome::Skipped(why.to_owned()))
}
