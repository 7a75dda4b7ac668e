//! What a command prints: data on stdout as a table, JSON or YAML; everything else on stderr.
//!
//! Colour is decoration only, no meaning hangs on it. It is left out without a terminal and with NO_COLOR.

use std::io::{self, IsTerminal, Write};

use alethia_domain::lifecycle::{ComponentStatus, JobStatus, SpecStatus};
use chrono::{DateTime, Utc};
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde::{Deserialize, Serialize};

use crate::error::output_error;

/// How data is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// For people
    #[default]
    Table,
    /// One JSON document
    Json,
    /// One YAML document
    Yaml,
}

/// What a piece of text stands out as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// All is well.
    Good,
    /// Something changes.
    Change,
    /// Something is lost or failed.
    Bad,
    /// Less important.
    Quiet,
    /// A heading.
    Strong,
}

/// Where colour may go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    colour: bool,
}

impl Paint {
    /// For text on stdout.
    pub(crate) fn stdout() -> Self {
        Self { colour: wants_colour() && io::stdout().is_terminal() }
    }

    /// For text on stderr.
    pub(crate) fn stderr() -> Self {
        Self { colour: wants_colour() && io::stderr().is_terminal() }
    }

    /// The text, in colour where that is possible.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Change => "33",
            Tone::Bad => "31;1",
            Tone::Quiet => "2",
            Tone::Strong => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Prints a value in the wanted format; the table is made only when it is wanted.
pub(crate) fn print<T: Serialize>(
    format: Format,
    value: &T,
    table: impl FnOnce() -> String,
) -> anyhow::Result<()> {
    match format {
        Format::Table => write(&table()),
        Format::Json => write(&serde_json::to_string_pretty(value)?),
        Format::Yaml => write(serde_saphyr::to_string(value)?.trim_end()),
    }
}

/// Writes text and a line end to stdout.
pub(crate) fn write(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush());
    written.map_err(output_error)
}

/// A plain table: a header line, then a line a row, no borders.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.set_header(header.iter().map(|title| title.to_uppercase()));
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// The table, or a sentence where there is nothing.
pub(crate) fn table_or(nothing: &str, header: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() { nothing.to_owned() } else { table(header, rows) }
}

/// Names with their values, one a line.
pub(crate) fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = facts.iter().map(|(name, value)| format!("{name:<width$}  {value}").trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// A point in time as people read it.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A value that may be missing.
pub(crate) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// A value in one line: text without its quotes.
pub(crate) fn inline(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// How a job's status stands out.
pub(crate) fn job_tone(status: JobStatus) -> Tone {
    match status {
        JobStatus::Queued | JobStatus::Claimed | JobStatus::Processing => Tone::Change,
        JobStatus::Success => Tone::Good,
        JobStatus::Failed => Tone::Bad,
        JobStatus::Cancelled => Tone::Quiet,
    }
}

/// How a Spec's status stands out.
pub(crate) fn spec_tone(status: SpecStatus) -> Tone {
    match status {
        SpecStatus::Draft | SpecStatus::Destroyed => Tone::Quiet,
        SpecStatus::Queued | SpecStatus::Provisioning | SpecStatus::Destroying => Tone::Change,
        SpecStatus::Active => Tone::Good,
        SpecStatus::Failed => Tone::Bad,
    }
}

/// How a component's status stands out.
pub(crate) fn component_tone(status: ComponentStatus) -> Tone {
    match status {
        ComponentStatus::Pending | ComponentStatus::Destroyed => Tone::Quiet,
        ComponentStatus::Creating | ComponentStatus::Updating | ComponentStatus::Destroying => Tone::Change,
        ComponentStatus::Active => Tone::Good,
        ComponentStatus::Failed => Tone::Bad,
    }
}

fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_header_and_no_spaces_at_line_ends() {
        let rows = [vec!["shop".to_owned(), "ACTIVE".to_owned()], vec!["a".to_owned(), "DRAFT".to_owned()]];
        assert_eq!(table(&["name", "status"], rows), "NAME  STATUS\nshop  ACTIVE\na     DRAFT");
    }

    #[test]
    fn facts_are_aligned() {
        let text = facts(&[("id", "1".into()), ("status", "ACTIVE".into()), ("why", String::new())]);
        assert_eq!(text, "id      1\nstatus  ACTIVE\nwhy");
    }
}
