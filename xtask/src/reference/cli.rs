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
    let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    let text = lines.join("\n");
    let parts = text.split("\n\n").filter(|part| is_top || !part.starts_with("Global options:"));
    parts.collect::<Vec<_>>().join("\n\n")
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
    fn what_stands_behind_the_options_of_all_commands_is_part_of_a_help() {
        let help =
            "Does things.\n\nOptions:\n  -h  Print help\n\nGlobal options:\n  -v  More\n\nCtrl-C ends it.\n";
        assert_eq!(own(help, false), "Does things.\n\nOptions:\n  -h  Print help\n\nCtrl-C ends it.");
        assert_eq!(own(help, true), help.trim_end());
    }

    #[test]
    fn subcommands_are_read_from_the_help() {
        let help = "Does things.\n\nUsage: alethia <COMMAND>\n\nCommands:\n  apply  Apply a Spec, and then wait for what\n         comes of it\n  jobs   Look at jobs\n  help   Print help\n\nOptions:\n  -h, --help  Print help\n";
        assert_eq!(subcommands(help).collect::<Vec<_>>(), ["apply", "jobs"]);
    }
}
