//! `cargo xtask tidy`: the rules of the house that no compiler checks.
//!
//! Each rule is a function from what is there to the list of what is wrong, so that it can be tested on made-up
//! ground; this file only walks the checkout and prints. A rule has no switch: what must be allowed is
//! allowed in the rule, with its reason.

mod edges;
mod locks;
mod manifest;
mod manual;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::project;

/// A text file of the checkout: its path below the root with `/` between, and what it says.
pub(crate) struct Text {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Applies all rules to the checkout and prints what breaks them.
pub(crate) fn run() -> Result<()> {
    let files = texts(project::root())?;
    let metadata = cargo_metadata::MetadataCommand::new()
        .no_deps()
        .current_dir(project::root())
        .exec()
        .context("failed to read the workspace with `cargo metadata`")?;
    let mut wrong = edges::check(&edges::of(&metadata));
    wrong.extend(manifest::check(&files, &metadata));
    wrong.extend(sources::check(&files));
    wrong.extend(manual::check(&files));
    wrong.extend(locks::check(&files));
    for (lines, path) in sources::longest(&files, 3) {
        println!("longest: {lines} lines {path}");
    }
    for line in &wrong {
        println!("tidy: {line}");
    }
    if wrong.is_empty() { Ok(()) } else { bail!("{} rules are broken", wrong.len()) }
}

/// All text files below a folder, without build output and version control.
fn texts(root: &Path) -> Result<Vec<Text>> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(root.join(&folder))
            .with_context(|| format!("failed to list {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_dir() && ![".git", "target", ".terraform"].iter().any(|name| path.ends_with(name)) {
                folders.push(path);
            } else if kind.is_file() {
                files.extend(text(root, &path)?);
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The file as text; `None` when it is not text.
fn text(root: &Path, path: &Path) -> Result<Option<Text>> {
    let bytes = fs::read(root.join(path)).with_context(|| format!("failed to read {}", path.display()))?;
    let Ok(text) = String::from_utf8(bytes) else { return Ok(None) };
    Ok(Some(Text { path: path.to_string_lossy().replace('\\', "/"), text }))
}

#[cfg(test)]
fn made_up(path: &str, text: &str) -> Text {
    Text { path: path.to_owned(), text: text.to_owned() }
}
