//! The dependencies that the workspace names: each is used, and each has its line of reason.

use std::collections::BTreeSet;

use cargo_metadata::Metadata;

use super::Text;

/// The decision record that gives each direct dependency its reason.
const REASONS: &str = "docs/adr/0008-dependencies.md";

pub(super) fn check(files: &[Text], metadata: &Metadata) -> Vec<String> {
    let used: BTreeSet<String> = metadata
        .workspace_packages()
        .iter()
        .flat_map(|package| package.dependencies.iter().map(|dependency| dependency.name.clone()))
        .collect();
    let text = |path: &str| files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str());
    compare(&named(text("Cargo.toml")), &used, text(REASONS))
}

fn compare(named: &[String], used: &BTreeSet<String>, reasons: &str) -> Vec<String> {
    let unused = named.iter().filter(|name| !used.contains(*name));
    let unused = unused.map(|name| format!("Cargo.toml: no member uses the dependency {name}"));
    let reasons: Vec<&str> = reasons.lines().filter_map(reason).collect();
    let silent =
        named.iter().filter(|name| !name.starts_with("alethia-") && !reasons.contains(&name.as_str()));
    let silent = silent.map(|name| format!("{REASONS}: no reason is given for `{name}`"));
    let gone = reasons.iter().filter(|name| !named.iter().any(|named| named == *name));
    let gone = gone.map(|name| format!("{REASONS}: `{name}` is no dependency any more"));
    unused.chain(silent).chain(gone).collect()
}

/// The dependency that a row of the record is about.
fn reason(line: &str) -> Option<&str> {
    line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name)
}

/// The names below `[workspace.dependencies]`.
fn named(manifest: &str) -> Vec<String> {
    let lines = manifest.lines().skip_while(|line| line.trim() != "[workspace.dependencies]").skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[workspace]\n\n[workspace.dependencies]\nalethia-api = { path = \"x\" }\nserde = \"1\"\n\n[lints]\nx = 1\n";

    #[test]
    fn reads_the_names_of_one_table() {
        assert_eq!(named(MANIFEST), ["alethia-api", "serde"]);
    }

    #[test]
    fn an_unused_dependency_and_one_without_reason_are_named() {
        let used = BTreeSet::from(["serde".to_owned()]);
        assert_eq!(
            compare(&named(MANIFEST), &used, "| `serde_json` | JSON |\n"),
            [
                "Cargo.toml: no member uses the dependency alethia-api",
                "docs/adr/0008-dependencies.md: no reason is given for `serde`",
                "docs/adr/0008-dependencies.md: `serde_json` is no dependency any more"
            ]
        );
    }
}
