//! `cargo xtask chaos`: builds the debug binaries and starts the harness that hurts them.
//!
//! What is hurt, how, and what is checked is all in `chaos/`.

use std::process::Command;

use anyhow::Result;

use crate::{preflight, project, steps};

/// The run that belongs to every full test.
const IN_TESTS: [&str; 4] = ["--minutes", "10", "--seed", "20261124"];

/// Builds what is needed and passes the arguments on.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let packages = ["--package", "alethia", "--package", "alethia-chaos"];
    steps::check(project::cargo().arg("build").args(packages))?;
    start(arguments.iter().map(String::as_str))
}

/// Ten minutes with the seed that never changes, on what is built already.
pub(crate) fn test() -> Result<()> {
    start(IN_TESTS)
}

fn start<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<()> {
    preflight::clock();
    let chaos = project::program("debug", "alethia-chaos")?;
    steps::check(Command::new(chaos).args(arguments).current_dir(project::root()))
}
