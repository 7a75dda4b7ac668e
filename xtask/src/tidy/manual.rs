//! Written words: links between pages resolve, and every decision record stands in the index under a number of its own.

use std::collections::BTreeSet;

use super::Text;

const RECORDS: &str = "docs/adr/";
const INDEX: &str = "docs/adr/README.md";

pub(super) fn check(files: &[Text]) -> Vec<String> {
    let pages = files.iter().filter(|file| file.path.ends_with(".md"));
    pages
        .flat_map(|page| broken_links(page, files))
        .chain(unlisted_records(files))
        .chain(doubled_numbers(files))
        .collect()
}

/// The file names of the decision records.
fn records(files: &[Text]) -> impl Iterator<Item = &str> {
    let records = files.iter().filter_map(|file| file.path.strip_prefix(RECORDS));
    records.filter(|name| name.ends_with(".md") && *name != "README.md")
}

fn unlisted_records(files: &[Text]) -> Vec<String> {
    let index = files.iter().find(|file| file.path == INDEX).map_or("", |file| file.text.as_str());
    let missing = records(files).filter(|name| !index.contains(&format!("({name})")));
    missing.map(|name| format!("{INDEX}: {name} is not in the index")).collect()
}

fn doubled_numbers(files: &[Text]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let doubled = records(files).filter(|name| !taken.insert(name.split('-').next()));
    doubled.map(|name| format!("{RECORDS}{name}: another record has this number")).collect()
}

fn broken_links(page: &Text, files: &[Text]) -> Vec<String> {
    let links =
        prose(&page.text).flat_map(|(number, line)| targets(line).map(move |target| (number, target)));
    let broken = links.filter(|(_, target)| !is_outside(target) && !resolves(page, target, files));
    broken
        .map(|(number, target)| format!("{}:{number}: the link {target} leads nowhere", page.path))
        .collect()
}

/// The lines outside code blocks, numbered from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut code = false;
    text.lines().enumerate().filter_map(move |(number, line)| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        (!code && !fence).then_some((number + 1, line))
    })
}

/// The targets of `[text](target)`, `![text](target)` and `src="target"` in a line.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let after = |opening: &'static str, closing: char| {
        line.match_indices(opening)
            .filter_map(move |(at, _)| line[at + opening.len()..].split(closing).next())
    };
    after("](", ')').chain(after("src=\"", '"'))
}

fn is_outside(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

fn resolves(page: &Text, target: &str, files: &[Text]) -> bool {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() { page.path.clone() } else { beside(&page.path, path) };
    let Some(file) = files.iter().find(|file| file.path == path) else {
        let folder = format!("{}/", path.trim_end_matches('/'));
        return anchor.is_empty() && files.iter().any(|file| file.path.starts_with(&folder));
    };
    anchor.is_empty() || !file.path.ends_with(".md") || anchors(&file.text).contains(anchor)
}

/// A path as written in a page, as a path below the root.
fn beside(page: &str, target: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The anchors that a page's headings get: lower case, words joined by hyphens, punctuation gone.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter_map(|(_, line)| line.strip_prefix('#'));
    headings.map(|heading| slug(heading.trim_start_matches('#').trim())).collect()
}

fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::made_up;

    #[test]
    fn a_link_to_a_page_that_moved_is_named() {
        let files = [
            made_up(
                "docs/a.md",
                "[b](b.md) [c](../README.md#first-steps) [gone](gone.md) [no](../README.md#none)\n",
            ),
            made_up(
                "docs/b.md",
                "```\n[not a link](nowhere.md)\n```\n[here](#here)\n# Here\n[folder](../docs/)\n",
            ),
            made_up("README.md", "## First steps\n[site](https://example.org/x)\n"),
        ];
        assert_eq!(
            check(&files),
            [
                "docs/a.md:1: the link gone.md leads nowhere",
                "docs/a.md:1: the link ../README.md#none leads nowhere"
            ]
        );
    }

    #[test]
    fn every_record_is_in_the_index_under_a_number_of_its_own() {
        let files = [
            made_up("docs/adr/0001-one.md", "# One\n"),
            made_up("docs/adr/0002-two.md", "# Two\n"),
            made_up("docs/adr/0002-three.md", "# Three\n"),
            made_up("docs/adr/README.md", "- [One](0001-one.md) [Three](0002-three.md)\n"),
        ];
        assert_eq!(
            check(&files),
            [
                "docs/adr/README.md: 0002-two.md is not in the index",
                "docs/adr/0002-three.md: another record has this number"
            ]
        );
    }
}
