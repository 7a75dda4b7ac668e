//! One line of what `terraform plan -json` and `apply -json` print, as a typed event.
//!
//! Reading never fails: an unknown kind of event keeps its message, and a line that is no JSON at all (a crash, a wrapper
//! script) is its own message. So nothing that Terraform said is lost on the way to a log.

mod diagnostic;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

pub use diagnostic::{Diagnostic, Severity};

/// One line of output.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// How loud it is.
    pub level: Level,
    /// What a person reads.
    pub message: String,
    /// What it means, when it is one of the kinds known here.
    pub event: Option<TerraformEvent>,
}

/// How loud a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For those who look for a fault in Terraform itself.
    Debug,
    /// The usual.
    Info,
    /// Something to look at.
    Warn,
    /// Something failed.
    Error,
}

/// What a line means.
#[derive(Clone, Debug, PartialEq)]
pub enum TerraformEvent {
    /// The first line: which Terraform or OpenTofu this is.
    Version {
        /// Its version.
        tool: String,
    },
    /// A resource that would change.
    PlannedChange(ResourceAction),
    /// A resource that was changed outside.
    ResourceDrift(ResourceAction),
    /// How many resources change or changed.
    ChangeSummary(ChangeSummary),
    /// Work on a resource began.
    ApplyStart(ResourceAction),
    /// Work on a resource goes on.
    ApplyProgress(ResourceAction),
    /// Work on a resource is done.
    ApplyComplete(ResourceAction),
    /// Work on a resource failed; the reason follows as a diagnostic.
    ApplyErrored(ResourceAction),
    /// A resource is being looked at.
    RefreshStart {
        /// Its address.
        address: String,
    },
    /// A resource was looked at.
    RefreshComplete {
        /// Its address.
        address: String,
    },
    /// A provisioner of a resource did something.
    Provision {
        /// The address of the resource.
        address: String,
    },
    /// A warning or an error.
    Diagnostic(Diagnostic),
    /// The outputs of the root.
    Outputs(BTreeMap<String, Output>),
    /// A message of Terraform's own.
    Log,
}

/// Something done to a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceAction {
    /// Address of the resource.
    pub address: String,
    /// What is done.
    pub action: Action,
    /// Seconds since it began, where Terraform says so.
    pub elapsed_seconds: Option<u64>,
}

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing.
    #[serde(alias = "no-op")]
    Noop,
    /// Made.
    Create,
    /// Read.
    Read,
    /// Changed.
    Update,
    /// Removed and made anew.
    Replace,
    /// Removed.
    Delete,
    /// Taken out of the state and left alone.
    #[serde(alias = "forget")]
    Remove,
    /// Taken into the state, or something newer than this program.
    #[serde(other)]
    Other,
}

/// How many resources change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ChangeSummary {
    /// Made.
    pub add: u32,
    /// Changed.
    pub change: u32,
    /// Removed.
    pub remove: u32,
    /// `plan`, `apply` or `destroy`.
    pub operation: String,
}

/// One output of the root. Its `Debug` form leaves a sensitive value out.
#[derive(Clone, PartialEq, Deserialize)]
pub struct Output {
    /// Whether the value may be shown.
    #[serde(default)]
    pub sensitive: bool,
    /// The value; `Null` when it is not known yet.
    #[serde(default)]
    pub value: Value,
}

/// Reads one line.
pub fn parse(line: &str) -> Line {
    let line = line.trim_end_matches(['\r', '\n']);
    match serde_json::from_str::<Map<String, Value>>(line) {
        Ok(mut fields) => said(read(&mut fields), line),
        Err(_) => Line { level: Level::Info, message: line.to_owned(), event: None },
    }
}

/// JSON that says nothing to a person, such as a log line of a wrapper, stands for itself.
fn said(read: Line, line: &str) -> Line {
    if read.message.is_empty() && read.event.is_none() {
        return Line { message: line.to_owned(), ..read };
    }
    read
}

fn read(fields: &mut Map<String, Value>) -> Line {
    let level = match text(fields, "@level") {
        "trace" | "debug" => Level::Debug,
        "warn" => Level::Warn,
        "error" => Level::Error,
        _ => Level::Info,
    };
    let message = text(fields, "@message").to_owned();
    let kind = text(fields, "type").to_owned();
    Line { level, message, event: event(&kind, fields) }
}

fn event(kind: &str, fields: &mut Map<String, Value>) -> Option<TerraformEvent> {
    match kind {
        "version" => Some(TerraformEvent::Version { tool: tool_version(fields).to_owned() }),
        "planned_change" => resource_action(fields, "change").map(TerraformEvent::PlannedChange),
        "resource_drift" => resource_action(fields, "change").map(TerraformEvent::ResourceDrift),
        "change_summary" => take(fields, "changes").map(TerraformEvent::ChangeSummary),
        "apply_start" => resource_action(fields, "hook").map(TerraformEvent::ApplyStart),
        "apply_progress" => resource_action(fields, "hook").map(TerraformEvent::ApplyProgress),
        "apply_complete" => resource_action(fields, "hook").map(TerraformEvent::ApplyComplete),
        "apply_errored" => resource_action(fields, "hook").map(TerraformEvent::ApplyErrored),
        "refresh_start" => address(fields).map(|address| TerraformEvent::RefreshStart { address }),
        "refresh_complete" => address(fields).map(|address| TerraformEvent::RefreshComplete { address }),
        "provision_start" | "provision_progress" | "provision_complete" | "provision_errored" => {
            address(fields).map(|address| TerraformEvent::Provision { address })
        }
        "diagnostic" => {
            let raw = fields.get("diagnostic")?;
            Diagnostic::read(raw).map(TerraformEvent::Diagnostic)
        }
        "outputs" => take(fields, "outputs").map(TerraformEvent::Outputs),
        "log" => Some(TerraformEvent::Log),
        _ => None,
    }
}

fn text<'a>(fields: &'a Map<String, Value>, key: &str) -> &'a str {
    fields.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn tool_version(fields: &Map<String, Value>) -> &str {
    let terraform = text(fields, "terraform");
    if terraform.is_empty() { text(fields, "tofu") } else { terraform }
}

fn take<T: serde::de::DeserializeOwned>(fields: &mut Map<String, Value>, key: &str) -> Option<T> {
    serde_json::from_value(fields.remove(key)?).ok()
}

fn resource_action(fields: &Map<String, Value>, part: &str) -> Option<ResourceAction> {
    let part = fields.get(part)?;
    let address = part.get("resource")?.get("addr")?.as_str()?.to_owned();
    let action = Action::deserialize(part.get("action")?).ok()?;
    let elapsed_seconds = part.get("elapsed_seconds").and_then(Value::as_u64);
    Some(ResourceAction { address, action, elapsed_seconds })
}

fn address(fields: &Map<String, Value>) -> Option<String> {
    Some(fields.get("hook")?.get("resource")?.get("addr")?.as_str()?.to_owned())
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut output = f.debug_struct("Output");
        output.field("sensitive", &self.sensitive);
        if !self.sensitive {
            output.field("value", &self.value);
        }
        output.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
