//! `cargo xtask bench`: builds the release binary and the program that measures it, and starts that one.
//!
//! What is measured and how is all in `bench/`.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{project, steps};

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    println!("==> building the release binaries (some minutes the first time)");
    let packages = ["--package", "alethia", "--package", "alethia-bench"];
    steps::check(project::cargo().args(["build", "--release"]).args(packages))?;
    let program = project::target()?.join("release").join("alethia-bench");
    let status = Command::new(&program).args(arguments).current_dir(project::root()).status();
    let status = status.with_context(|| format!("failed to run {}", program.display()))?;
    ensure!(status.success(), "the bench ended with {status}");
    Ok(())
}
