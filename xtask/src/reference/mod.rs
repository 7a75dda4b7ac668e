//! The reference pages that are written from the binary, so that they can't promise what is not there.
//!
//! `cargo xtask docs` writes them, `cargo xtask test` fails while one is out of date. The binary is the debug
//! one that was built before.

mod cli;
mod spec;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::project;

type Page = fn(&Path) -> Result<String>;

const PAGES: &[(&str, Page)] =
    &[("docs/spec-reference.md", spec::page), ("docs/cli-reference.md", cli::page)];

/// Writes the pages, or with `check` only compares them.
pub(crate) fn run(check: bool) -> Result<()> {
    let binary = project::binary("debug")?;
    for (path, page) in PAGES {
        let file = project::root().join(path);
        let fresh = page(&binary)?;
        if fs::read_to_string(&file).unwrap_or_default() == fresh {
            println!("{path} is up to date");
        } else if check {
            bail!("{path} is out of date; run `cargo xtask docs`");
        } else {
            fs::write(&file, fresh).with_context(|| format!("failed to write {path}"))?;
            println!("wrote {path}");
        }
    }
    Ok(())
}

/// What the binary prints to these arguments, with nothing of this machine in its environment.
fn output(binary: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(binary);
    command.args(arguments).env_clear().env("HOME", "/nonexistent").env("NO_COLOR", "1").stdin(Stdio::null());
    let output = command.output().with_context(|| format!("failed to run {}", binary.display()))?;
    let words = arguments.join(" ");
    ensure!(output.status.success(), "alethia {words} ended with {}", output.status);
    String::from_utf8(output.stdout).with_context(|| format!("alethia {words} printed no text"))
}
