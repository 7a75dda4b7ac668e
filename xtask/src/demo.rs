//! `cargo xtask demo`: the main job in front of one's eyes, on the sandbox cloud.
//!
//! The demo has a data folder of its own, which stays: so the commands that `apply` and it name at the end go on from
//! where it ended, and a second run shows that nothing is left to change.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::{project, steps};

const SPEC: &str = "examples/shop.yaml";
const LATENCY: &str = "300";
/// The variable, and not the flag: so the commands that `apply` names can be typed with the alias that names the folder.
const FOLDER: &str = "ALETHIA_DATA_DIR";

pub(crate) fn run() -> Result<()> {
    let started = Instant::now();
    println!("==> building the release binary (some minutes the first time)");
    steps::check(project::cargo().args(["build", "--release", "--package", "alethia"]))?;
    let built = started.elapsed();

    let binary = project::binary("release")?;
    let data = project::data("alethia-demo")?;
    slow_the_sandbox_down(&binary, &data)?;
    let applying = Instant::now();
    println!("\n==> alethia apply --yes {SPEC}   (data in {})", data.display());
    apply(&binary, &data)?;
    let applied = applying.elapsed();

    next(&binary, &data);
    println!(
        "\nwall time {} ({} building, {} applying)",
        steps::seconds(started.elapsed()),
        steps::seconds(built),
        steps::seconds(applied)
    );
    Ok(())
}

/// Real clouds take minutes: a little waiting makes the progress visible. Instead of what an earlier demo left.
fn slow_the_sandbox_down(binary: &Path, data: &Path) -> Result<()> {
    let faults = |arguments: &[&str]| {
        let mut command = alethia(binary, data);
        steps::check(command.args(["sandbox", "faults"]).args(arguments).stdout(Stdio::null()))
    };
    faults(&["clear"])?;
    faults(&["add", "*", "--latency-ms", LATENCY])
}

/// With the terminal passed on: that is what there is to see.
fn apply(binary: &Path, data: &Path) -> Result<()> {
    let mut command = alethia(binary, data);
    let status = command.args(["apply", "--yes", SPEC]).status().context("failed to run alethia")?;
    ensure!(status.success(), "alethia apply ended with {status}");
    Ok(())
}

fn next(binary: &Path, data: &Path) {
    println!("\nThe file is {SPEC}. To type what stands below Next, do this first:");
    println!(
        "  cd {} && alias alethia='{FOLDER}={} {}'",
        project::root().display(),
        data.display(),
        binary.display()
    );
    println!("Of the sandbox cloud there is also:");
    println!("  what it holds    alethia sandbox list");
    println!("  no more waiting  alethia sandbox faults clear   (each operation takes {LATENCY} ms)");
}

fn alethia(binary: &Path, data: &Path) -> Command {
    let mut command = Command::new(binary);
    command.env(FOLDER, data).current_dir(project::root());
    command
}
