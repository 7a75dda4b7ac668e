//! `alethia`: the one binary. It is the platform, its Runner and the command line for both.
//!
//! `main` only decides who runs: Terraform starts this binary as a provider of the sandbox cloud, and a Runner starts it
//! as the guard of Terraform, many times a job, so that is looked at before anything else. Everything else is a command;
//! its error becomes a sentence, a hint and an exit code: 0 success, 1 failure, 2 usage or validation, 3 declined.

mod args;
mod ask;
mod commands;
mod document;
mod embedded;
mod error;
mod export;
mod follow;
mod output;
mod pages;
mod plan_view;
mod progress;
mod revise;
mod session;
mod settings;
mod target;
mod trace;
mod typed;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    if let Some(provider) = sandbox_provider(&words) {
        return alethia_sandbox::plugin::run(provider);
    }
    if is_guard(&words) {
        return alethia_runner::stand_guard();
    }
    let arguments = args::Arguments::parse_from(with_help(words));
    let typed = typed::Typed::new(&arguments.global);
    match commands::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error::report(&error, &typed),
    }
}

/// `alethia help COMMAND` is another way to say `alethia COMMAND --help`.
fn with_help(words: Vec<OsString>) -> Vec<OsString> {
    match &words[..] {
        [program, help, command @ ..] if help == "help" => {
            let help = OsString::from("--help");
            std::iter::once(program).chain(command).chain([&help]).cloned().collect()
        }
        _ => words,
    }
}

/// The provider that `alethia sandbox plugin PROVIDER` names. The command is for Terraform alone: no help lists it.
fn sandbox_provider(words: &[OsString]) -> Option<&str> {
    match words {
        [_, sandbox, plugin, provider] if sandbox == "sandbox" && plugin == "plugin" => provider.to_str(),
        _ => None,
    }
}

/// A Runner starts `alethia runner guard` beside each Terraform. The command is for Runners alone: no help lists it.
fn is_guard(words: &[OsString]) -> bool {
    matches!(words, [_, runner, guard] if runner == "runner" && guard == "guard")
}
