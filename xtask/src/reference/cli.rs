//! `docs/cli-reference.md`: the help of every command, found by asking each for its subcommands.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;

/// The page, from the binary's own help.
pub(super) fn page(binary: &Path) -> Result<String> {
    let mut page = String::from(
        "# Command reference\n\nThe help of every command. Written by `cargo xtask docs`; do not edit.\n",
    );
    let mut waiting = vec![Vec::new()];
    while let Some(command) = waiting.pop() {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let help = super::output(binary, &[&words[..], &["--help"]].concat())?;
        let title = [&["alethia"], &words[..]].concat().join(" ");
        write!(page, "\n## `{title}`\n\n```text\n{}\n```\n", own(&help, words.is_empty()))
            .expect("a String takes all");
        let below = subcommands(&help).map(|name| [&command[..], &[name.to_owned()]].concat());
        waiting.extend(below.collect::<Vec<_>>().into_iter().rev());
    }
    Ok(page)
}

/// A command's help without the options that all commands have; those stand once, at the top.
fn own(help: &str, is_top: bool) -> String {
    let lines = help.lines().map(str::trim_end).take_while(|line| is_top || *line != "Global options:");
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// The names below `Commands:` in a help text.
fn subcommands(help: &str) -> impl Iterator<Item = &str> {
    let lines =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subcommands_are_read_from_the_help() {
        let help = "Does things.\n\nUsage: alethia <COMMAND>\n\nCommands:\n  apply  Apply a Spec, and then wait for what\n         comes of it\n  jobs   Look at jobs\n  help   Print help\n\nOptions:\n  -h, --help  Print help\n";
        assert_eq!(subcommands(help).collect::<Vec<_>>(), ["apply", "jobs"]);
    }
}
