//! This program in the place of Terraform, for rows that need to know when a line was written.
//!
//! A script that a Runner takes for Terraform starts it as `alethia-bench stand-in HOW … ARGUMENTS`. `babble` is a Terraform
//! that starts in no time and prints lines, each with the time in it; `note` runs the real one and notes when it wrote its
//! first line of a plan.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, bail};

/// The word that this program is called with.
pub(crate) const WORD: &str = "stand-in";
/// What stands before the time in a line.
pub(crate) const STAMP: &str = "stamp=";

/// What it is to do.
pub(crate) enum StandIn<'a> {
    /// So many lines, with a pause of so many milliseconds at the most between two.
    Babble { lines: u32, pause: u32 },
    /// Notes in this file, one a line, when the plans of `terraform` began to speak.
    Note { terraform: &'a Path, times: &'a Path },
}

impl StandIn<'_> {
    /// Writes the program `terraform` into a folder.
    pub(crate) fn install(&self, folder: &Path) -> Result<PathBuf> {
        let how = match self {
            Self::Babble { lines, pause } => format!("babble {lines} {pause}"),
            Self::Note { terraform, times } => {
                format!("note '{}' '{}'", terraform.display(), times.display())
            }
        };
        let own = std::env::current_exe()?;
        let program = folder.join("terraform");
        fs::write(&program, format!("#!/bin/sh\nexec '{}' {WORD} {how} \"$@\"\n", own.display()))?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        Ok(program)
    }
}

/// Nanoseconds since 1970.
pub(crate) fn stamp() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

/// Does what the script says.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["babble", lines, pause, command, ..] => babble(lines.parse()?, pause.parse()?, command),
        ["note", terraform, times, ref rest @ ..] => note(terraform, times, rest),
        [..] => bail!("nobody stands in like that"),
    }
}

fn babble(lines: u32, pause: u32, command: &str) -> Result<()> {
    match command {
        "version" => println!(r#"{{"terraform_version":"1.11.4"}}"#),
        "init" => init()?,
        "plan" => plan(lines, pause)?,
        "show" => println!(r#"{{"format_version":"1.2","resource_changes":[]}}"#),
        other => bail!("nobody asked for {other}"),
    }
    Ok(())
}

fn init() -> Result<()> {
    fs::create_dir_all(".terraform/modules")?;
    fs::create_dir_all(".terraform/providers")?;
    fs::write(".terraform/modules/modules.json", r#"{"Modules":[]}"#)?;
    Ok(fs::write(".terraform/terraform.tfstate", r#"{"version":3}"#)?)
}

fn plan(lines: u32, pause: u32) -> Result<()> {
    // Not random, but no rhythm either.
    let mut seed = std::process::id();
    for _ in 0..lines {
        let line = format!(
            r#"{{"@level":"info","@message":"{STAMP}{};","@timestamp":"2026-01-02T03:04:05.6Z","type":"log"}}"#,
            stamp()
        );
        let mut out = io::stdout().lock();
        writeln!(out, "{line}")?;
        out.flush()?;
        drop(out);
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        thread::sleep(Duration::from_millis(u64::from((seed >> 8) % pause.max(1))));
    }
    Ok(fs::write("plan.bin", "a plan")?)
}

fn note(terraform: &str, times: &str, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(terraform);
    command.args(arguments);
    if arguments.first() != Some(&"plan") {
        return Err(command.exec()).context("failed to run terraform");
    }
    let mut child = command.stdout(Stdio::piped()).spawn().context("failed to run terraform")?;
    let mut output = child.stdout.take().context("terraform has no output")?;
    let mut first = [0; 4096];
    let read = output.read(&mut first)?;
    let mut file = OpenOptions::new().create(true).append(true).open(times)?;
    writeln!(file, "{}", stamp())?;
    let mut out = io::stdout().lock();
    out.write_all(&first[..read])?;
    out.flush()?;
    io::copy(&mut output, &mut out)?;
    let status = child.wait()?;
    std::process::exit(status.code().unwrap_or(1))
}
