//! checkov over the Terraform root that Alethia renders for `examples/shop.yaml`.
//!
//! checkov lives in a Python environment of the user's cache, so a clean clone does not install it again.
//! What it may overlook stands with its reason in `crates/terraform/templates/aws/.checkov.yaml`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::{project, steps};

const VERSION: &str = "3.3.30";

/// Renders the example with the debug binary (built before) and checks it.
pub(crate) fn run() -> Result<()> {
    let checkov = installed()?;
    let folder = project::target()?.join("checkov");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("failed to empty {}", folder.display()))?;
    }
    let mut export = Command::new(project::binary("debug")?);
    export.args(["spec", "export", "examples/shop.yaml"]).arg(&folder);
    steps::check(export.current_dir(project::root()).stdout(Stdio::null()))?;
    let mut command = Command::new(checkov);
    command.arg("--directory").arg(&folder);
    command.arg("--config-file").arg(project::root().join("crates/terraform/templates/aws/.checkov.yaml"));
    command.current_dir(project::root());
    steps::check(&mut command)
}

/// The checkov program of the cached environment, which is made on first use.
fn installed() -> Result<PathBuf> {
    let environment = project::cache(&format!("checkov-{VERSION}"))?;
    let complete = environment.join("complete");
    if !complete.is_file() {
        println!("installing checkov {VERSION} into {}", environment.display());
        install(&environment)?;
        fs::write(&complete, VERSION).with_context(|| format!("failed to write {}", complete.display()))?;
    }
    Ok(environment.join("bin/checkov"))
}

fn install(environment: &Path) -> Result<()> {
    steps::check(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment))?;
    let mut pip = Command::new(environment.join("bin/pip"));
    steps::check(
        pip.args(["install", "--quiet", "--disable-pip-version-check"]).arg(format!("checkov=={VERSION}")),
    )
}
