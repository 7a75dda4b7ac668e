//! The binary as a person types it: exit codes, sentences with hints, formats.

mod keeping;
mod offline;
mod online;
mod up;

use std::{
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use alethia_testkit::processes;
use serde_json::Value;
use tempfile::TempDir;

/// A small Spec: one queue.
const SPEC: &str = "apiVersion: alethia/v1\nkind: Spec\nname: tiny\nstage: development\n\
                    cloud:\n  provider: aws\n  region: eu-central-1\n  identity: sandbox\nqueues:\n  - name: work\n";
/// How long a test waits for something to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary with an environment of its own: no settings of the machine reach it.
fn alethia(home: &Path) -> Command {
    processes::command(env!("CARGO_BIN_EXE_alethia"), home)
}

fn run(home: &TempDir, words: &[&str]) -> Output {
    alethia(home.path()).args(words).output().expect("the binary runs")
}

/// Runs a command that must end well; says what it printed.
fn ok(home: &TempDir, words: &[&str]) -> String {
    let output = run(home, words);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {}{}", stdout(&output), stderr(&output));
    stdout(&output)
}

/// Runs a command that must end well and print one JSON document.
fn json(home: &TempDir, words: &[&str]) -> Value {
    let words: Vec<&str> = words.iter().copied().chain(["--output", "json"]).collect();
    serde_json::from_str(&ok(home, &words)).expect("stdout is one JSON document")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("output is text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("output is text")
}

fn home() -> TempDir {
    TempDir::new().expect("there is a folder for temporary files")
}

fn write(home: &TempDir, name: &str, text: &str) {
    std::fs::write(home.path().join(name), text).expect("the folder is ours");
}

/// Looks until there is something to see.
fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    processes::until(what, PATIENCE, look)
}
