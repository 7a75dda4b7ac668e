//! Secrets are taken out of whatever a Runner uploads: log, failures, plan summaries, outputs.
//!
//! Two nets: values that this Runner knows to be secret (its tokens, cloud keys), and shapes that secrets usually have.
//! A value shorter than six characters is not looked for: it would blacken ordinary words.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};
use serde_json::Value;

/// What stands in the place of a secret.
const MASK: &str = "***";
const SHORTEST_SECRET: usize = 6;
const KEY_BEGIN: &str = "-----BEGIN ";
const KEY_END: &str = "-----END ";

static PRIVATE_KEY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----.*?(-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|\z)",
    )
});
static ACCESS_KEY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b|\bal[arj]_[A-Za-z0-9_-]{20,}"));
static BEARER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{12,}"));
static USER_INFO: LazyLock<Regex> = LazyLock::new(|| pattern(r"(://[^/\s:@]*:)[^/\s@]+@"));
static ASSIGNMENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r#"(?i)([a-z0-9_.-]*(?:password|passwd|secret_?key|secret_?access_?key|access_?token|auth_?token|"#,
        r#"session_?token|security_?token|api_?key|private_?key|signature)"?'?\s*[=:]\s*)"#,
        r#"("[^"]*"|'[^']*'|[^\s,;&"'()]+)"#,
    ))
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is a constant that the tests use")
}

/// Takes secrets out of texts. Holds the secrets, so it has no `Debug` form.
#[derive(Clone)]
pub(crate) struct Redactor {
    secrets: Vec<String>,
}

impl Redactor {
    /// One that knows these values.
    pub(crate) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut secrets: Vec<String> =
            secrets.into_iter().filter(|secret| secret.len() >= SHORTEST_SECRET).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    /// The text without secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut text = self.values(text);
        for whole in [&PRIVATE_KEY, &ACCESS_KEY] {
            text = replaced(whole, text, |_| MASK.to_owned());
        }
        text = replaced(&BEARER, text, |found| format!("{} {MASK}", &found[1]));
        text = replaced(&USER_INFO, text, |found| format!("{}{MASK}@", &found[1]));
        replaced(&ASSIGNMENT, text, masked_assignment)
    }

    /// A JSON value without the values that are known to be secret.
    pub(crate) fn json(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.values(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.json(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn values(&self, text: &str) -> String {
        let replace = |text: String, secret: &String| {
            if text.contains(secret) { text.replace(secret, MASK) } else { text }
        };
        self.secrets.iter().fold(text.to_owned(), replace)
    }
}

/// Words that follow such a name in Terraform's own messages and are no secrets.
fn masked_assignment(found: &Captures<'_>) -> String {
    let value = found[2].trim_matches(['"', '\'']);
    let harmless = matches!(value, "" | "null" | "true" | "false" | "(sensitive" | "(known" | MASK);
    if harmless { found[0].to_owned() } else { format!("{}{MASK}", &found[1]) }
}

fn replaced(pattern: &Regex, text: String, with: impl Fn(&Captures<'_>) -> String) -> String {
    match pattern.replace_all(&text, |found: &Captures<'_>| with(found)) {
        Cow::Borrowed(_) => text,
        Cow::Owned(changed) => changed,
    }
}

/// Redacts a text that comes line by line, where a private key spans several.
pub(crate) struct LineRedactor {
    redactor: Redactor,
    inside_key: bool,
}

impl LineRedactor {
    /// One that begins outside of any key.
    pub(crate) fn new(redactor: Redactor) -> Self {
        Self { redactor, inside_key: false }
    }

    /// The line without secrets; `None` for a line inside a private key.
    pub(crate) fn line(&mut self, line: &str) -> Option<String> {
        if self.inside_key {
            self.inside_key = !line.contains(KEY_END);
            return None;
        }
        let begin = line.rfind(KEY_BEGIN).filter(|begin| line[*begin..].contains("PRIVATE KEY"));
        self.inside_key = begin.is_some_and(|begin| !line[begin..].contains(KEY_END));
        Some(self.redactor.text(line))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redactor() -> Redactor {
        Redactor::new(["alj_token-of-the-job".to_owned(), "hunter22".to_owned(), "abc".to_owned()])
    }

    #[test]
    fn known_values_and_usual_shapes_are_masked() {
        for (text, expected) in [
            ("token alj_token-of-the-job sent", "token *** sent"),
            ("hunter22hunter22", "******"),
            ("abc stays", "abc stays"),
            ("key AKIAIOSFODNN7EXAMPLE found", "key *** found"),
            ("password=letmein next", "password=*** next"),
            ("master_password = \"let me in\", x", "master_password = ***, x"),
            (r#"{"password":"x y","user":"a"}"#, r#"{"password":***,"user":"a"}"#),
            ("Authorization: Bearer abcdefghijklmnop", "Authorization: Bearer ***"),
            ("postgres://app:s3cret@db/x", "postgres://app:***@db/x"),
            ("X-Amz-Security-Token: x", "X-Amz-Security-Token: x"),
            ("x-amz-security_token=FwoG&b=1", "x-amz-security_token=***&b=1"),
            ("password = (sensitive value)", "password = (sensitive value)"),
            ("aws_secretsmanager_secret.main: Creating...", "aws_secretsmanager_secret.main: Creating..."),
            ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nrest", "***\nrest"),
        ] {
            assert_eq!(redactor().text(text), expected);
        }
    }

    #[test]
    fn a_private_key_over_several_lines_does_not_show() {
        let mut lines = LineRedactor::new(redactor());
        let text = "a\nx -----BEGIN PRIVATE KEY-----\nMIIsecret\n-----END PRIVATE KEY-----\nb";
        let shown: Vec<String> = text.lines().filter_map(|line| lines.line(line)).collect();
        assert_eq!(shown, ["a", "x ***", "b"]);
    }

    #[test]
    fn json_loses_known_values_at_every_depth() {
        let mut value = json!({ "a": ["x hunter22"], "b": { "c": "hunter22" }, "d": 1 });
        redactor().json(&mut value);
        assert_eq!(value, json!({ "a": ["x ***"], "b": { "c": "***" }, "d": 1 }));
    }
}
