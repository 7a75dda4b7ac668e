//! A warning or an error of Terraform, with a hint for the frequent ones.

use serde_json::Value;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Work goes on.
    Warning,
    /// Work failed.
    Error,
}

/// A warning or an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// One line.
    pub summary: String,
    /// All of it; may be empty.
    pub detail: String,
    /// Address of the resource it is about.
    pub address: Option<String>,
    /// What to do about it, where that is known.
    pub hint: Option<&'static str>,
}

/// What clouds and Terraform say, in lower case, and what helps. The first match counts.
const HINTS: [(&[&str], &str); 13] = [
    (
        &["already scheduled for deletion"],
        "a deleted secret keeps its name until its recovery time is over: restore it and import it, or wait",
    ),
    (&["hostedzonenotempty"], "others made records in this zone: remove them, then start the job again"),
    (
        &["repositorynotempty"],
        "there are images in this registry: set `force_delete: true`, apply, then remove it",
    ),
    (
        &["timetolivespecification.attributename"],
        "the AWS provider can't switch the expiry of a table off: do it with `aws dynamodb update-time-to-live`, then start the job again",
    ),
    (
        &["no valid credential sources", "failed to retrieve credentials", "nocredentialproviders"],
        "the Runner found no way into the cloud: give its environment AWS credentials, or name a role in the Cloud Identity",
    ),
    (
        &[
            "expiredtoken",
            "token has expired",
            "security token included in the request is expired",
            "requestexpired",
        ],
        "the cloud credentials ran out: start the job again; for long jobs let the role allow longer sessions",
    ),
    (
        &["error acquiring the state lock", "state lock"],
        "another job holds the state: see it with `alethia state show`, release a dead one with `alethia state unlock`",
    ),
    (
        &[
            "accessdenied",
            "access denied",
            "unauthorizedoperation",
            "is not authorized to perform",
            "accessdeniedexception",
        ],
        "the Cloud Identity may not do this: allow the action named above for its role",
    ),
    (
        &["alreadyexists", "already exists", "entityalreadyexists", "resourceinuse", "resourceconflict"],
        "something with this name is there already: remove it, or bring it under Terraform with an import",
    ),
    (
        &["limitexceeded", "quota", "vcpulimitexceeded", "maximum number of", "toomany"],
        "the account's limit is reached: ask the cloud for more, or make less",
    ),
    (
        &["throttling", "rate exceeded", "requestlimitexceeded", "slowdown"],
        "the cloud asks to slow down: start the job again, it goes on where it stopped",
    ),
    (
        &["deletion protection", "deletionprotection", "cannot be deleted because"],
        "it is protected: set `deletion_protection: false`, apply, then destroy",
    ),
    (
        &["insufficientinstancecapacity", "insufficientcapacity", "insufficient capacity"],
        "the cloud has no such machine free in this zone: try again later, or allow other instance types",
    ),
];

impl Diagnostic {
    /// Summary, detail and hint as one sentence, for a status or an error.
    pub fn reason(&self) -> String {
        let detail = self.detail.trim();
        let said = match detail.lines().next() {
            Some(first) if !first.is_empty() => format!("{}: {detail}", self.summary),
            Some(_) | None => self.summary.clone(),
        };
        match self.hint {
            Some(hint) => format!("{said} (hint: {hint})"),
            None => said,
        }
    }

    /// Reads the `diagnostic` object of a line.
    pub(super) fn read(raw: &Value) -> Option<Self> {
        let text = |key: &str| raw.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let severity = match raw.get("severity")?.as_str()? {
            "warning" => Severity::Warning,
            _ => Severity::Error,
        };
        let (summary, detail) = (text("summary"), text("detail"));
        let address = raw.get("address").and_then(Value::as_str).map(str::to_owned);
        let hint = hint(&summary, &detail);
        Some(Self { severity, summary, detail, address, hint })
    }
}

fn hint(summary: &str, detail: &str) -> Option<&'static str> {
    let said = format!("{summary}\n{detail}").to_lowercase();
    HINTS.iter().find(|(signs, _)| signs.iter().any(|sign| said.contains(sign))).map(|(_, hint)| *hint)
}
