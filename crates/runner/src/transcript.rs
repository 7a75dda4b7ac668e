//! What a person reads in a job's log: Terraform's own words, with the time, and diagnostics in full.

use std::fmt::Write;

use alethia_terraform::event_json::{Diagnostic, Level, Line, Severity, TerraformEvent};
use serde::Deserialize;

#[derive(Default, Deserialize)]
struct Extras {
    #[serde(rename = "@timestamp", default)]
    timestamp: String,
    #[serde(default)]
    diagnostic: Option<Place>,
}

#[derive(Default, Deserialize)]
struct Place {
    #[serde(default)]
    range: Option<Range>,
}

#[derive(Deserialize)]
struct Range {
    filename: String,
    start: Position,
}

#[derive(Deserialize)]
struct Position {
    line: u64,
}

/// The text of one line of Terraform's output; `None` for what only a developer of Terraform wants to see.
pub(crate) fn text(raw: &str, line: &Line) -> Option<String> {
    let extras: Extras = serde_json::from_str(raw).unwrap_or_default();
    let time = extras.timestamp.get(11..19).unwrap_or_default();
    let text = match (&line.event, line.level) {
        (Some(TerraformEvent::Diagnostic(diagnostic)), _) => full(diagnostic, extras.diagnostic),
        (_, Level::Debug) => return None,
        (_, Level::Info | Level::Warn | Level::Error) => line.message.trim_matches('\n').to_owned(),
    };
    Some(if time.is_empty() { text } else { format!("{time} {text}") })
}

fn full(diagnostic: &Diagnostic, place: Option<Place>) -> String {
    let severity = match diagnostic.severity {
        Severity::Warning => "Warning",
        Severity::Error => "Error",
    };
    let mut text = format!("{severity}: {}", diagnostic.summary);
    let mut add = |label: &str, value: &str| {
        for line in value.trim().lines() {
            write!(text, "\n    {label}{line}").expect("a string takes any text");
        }
    };
    add("with ", diagnostic.address.as_deref().unwrap_or_default());
    if let Some(range) = place.and_then(|place| place.range) {
        add("on ", &format!("{} line {}", range.filename, range.start.line));
    }
    add("", &diagnostic.detail);
    add("hint: ", diagnostic.hint.unwrap_or_default());
    text
}

#[cfg(test)]
mod tests {
    use alethia_terraform::event_json::parse;

    use super::*;

    fn shown(raw: &str) -> Option<String> {
        text(raw, &parse(raw))
    }

    #[test]
    fn a_message_stands_behind_its_time() {
        let raw = r#"{"@level":"info","@message":"x: Creating...","@timestamp":"2026-11-24T10:15:26.520241Z","type":"apply_start"}"#;
        assert_eq!(shown(raw).unwrap(), "10:15:26 x: Creating...");
        assert_eq!(shown("panic: no JSON").unwrap(), "panic: no JSON");
        assert_eq!(shown(r#"{"@level":"debug","@message":"x"}"#), None);
    }

    #[test]
    fn a_diagnostic_is_shown_in_full() {
        let raw = r#"{"@level":"error","@message":"Error: No","@timestamp":"2026-11-24T10:15:26.5Z","type":"diagnostic","diagnostic":{"severity":"error","summary":"No","detail":"Rate exceeded\n\nReally.","address":"module.queue-a.aws_sqs_queue.main","range":{"filename":"main.tf","start":{"line":3,"column":1,"byte":9},"end":{"line":3,"column":2,"byte":9}}}}"#;
        let text = shown(raw).unwrap();
        let start = "10:15:26 Error: No\n    with module.queue-a.aws_sqs_queue.main\n    on main.tf line 3\n    Rate exceeded\n    \n    Really.\n    hint: ";
        assert!(text.starts_with(start), "{text}");
    }
}
