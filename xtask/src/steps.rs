//! One loop for the steps of a long task: a live heading, the step's own output, its time, its counts.
//!
//! A step that fails does not stop the next ones: one run tells all that is wrong. A step whose ground is
//! missing says so by being skipped, and that is counted as loudly as a failure.

use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::counts::Counts;

/// How a step ended: none failed means that it passed.
pub(crate) struct Outcome(pub(crate) Counts);

/// The steps run so far.
pub(crate) struct Steps {
    started: Instant,
    rows: Vec<Row>,
}

struct Row {
    name: &'static str,
    word: &'static str,
    took: Duration,
    note: String,
    counts: Counts,
}

impl Steps {
    pub(crate) fn begin() -> Self {
        Self { started: Instant::now(), rows: Vec::new() }
    }

    /// Runs one step; says whether it passed.
    pub(crate) fn run(&mut self, name: &'static str, step: impl FnOnce() -> Result<Outcome>) -> bool {
        println!("\n==> {name}");
        let started = Instant::now();
        let (word, note, counts) = match step() {
            Ok(Outcome(counts)) if counts.failed == 0 => ("ok", String::new(), counts),
            Ok(Outcome(counts)) => ("FAILED", String::new(), counts),
            Err(error) => ("FAILED", format!("{error:#}"), Counts::FAILED),
        };
        let row = Row { name, word, took: started.elapsed(), note, counts };
        println!("{row}");
        self.rows.push(row);
        word == "ok"
    }

    /// Leaves a step out, for this reason.
    pub(crate) fn skip(&mut self, name: &'static str, why: &str) {
        let row = Row {
            name,
            word: "SKIPPED",
            took: Duration::ZERO,
            note: why.to_owned(),
            counts: Counts::SKIPPED,
        };
        self.rows.push(row);
    }

    /// Prints all steps again and the closing line; says whether everything passed.
    pub(crate) fn close(self) -> bool {
        println!("\n==> summary");
        let mut total = Counts::default();
        for row in &self.rows {
            println!("{row}");
            total += row.counts;
        }
        println!("wall time {}", seconds(self.started.elapsed()));
        println!("{total}");
        total.failed == 0
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:<10} {:<8} {:>9}", self.name, self.word, seconds(self.took))?;
        if self.note.is_empty() { Ok(()) } else { write!(f, "  {}", self.note) }
    }
}

/// Minutes and seconds, as short as they are.
pub(crate) fn seconds(duration: Duration) -> String {
    match duration.as_secs() / 60 {
        0 => format!("{:.1} s", duration.as_secs_f64()),
        minutes => format!("{minutes} min {:02} s", duration.as_secs() % 60),
    }
}

/// Runs a program with its output passed on; anything but exit code 0 is an error.
pub(crate) fn check(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().with_context(|| named(command))?;
    anyhow::ensure!(status.success(), "{} ended with {status}", named(command));
    Ok(())
}

/// Runs a program as a step of its own: one passed or one failed.
pub(crate) fn program(command: &mut Command) -> Result<Outcome> {
    check(command).map(|()| Outcome(Counts::PASSED))
}

/// Runs a program with its output passed on and kept; says whether it ended with 0, and what it wrote.
pub(crate) fn record(command: &mut Command) -> Result<(bool, String)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| named(command))?;
    let stdout = child.stdout.take().expect("standard output was piped");
    let stderr = child.stderr.take().expect("standard error was piped");
    let (out, err) = thread::scope(|scope| {
        let out = scope.spawn(|| pass_on(stdout, io::stdout()));
        let err = pass_on(stderr, io::stderr());
        (out.join().expect("passing bytes on does not panic"), err)
    });
    let status = child.wait().with_context(|| named(command))?;
    Ok((status.success(), out? + &err?))
}

fn pass_on(mut from: impl Read, mut to: impl Write) -> io::Result<String> {
    let mut kept = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(String::from_utf8_lossy(&kept).into_owned());
        }
        to.write_all(&buffer[..read])?;
        to.flush()?;
        kept.extend_from_slice(&buffer[..read]);
    }
}

fn named(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
