//! What a rule gets: the document around it, and a place to put what is wrong.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    ops::RangeInclusive,
};

use super::{
    document::Document,
    place::item,
    problem::Finding,
    shape::{did_you_mean, known_words},
};
use crate::{
    catalog::aws::{self, LOG_RETENTION_DAYS, Region},
    component::ComponentKind,
    quantity::{Size, Span},
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
    pub(crate) indexes: BTreeMap<String, Vec<usize>>,
    /// Sections of which something was dropped.
    pub(crate) incomplete: BTreeSet<String>,
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
    pub(crate) fn refuse(&mut self, finding: Finding) {
        let absolute = match (self.base.as_str(), finding.path.as_str()) {
            ("", path) => path.to_owned(),
            (base, "") => base.to_owned(),
            (base, path) => format!("{base}.{path}"),
        };
        self.findings.push(Finding { path: absolute, ..finding });
    }

    /// Refuses a time outside of its bounds.
    pub(crate) fn span(&mut self, path: &str, is: Span, least: &str, most: &str) {
        let bound = |text: &str| text.parse::<Span>().expect("the bounds of rules are times");
        if is < bound(least) || is > bound(most) {
            self.refuse(
                Finding::new(path, format!("{is} is out of range")).allowed(format!("{least} to {most}")),
            );
        }
    }

    /// Refuses a time that is not so many whole days; 0d may be allowed beside them.
    pub(crate) fn days(&mut self, path: &str, is: Span, days: RangeInclusive<u64>, or_none: bool) {
        let whole = is.seconds().is_multiple_of(86_400);
        if (or_none && is.seconds() == 0) || (whole && days.contains(&is.days())) {
            return;
        }
        let none = if or_none { "0d, or " } else { "" };
        let allowed = format!("{none}{}d to {}d in whole days", days.start(), days.end());
        self.refuse(Finding::new(path, format!("{is} is out of range")).allowed(allowed));
    }

    /// Refuses a time that log groups can't be set to.
    pub(crate) fn log_retention(&mut self, path: &str, is: Span) {
        if !(is.seconds().is_multiple_of(86_400) && LOG_RETENTION_DAYS.contains(&is.days())) {
            let allowed: Vec<String> = LOG_RETENTION_DAYS.iter().map(|days| format!("{days}d")).collect();
            let finding = Finding::new(path, format!("{is} is no retention that log groups offer"));
            self.refuse(finding.allowed(allowed.join(", ")));
        }
    }

    /// Refuses an amount outside of its bounds.
    pub(crate) fn size(&mut self, path: &str, is: Size, least: &str, most: &str) {
        let bound = |text: &str| text.parse::<Size>().expect("the bounds of rules are amounts");
        if is < bound(least) || is > bound(most) {
            self.refuse(
                Finding::new(path, format!("{is} is out of range")).allowed(format!("{least} to {most}")),
            );
        }
    }

    /// Refuses regions for copies that are unknown, named twice, or the Spec's own.
    pub(crate) fn other_regions(&mut self, path: &str, regions: &[String]) {
        let home = &self.document.cloud.region;
        for (index, region) in regions.iter().enumerate() {
            let path = item(path, index);
            if region == home {
                let finding = Finding::new(path, format!("{region:?} is the region of the Spec itself"));
                self.refuse(finding.allowed("other regions"));
            } else if aws::region(region).is_none() {
                self.refuse(unknown_region(path, region));
            }
        }
        self.no_repeats(path, regions);
    }

    /// Refuses what stands twice in a list.
    pub(crate) fn no_repeats(&mut self, path: &str, words: &[String]) {
        for (index, word) in repeated(words.iter().map(String::as_str)) {
            self.refuse(
                Finding::new(item(path, index), format!("{word:?} is there twice"))
                    .hint("remove one of them"),
            );
        }
    }

    /// Refuses a component that needs a private network when the Spec has none.
    pub(crate) fn needs_network(&mut self, what: &str) {
        let has_one = self.document.network.as_ref().is_some_and(|network| network.enabled);
        if !has_one && self.sees_all(ComponentKind::Network) {
            let finding = Finding::new("", format!("{what} needs a network, and the Spec has none"));
            self.refuse(finding.hint("add the section `network: {}`"));
        }
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}

/// Words that occur more than once, each with the indexes of all but its first occurrence.
pub(crate) fn repeated<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<(usize, &'a str)> {
    let mut seen = HashSet::new();
    words.into_iter().enumerate().filter(|(_, word)| !seen.insert(*word)).collect()
}

/// Whether a text is an ARN of that service whose resource begins so.
pub(crate) fn is_arn(text: &str, service: &str, resource: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, of, _, account, rest] = parts.as_slice() else { return false };
    let is_account =
        account.is_empty() || (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()));
    let is_complete = rest.strip_prefix(resource).is_some_and(|name| !name.is_empty());
    *arn == "arn"
        && matches!(*partition, "aws" | "aws-cn" | "aws-us-gov")
        && *of == service
        && is_account
        && is_complete
        && text.chars().all(|c| c.is_ascii_graphic())
}

/// Says that a region is none that the cloud has.
pub(super) fn unknown_region(path: impl Into<String>, region: &str) -> Finding {
    let known: Vec<&str> = aws::regions().iter().map(|region| region.code).collect();
    let finding = Finding::new(path, format!("{region:?} is no region of AWS"));
    finding.maybe_hint(did_you_mean(region, &known)).allowed(known_words(region, &known))
}
