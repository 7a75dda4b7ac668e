//! What is wrong with a document, said so that a person can put it right without looking anything up.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    place::Places,
    shape::{did_you_mean, known_words},
};

/// One thing that is wrong. Prints as `shop.yaml:14:11: databases[1].capacity.min: 300 is out of range; allowed: …`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// File it is in; absent for a document that came as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line, from 1; absent for a document that came as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// Field, such as `databases[1].capacity.min`; empty for the document as a whole.
    pub path: String,
    /// Value as it is written, where it is a single one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Something wrong with a field, before it is known where in the file that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) path: String,
    pub(crate) about_key: bool,
    pub(crate) message: String,
    pub(crate) allowed: Option<String>,
    pub(crate) hint: Option<String>,
}

impl Finding {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), about_key: false, message: message.into(), allowed: None, hint: None }
    }

    /// A name that means nothing, with those that would.
    pub(crate) fn unknown_name(path: impl Into<String>, name: &str, what: &str, known: &[&str]) -> Self {
        let allowed =
            if known.is_empty() { format!("none, there is no {what}") } else { known_words(name, known) };
        let finding = Self::new(path, format!("{name:?} is no known {what}"));
        finding.maybe_hint(did_you_mean(name, known)).allowed(allowed)
    }

    /// It is the key that is wrong, not its value.
    pub(crate) fn about_key(mut self) -> Self {
        self.about_key = true;
        self
    }

    pub(crate) fn allowed(mut self, allowed: impl Into<String>) -> Self {
        self.allowed = Some(allowed.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// More problems than these are not told: nobody reads them, and each is compared with every part of the document.
pub(super) const MOST_PROBLEMS: usize = 500;

/// The problems of a file, in the order of its lines.
pub(super) fn locate(file: Option<&str>, places: &Places, findings: Vec<Finding>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = findings.into_iter().map(|finding| at(file, places, finding)).collect();
    problems.sort_by(|one, other| {
        let key =
            |problem: &Problem| (problem.line, problem.column, problem.path.clone(), problem.message.clone());
        key(one).cmp(&key(other))
    });
    problems.dedup();
    if problems.len() > MOST_PROBLEMS {
        problems.truncate(MOST_PROBLEMS);
        let rest = Finding::new("", format!("more is wrong than these {MOST_PROBLEMS} problems"));
        problems.push(at(file, &Places::default(), rest));
    }
    problems
}

fn at(file: Option<&str>, places: &Places, finding: Finding) -> Problem {
    let position = places.position(&finding.path, finding.about_key);
    Problem {
        file: file.map(str::to_owned),
        line: position.map(|position| position.line),
        column: position.map(|position| position.column),
        value: places.text(&finding.path).filter(|_| !finding.about_key).map(without_password).map(cut_off),
        path: finding.path,
        message: cut_off(without_password(&finding.message)),
        allowed: finding.allowed,
        hint: finding.hint,
    }
}

/// A text without what stands for user and password in an address: a message may end in a log.
fn without_password(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let authority = after.find(['/', '"', ' ']).unwrap_or(after.len());
        rest = match after[..authority].rfind('@') {
            Some(end) => {
                shown.push_str("***");
                &after[end..]
            }
            None => after,
        };
    }
    shown + rest
}

const MOST_CHARACTERS: usize = 1000;

/// A text of a length that somebody reads.
fn cut_off(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MOST_CHARACTERS) {
        text.truncate(end);
        text.push('…');
    }
    text
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}:")?;
        }
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "{line}:{column}:")?;
        }
        if self.file.is_some() || self.line.is_some() {
            f.write_str(" ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if let Some(allowed) = &self.allowed {
            write!(f, "; allowed: {allowed}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, " (hint: {hint})")?;
        }
        Ok(())
    }
}
