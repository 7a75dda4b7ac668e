//! Rust files: their size, their module docs, what must not be in them. And no file names a person's folder.

use super::Text;

/// A file over this is more than one idea. Tests may be longer: a table of cases is one idea.
const MOST_LINES: usize = 600;

// Written in halves, so that this file does not break its own rules.
const UNFINISHED: &[&str] = &[concat!("todo", "!("), concat!("unimplemented", "!("), concat!("dbg", "!(")];
const SILENCED: &[&str] = &[concat!("#[", "ignore"), concat!("#[", "allow("), concat!("#![", "allow(")];
const HOMES: &[&str] = &[concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/ro", "ot/")];

pub(super) fn check(files: &[Text]) -> Vec<String> {
    let rust = files.iter().filter(|file| file.path.ends_with(".rs"));
    rust.flat_map(source).chain(files.iter().flat_map(homes)).collect()
}

/// The longest Rust files outside tests, longest first.
pub(super) fn longest(files: &[Text], count: usize) -> Vec<(usize, &str)> {
    let code = files.iter().filter(|file| file.path.ends_with(".rs") && !is_test(&file.path));
    let mut sizes: Vec<_> = code.map(|file| (file.text.lines().count(), file.path.as_str())).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    sizes.truncate(count);
    sizes
}

fn source(file: &Text) -> Vec<String> {
    let Text { path, text } = file;
    let mut wrong = Vec::new();
    let lines = text.lines().count();
    if !is_test(path) && lines > MOST_LINES {
        wrong.push(format!(
            "{path}: {lines} lines; over {MOST_LINES} a file is more than one idea, split it by noun"
        ));
    }
    if !is_test(path) && !text.starts_with("//!") {
        wrong.push(format!("{path}: begins without a module doc (//!)"));
    }
    for (number, line) in text.lines().enumerate() {
        let place = format!("{path}:{}", number + 1);
        let words = UNFINISHED.iter().chain(SILENCED).filter(|word| line.contains(**word));
        wrong.extend(words.map(|word| format!("{place}: {word} has no place here")));
    }
    wrong.extend(examples(file));
    wrong
}

/// Runnable examples in doc comments: nextest does not run them, so they would rot.
fn examples(file: &Text) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut open = false;
    for (number, line) in file.text.lines().enumerate() {
        let line = line.trim_start();
        let Some(doc) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else { continue };
        let Some(language) = doc.trim_start().strip_prefix("```") else { continue };
        if !open && matches!(language.trim(), "" | "rust" | "no_run" | "should_panic") {
            let place = format!("{}:{}", file.path, number + 1);
            wrong.push(format!(
                "{place}: an example in a doc comment is not run; write a test, or mark it `text`"
            ));
        }
        open = !open;
    }
    wrong
}

fn homes(file: &Text) -> Vec<String> {
    let places = file.text.lines().enumerate().flat_map(|(number, line)| {
        HOMES.iter().filter(move |home| names_home(line, home)).map(move |home| (number + 1, *home))
    });
    places
        .map(|(number, home)| format!("{}:{number}: a path below {home} is of one machine", file.path))
        .collect()
}

/// Whether a path that begins with `home` and goes on with a name stands in the line.
fn names_home(line: &str, home: &str) -> bool {
    line.match_indices(home).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + home.len()..].chars().next();
        before.is_none_or(|c| !c.is_alphanumeric() && !"./}~_-".contains(c))
            && after.is_some_and(char::is_alphanumeric)
    })
}

fn is_test(path: &str) -> bool {
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.ends_with("_tests.rs")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::made_up;

    #[test]
    fn a_file_of_two_ideas_is_too_long() {
        let text = "//! Doc.\n".repeat(MOST_LINES + 1);
        let wrong = check(&[made_up("crates/a/src/lib.rs", &text), made_up("crates/a/tests/all.rs", &text)]);
        assert_eq!(
            wrong,
            ["crates/a/src/lib.rs: 601 lines; over 600 a file is more than one idea, split it by noun"]
        );
    }

    #[test]
    fn unfinished_code_and_missing_docs_are_named() {
        let text = format!("fn a() {{\n    {}\"later\")\n}}\n", UNFINISHED[0]);
        let wrong = check(&[made_up("crates/a/src/lib.rs", &text)]);
        assert_eq!(
            wrong,
            [
                "crates/a/src/lib.rs: begins without a module doc (//!)".to_owned(),
                format!("crates/a/src/lib.rs:2: {} has no place here", UNFINISHED[0])
            ]
        );
    }

    #[test]
    fn examples_in_docs_are_marked_as_text() {
        let text = "//! Doc.\n//! ```\n//! let a = 1;\n//! ```\n//! ```text\n//! a\n//! ```\n";
        assert_eq!(
            check(&[made_up("crates/a/src/lib.rs", text)]),
            [
                "crates/a/src/lib.rs:2: an example in a doc comment is not run; write a test, or mark it `text`"
            ]
        );
    }

    #[test]
    fn a_persons_folder_is_named_by_nobody() {
        let home = HOMES[0];
        let text = format!("open {home}ada/x\nurl https://example.org{home}page\nlist {home}\n");
        assert_eq!(
            check(&[made_up("docs/a.md", &text)]),
            [format!("docs/a.md:1: a path below {home} is of one machine")]
        );
    }
}
