//! `cargo xtask bench`: builds the release binary and the program that measures it, and starts that one.
//!
//! What is measured and how is all in `bench/`.

use std::process::Command;

use anyhow::Result;

use crate::{project, steps};

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    println!("==> building the release binaries (some minutes the first time)");
    let packages = ["--package", "alethia", "--package", "alethia-bench"];
    steps::check(project::cargo().args(["build", "--release"]).args(packages))?;
    let bench = project::program("release", "alethia-bench")?;
    steps::check(Command::new(bench).args(arguments).current_dir(project::root()))
}
