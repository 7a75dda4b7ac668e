//! What the machine must have before a test run makes sense: found, installed, or named in one line each.
//!
//! As root on a machine with apt-get, what Debian has is installed. Terraform is not in Debian: it is only named.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::steps;

/// The oldest Terraform or OpenTofu with write-only arguments.
const OLDEST_TOOL: (u64, u64) = (1, 11);

struct Need {
    what: &'static str,
    found: fn() -> bool,
    install: Install,
}

enum Install {
    /// Debian and Ubuntu packages.
    Packages(&'static [&'static str]),
    /// Words for a person.
    ByHand(&'static str),
}

const NEEDS: &[Need] = &[
    Need {
        what: "a C compiler (cc)",
        found: || on_path("cc").is_some(),
        install: Install::Packages(&["build-essential"]),
    },
    Need {
        what: "rustfmt and clippy",
        found: || on_path("cargo-fmt").is_some() && on_path("cargo-clippy").is_some(),
        install: Install::ByHand("rustup component add rustfmt clippy"),
    },
    Need {
        what: "Terraform or OpenTofu 1.11 or newer, as terraform or tofu on PATH",
        found: || ["terraform", "tofu"].into_iter().any(new_enough),
        install: Install::ByHand(
            "see https://developer.hashicorp.com/terraform/install or https://opentofu.org/docs/intro/install/",
        ),
    },
    Need {
        what: "the PostgreSQL server programs (initdb, postgres)",
        found: has_postgres,
        install: Install::Packages(&["postgresql"]),
    },
    Need {
        what: "Python 3 with venv",
        found: || succeeds("python3", &["-c", "import ensurepip, venv"]),
        install: Install::Packages(&["python3-venv"]),
    },
];

/// Finds what the test run needs, installs what it can, and names the rest in one error.
pub(crate) fn run() -> Result<()> {
    let may_install = rustix::process::geteuid().is_root() && on_path("apt-get").is_some();
    let mut missing = Vec::new();
    for need in NEEDS.iter().filter(|need| !(need.found)()) {
        match need.install {
            Install::Packages(packages) if may_install && install(packages) && (need.found)() => {}
            Install::Packages(packages) => {
                missing.push(format!("{}; install: apt-get install {}", need.what, packages.join(" ")));
            }
            Install::ByHand(how) => missing.push(format!("{}; install: {how}", need.what)),
        }
    }
    for line in &missing {
        println!("missing: {line}");
    }
    if !nextest() {
        println!(
            "note: cargo-nextest is not installed, `cargo test` runs the tests (cargo install cargo-nextest --locked is faster)"
        );
    }
    if missing.is_empty() { Ok(()) } else { bail!("{} of the above must be installed first", missing.len()) }
}

/// Installs what makes a clock wrong for one process, where that is possible; a run without it says so.
pub(crate) fn clock() {
    let is_there = || Path::new("/usr/bin/faketime").is_file();
    let may_install = rustix::process::geteuid().is_root() && on_path("apt-get").is_some();
    if !is_there() && may_install && !install(&["faketime"]) {
        println!("note: faketime could not be installed; no clock will be wrong");
    }
}

/// Whether `cargo nextest` is there.
pub(crate) fn nextest() -> bool {
    on_path("cargo-nextest").is_some()
}

fn install(packages: &[&str]) -> bool {
    println!("installing with apt-get: {}", packages.join(" "));
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet").arg("--yes");
        command
    };
    let install = || steps::check(apt().args(["install", "--no-install-recommends"]).args(packages));
    // A fresh machine has no package lists, and old lists name files that are gone: then update, and again.
    install().is_ok() || (steps::check(apt().arg("update")).is_ok() && install().is_ok())
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn new_enough(tool: &str) -> bool {
    let Ok(output) = version(tool) else {
        return false;
    };
    let version = serde_json::from_slice::<serde_json::Value>(&output.stdout).ok();
    let version = version.as_ref().and_then(|value| value["terraform_version"].as_str());
    version.and_then(major_minor).is_some_and(|found| found >= OLDEST_TOOL)
}

fn version(tool: &str) -> std::io::Result<std::process::Output> {
    let mut command = Command::new(tool);
    command.args(["version", "-json"]).env("CHECKPOINT_DISABLE", "1").stdin(Stdio::null()).output()
}

fn major_minor(version: &str) -> Option<(u64, u64)> {
    let mut numbers = version.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Debian keeps the server programs of each version outside PATH.
fn has_postgres() -> bool {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders = debian.map(|entry| entry.path().join("bin"));
    folders.any(|folder| has_both(&folder)) || (on_path("initdb").is_some() && on_path("postgres").is_some())
}

fn has_both(folder: &Path) -> bool {
    folder.join("initdb").is_file() && folder.join("postgres").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert_eq!(major_minor("1.11.4"), Some((1, 11)));
        assert_eq!(major_minor("1.9.0-beta1"), Some((1, 9)));
        assert!(major_minor("1.9.0") < Some(OLDEST_TOOL));
        assert_eq!(major_minor("unknown"), None);
    }
}
