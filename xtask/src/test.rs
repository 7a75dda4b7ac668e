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
use crate::{chaos, checkov, preflight, project, reference, tidy};

/// What a step stands on.
#[derive(PartialEq)]
enum Ground {
    /// The sources.
    Sources,
    /// What the step `build` made.
    Build,
}

type Step = fn() -> Result<Outcome>;

const BUILD: &str = "build";
/// The one step that takes its time; it comes last.
const CHAOS: &str = "chaos";

const STEPS: &[(&str, Ground, Step)] = &[
    ("fmt", Ground::Sources, || steps::program(cargo().args(["fmt", "--all", "--check"]))),
    ("tidy", Ground::Sources, || passed(tidy::run())),
    ("clippy", Ground::Sources, || {
        steps::program(cargo().args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
    }),
    ("rustdoc", Ground::Sources, || {
        let mut doc = cargo();
        doc.env("RUSTDOCFLAGS", "--deny warnings");
        steps::program(doc.args(["doc", "--workspace", "--no-deps", "--document-private-items"]))
    }),
    (BUILD, Ground::Sources, || steps::program(cargo().args(["build", "--workspace", "--all-targets"]))),
    ("tests", Ground::Build, tests),
    ("reference", Ground::Build, || passed(reference::run(true))),
    ("checkov", Ground::Build, || passed(checkov::run())),
    (CHAOS, Ground::Build, || passed(chaos::test())),
];

/// `quick` leaves out the chaos.
pub(crate) fn run(quick: bool) -> ExitCode {
    let mut steps = Steps::begin();
    let is_ready = steps.run("preflight", || passed(preflight::run()));
    let mut is_built = false;
    for (name, ground, step) in STEPS.iter().filter(|(name, ..)| !quick || *name != CHAOS) {
        if !is_ready {
            steps.skip(name, "the machine lacks what preflight names");
        } else if *ground == Ground::Build && !is_built {
            steps.skip(name, "the build failed");
        } else {
            let has_passed = steps.run(name, step);
            is_built |= *name == BUILD && has_passed;
        }
    }
    if steps.close() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How many worlds the model of the job engine plays here; it plays fewer when it is run by itself.
const MODEL_SEEDS: &str = "10000";

/// All tests of the workspace, by nextest where it is installed.
fn tests() -> Result<Outcome> {
    let mut command = cargo();
    if preflight::nextest() {
        command.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
    } else {
        command.args(["test", "--workspace", "--all-targets", "--no-fail-fast"]);
    }
    command.env("ALETHIA_MODEL_SEEDS", std::env::var_os("ALETHIA_MODEL_SEEDS").unwrap_or(MODEL_SEEDS.into()));
    let (success, output) = steps::record(&mut command)?;
    match counts::read(&output) {
        Some(counts) if success || counts.failed > 0 => Ok(Outcome(counts)),
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

fn passed(outcome: Result<()>) -> Result<Outcome> {
    outcome.map(|()| Outcome(Counts::PASSED))
}
