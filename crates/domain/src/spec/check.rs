//! What a rule gets: the document around it, and a place to put what is wrong.

use super::{document::Document, place::item, problem::Finding};
use crate::{
    catalog::aws::{self, Region},
    component::ComponentKind,
};

/// Collects what is wrong with one component or with the document as a whole.
pub(crate) struct Checker<'a> {
    document: &'a Document,
    kept: &'a Kept,
    base: String,
    findings: Vec<Finding>,
}

/// Which parts of the written document the rules see: a part whose shape is wrong is left out of the rules.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// For a section with dropped items, the written index of each item that is left.
    pub(crate) indexes: std::collections::BTreeMap<String, Vec<usize>>,
    /// Sections of which something was dropped.
    pub(crate) incomplete: std::collections::BTreeSet<String>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(document: &'a Document, kept: &'a Kept) -> Self {
        Self { document, kept, base: String::new(), findings: Vec::new() }
    }

    /// The document that is checked.
    pub(crate) fn document(&self) -> &'a Document {
        self.document
    }

    /// The region it runs in, when the catalog knows it.
    pub(crate) fn region(&self) -> Option<&'static Region> {
        aws::region(&self.document.cloud.region)
    }

    /// Whether all that is written of a kind can be seen; otherwise a reference to it can't be judged.
    pub(crate) fn sees_all(&self, kind: ComponentKind) -> bool {
        !self.kept.incomplete.contains(kind.section())
    }

    /// What follows is about that section.
    pub(super) fn enter(&mut self, section: &str) {
        section.clone_into(&mut self.base);
    }

    /// What follows is about that item of a section.
    pub(super) fn enter_item(&mut self, section: &str, index: usize) {
        let written = self.kept.indexes.get(section).and_then(|indexes| indexes.get(index)).copied();
        self.base = item(section, written.unwrap_or(index));
    }

    /// Refuses a field of the component; the path is relative to it, empty for the component itself.
    pub(crate) fn refuse(&mut self, path: impl AsRef<str>, message: impl Into<String>) -> &mut Finding {
        let path = path.as_ref();
        let absolute = match (self.base.is_empty(), path.is_empty()) {
            (true, _) => path.to_owned(),
            (false, true) => self.base.clone(),
            (false, false) if path.starts_with('[') => format!("{}{path}", self.base),
            (false, false) => format!("{}.{path}", self.base),
        };
        self.findings.push(Finding::new(absolute, message));
        self.findings.last_mut().expect("it was pushed just now")
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}

/// Words that occur more than once, each with the indexes of all but its first occurrence.
pub(crate) fn repeated<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<(usize, &'a str)> {
    let mut seen = std::collections::HashSet::new();
    words.into_iter().enumerate().filter(|(_, word)| !seen.insert(*word)).collect()
}
