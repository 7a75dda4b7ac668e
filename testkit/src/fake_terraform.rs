//! A small Terraform that does as it is told: hangs, floods, ignores interrupts, fails.
//!
//! A shell script in a folder of its own. It answers `version`, `init`, `plan`, `show`, `apply` and `state pull` as far as
//! a Runner looks at them, and writes every call into a file. Its behaviour is part of the script and not of its
//! environment, since a Runner scrubs that.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// What it does when it is asked to `apply`, and to `plan`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All goes well.
    Succeed,
    /// It prints a diagnostic and fails.
    Fail,
    /// It never ends, but ends when it is interrupted.
    Hang,
    /// It never ends, interrupted or not, and has a child that does not either.
    IgnoreInterrupt,
    /// It never ends, but when it is interrupted it prints so many lines, leaves a `last-word` beside itself, and ends.
    HangThenFlood(u32),
    /// It prints so many lines first.
    Flood(u32),
    /// It prints lines until [`Installed::enough`] is said.
    FloodUntilEnough,
    /// It leaves a state behind that it could not write, and fails.
    ErroredState,
}

/// How the fake is to be.
#[derive(Clone, Debug)]
pub struct FakeTerraform {
    version: String,
    plan: Mode,
    apply: Mode,
    plan_json: String,
    apply_lines: Vec<String>,
}

/// A fake that is there. Dropping it removes it.
#[derive(Debug)]
pub struct Installed {
    folder: TempDir,
}

impl Default for FakeTerraform {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeTerraform {
    /// One of version 1.11.4 for which all goes well and nothing changes.
    pub fn new() -> Self {
        Self {
            version: "1.11.4".to_owned(),
            plan: Mode::Succeed,
            apply: Mode::Succeed,
            plan_json: r#"{"format_version":"1.2","resource_changes":[]}"#.to_owned(),
            apply_lines: Vec::new(),
        }
    }

    /// Another version.
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// What `plan` does.
    pub fn plan(mut self, mode: Mode) -> Self {
        self.plan = mode;
        self
    }

    /// What `apply` does.
    pub fn apply(mut self, mode: Mode) -> Self {
        self.apply = mode;
        self
    }

    /// What `show -json` prints.
    pub fn plan_json(mut self, json: &str) -> Self {
        json.clone_into(&mut self.plan_json);
        self
    }

    /// What `apply` prints before it does anything else.
    pub fn apply_lines<'a>(mut self, lines: impl IntoIterator<Item = &'a str>) -> Self {
        self.apply_lines = lines.into_iter().map(str::to_owned).collect();
        self
    }

    /// Writes it as a program named `terraform` into a fresh folder.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn install(&self) -> io::Result<Installed> {
        let folder = tempfile::tempdir()?;
        let here = folder.path();
        fs::write(here.join("plan.json"), &self.plan_json)?;
        fs::write(
            here.join("apply.lines"),
            self.apply_lines.iter().map(|line| format!("{line}\n")).collect::<String>(),
        )?;
        fs::write(here.join("calls"), "")?;
        let program = here.join("terraform");
        fs::write(&program, self.script(here))?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        Ok(Installed { folder })
    }

    fn script(&self, here: &Path) -> String {
        format!(
            r#"#!/bin/sh
here='{here}'
echo "$*" >> "$here/calls"
say() {{ printf '{{"@level":"%s","@message":"%s","@timestamp":"2026-01-02T03:04:05.6Z","type":"log"}}\n' "$1" "$2"; }}
case "$1" in
version) echo '{{"terraform_version":"{version}"}}'; exit 0 ;;
init)
  env | sort > "$here/environment"
  mkdir -p .terraform/modules .terraform/providers
  echo '{{"Modules":[]}}' > .terraform/modules/modules.json
  echo '{{"version":3}}' > .terraform/terraform.tfstate
  echo '# made by init' >> .terraform.lock.hcl
  exit 0 ;;
plan)
  say info "planning"
  {plan}
  echo "a plan" > plan.bin
  exit 0 ;;
show) cat "$here/plan.json"; exit 0 ;;
apply)
  say info "applying"
  cat "$here/apply.lines"
  {apply}
  exit 0 ;;
state) exit 0 ;;
*) echo "unknown command $1" >&2; exit 64 ;;
esac
"#,
            here = here.display(),
            version = self.version,
            plan = body(self.plan),
            apply = body(self.apply),
        )
    }
}

impl Installed {
    /// The program.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("terraform")
    }

    /// Ends a flood that goes on until then.
    ///
    /// # Panics
    /// When the disk refuses.
    pub fn enough(&self) {
        fs::write(self.folder.path().join("enough"), "").expect("the folder of the fake is there");
    }

    /// Every call so far, as the arguments of one call a line.
    pub fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    /// The environment of the last `init`, one `NAME=value` a line.
    pub fn environment(&self) -> String {
        fs::read_to_string(self.folder.path().join("environment")).unwrap_or_default()
    }

    /// Process ids of the processes that never end by themselves, once they run.
    pub fn hanging(&self) -> Vec<i32> {
        let ids = fs::read_to_string(self.folder.path().join("hanging")).unwrap_or_default();
        ids.lines().filter_map(|id| id.parse().ok()).collect()
    }
}

/// Shell that does what a mode says. A wait in the background lets a trap run at once.
fn body(mode: Mode) -> String {
    match mode {
        Mode::Succeed => ":".to_owned(),
        Mode::Fail => r#"printf '%s\n' '{"@level":"error","@message":"Error: told to fail","@timestamp":"2026-01-02T03:04:05.6Z","type":"diagnostic","diagnostic":{"severity":"error","summary":"told to fail","detail":"Rate exceeded"}}'; exit 1"#.to_owned(),
        Mode::Hang => hang("say error interrupted"),
        Mode::HangThenFlood(lines) => hang(&format!("{}; : > \"$here/last-word\"", flood(&format!("[ $n -lt {lines} ]")))),
        Mode::IgnoreInterrupt => r#"trap '' INT
  sleep 3600 & waiting=$!
  printf '%s\n' $$ $waiting > "$here/hanging.new"; mv "$here/hanging.new" "$here/hanging"
  wait $waiting"#.to_owned(),
        Mode::Flood(lines) => flood(&format!("[ $n -lt {lines} ]")),
        Mode::FloodUntilEnough => flood(r#"[ ! -e "$here/enough" ]"#),
        Mode::ErroredState => "echo '{\"version\":4,\"serial\":7}' > errored.tfstate; say error 'failed to persist state'; exit 1".to_owned(),
    }
}

/// Shell that waits until it is interrupted, and then does something more.
fn hang(last: &str) -> String {
    format!(
        r#"trap '{last}; kill $waiting; exit 1' INT
  sleep 3600 & waiting=$!
  printf '%s\n' $$ $waiting > "$here/hanging.new"; mv "$here/hanging.new" "$here/hanging"
  wait $waiting"#
    )
}

fn flood(condition: &str) -> String {
    format!(
        r#"n=0; while {condition}; do n=$((n + 1)); say info "line $n of a flood that goes on and on"; done"#
    )
}
