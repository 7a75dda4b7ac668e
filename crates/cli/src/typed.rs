//! Commands in hints, as this person has to type them: with the flags that say where the platform is.
//!
//! Sentences all over the program name commands as `alethia jobs logs ID`. When this command was told with flags which
//! Console or data folder to use, the next one has to be told as well. A token that was typed is never repeated.

use std::fmt::Write as _;

use clap::CommandFactory;

use crate::args::{Arguments, Global};

/// How this program is called in a sentence.
const PROGRAM: &str = "alethia ";
/// Commands that use neither a Console nor the data folder.
const OFFLINE: [&str; 6] = ["config", "completion", "design", "spec explain", "spec schema", "spec validate"];
/// Commands that are a Console, and so need none.
const CONSOLES: [&str; 2] = ["up", "serve"];

/// The flags that were typed in front of, or behind, this command and that the next one needs too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Typed {
    /// What says which Console is meant, and as whom.
    console: String,
    /// What says where things are on this machine.
    machine: String,
}

impl Typed {
    /// The flags that were typed.
    pub(crate) fn new(global: &Global) -> Self {
        let mut typed = Self::default();
        let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.display().to_string());
        add(&mut typed.console, "--server", global.server.clone());
        add(&mut typed.console, "--token", global.token.as_ref().map(|_| "TOKEN".to_owned()));
        add(&mut typed.console, "--token-file", path(&global.token_file));
        add(&mut typed.machine, "--data-dir", path(&global.data_dir));
        add(&mut typed.machine, "--tool", path(&global.tool));
        add(&mut typed.machine, "--config", path(&global.config));
        typed
    }

    /// The text, with the flags in every command that needs them.
    pub(crate) fn in_text(&self, text: &str) -> String {
        let mut told = String::new();
        let mut rest = text;
        while let Some(start) = rest.find(PROGRAM) {
            let (before, command) = rest.split_at(start + PROGRAM.len());
            told.push_str(before);
            if is_a_word_of_its_own(&told) {
                told.push_str(&self.flags_of(command));
            }
            rest = command;
        }
        told + rest
    }

    /// Says something on stderr.
    pub(crate) fn tell(&self, text: &str) {
        eprintln!("{}", self.in_text(text));
    }

    fn flags_of(&self, command: &str) -> String {
        let begins_with = |name: &str| {
            let rest = command.strip_prefix(name);
            rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '-'))
        };
        let is_command = Arguments::command().get_subcommands().any(|known| begins_with(known.get_name()));
        if !is_command || OFFLINE.into_iter().any(begins_with) {
            String::new()
        } else if CONSOLES.into_iter().any(begins_with) {
            self.machine.clone()
        } else {
            format!("{}{}", self.console, self.machine)
        }
    }
}

fn is_a_word_of_its_own(told: &str) -> bool {
    let before = told.strip_suffix(PROGRAM).and_then(|before| before.chars().next_back());
    before.is_none_or(|before| before == '`' || before.is_whitespace())
}

fn add(flags: &mut String, flag: &str, value: Option<String>) {
    if let Some(value) = value {
        write!(flags, "{flag} {} ", quoted(&value)).expect("a String takes everything");
    }
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "/._-:@%+=,~".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed() -> Typed {
        Typed::new(&Global {
            server: Some("http://here:4646".into()),
            token: Some("ala_secret".into()),
            data_dir: Some("/my data".into()),
            ..Global::default()
        })
    }

    #[test]
    fn a_command_in_a_hint_has_the_flags_that_were_typed() {
        let told = typed().in_text("watch it with `alethia jobs wait 1`, or alethia spec list");
        let flags = "--server http://here:4646 --token TOKEN --data-dir '/my data'";
        assert_eq!(
            told,
            format!("watch it with `alethia {flags} jobs wait 1`, or alethia {flags} spec list")
        );
    }

    #[test]
    fn a_command_that_needs_no_console_is_told_of_none() {
        assert_eq!(typed().in_text("see `alethia spec schema`"), "see `alethia spec schema`");
        assert_eq!(
            typed().in_text("keep `alethia up` running"),
            "keep `alethia --data-dir '/my data' up` running"
        );
    }

    #[test]
    fn other_sentences_stay_as_they_are() {
        for text in ["alethia is there", "/var/lib/alethia jobs", "alethia upwards", ""] {
            assert_eq!(typed().in_text(text), text);
        }
        assert_eq!(Typed::default().in_text("`alethia jobs list`"), "`alethia jobs list`");
    }
}
