//! `design`: a few questions become a good, commented Spec file. Flags answer questions beforehand; without a terminal
//! what is not answered has its default.

mod questions;

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use alethia_domain::{
    component::ComponentKind,
    spec::{self, design},
    stage::Stage,
};
use anyhow::Context;
use clap::{Args, ValueEnum};

use crate::{ask, error::Fault, output, settings::Settings};

/// What is known before the first question.
#[derive(Debug, Default, Args)]
pub(crate) struct DesignArgs {
    /// File to write; printed when absent
    file: Option<PathBuf>,
    /// Name of the Spec
    #[arg(long)]
    name: Option<String>,
    /// Zone it belongs to
    #[arg(long)]
    zone: Option<String>,
    /// Environment it targets
    #[arg(long, value_enum)]
    stage: Option<StageArg>,
    /// Region, such as eu-central-1
    #[arg(long)]
    region: Option<String>,
    /// Cloud Identity; `sandbox` is the simulated cloud
    #[arg(long)]
    identity: Option<String>,
    /// Domain of the environment, such as shop.example.com
    #[arg(long)]
    domain: Option<String>,
    /// Repository with the manifests of the applications
    #[arg(long, value_name = "URL")]
    repository: Option<String>,
    /// Components to begin with, such as cluster,database,cache
    #[arg(long = "with", value_name = "KIND", value_delimiter = ',', value_parser = kind)]
    kinds: Option<Vec<ComponentKind>>,
    /// Ask nothing
    #[arg(long, short)]
    yes: bool,
    /// Write over the file
    #[arg(long)]
    force: bool,
}

/// An environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StageArg {
    Development,
    Staging,
    Production,
}

impl From<StageArg> for Stage {
    fn from(stage: StageArg) -> Self {
        match stage {
            StageArg::Development => Self::Development,
            StageArg::Staging => Self::Staging,
            StageArg::Production => Self::Production,
        }
    }
}

/// Asks, writes the file and says what to do with it.
pub(crate) fn run(settings: &Settings, args: DesignArgs) -> anyhow::Result<()> {
    if let Some(file) = args.file.as_deref().filter(|file| file.exists() && !args.force) {
        return Err(occupied(file));
    }
    let answers = if ask::can_ask() && !args.yes {
        questions::ask(&args)?
    } else {
        complete(&args)?;
        questions::without(&args)
    };
    let text = design::write(&answers);
    checked(&text)?;
    let Some(file) = &args.file else { return output::write(&text) };
    write(file, &text, args.force)?;
    settings.typed.tell(&format!(
        "{0} is written; see what it would make with `alethia plan {0}`, make it with `alethia apply {0}`",
        file.display()
    ));
    Ok(())
}

/// Some kinds have no default that could be guessed, and nobody is asked.
fn complete(args: &DesignArgs) -> anyhow::Result<()> {
    let missing = [
        (ComponentKind::Dns, args.domain.is_none(), "--domain shop.example.com"),
        (ComponentKind::Repositories, args.repository.is_none(), "--repository URL"),
    ];
    let is_wanted = |kind| args.kinds.as_ref().is_some_and(|kinds| kinds.contains(&kind));
    match missing.into_iter().find(|(kind, is_missing, _)| *is_missing && is_wanted(*kind)) {
        Some((kind, _, flag)) => {
            Err(Fault::usage(format!("{kind} needs `{flag}`")).hint("add it, or leave the kind out").into())
        }
        None => Ok(()),
    }
}

/// What was answered may not fit together: better said now than at the first plan.
fn checked(text: &str) -> anyhow::Result<()> {
    spec::parse("answers", text).map(drop).map_err(|problems| {
        for problem in &problems {
            eprintln!("{problem}");
        }
        Fault::usage("these answers make no valid Spec")
            .hint("give other ones, see `alethia design --help`")
            .into()
    })
}

fn write(file: &Path, text: &str, force: bool) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    if force {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    match options.open(file).and_then(|mut open| open.write_all(text.as_bytes())) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(occupied(file)),
        Err(error) => Err(error).with_context(|| format!("{} can't be written", file.display())),
    }
}

fn occupied(file: &Path) -> anyhow::Error {
    Fault::usage(format!("{} is there already", file.display()))
        .hint("name another file, or write over it with `--force`")
        .into()
}

fn kind(text: &str) -> Result<ComponentKind, String> {
    let known = ComponentKind::ALL.into_iter().find(|kind| kind.as_str() == text || kind.section() == text);
    known.ok_or_else(|| {
        let all = ComponentKind::ALL.map(ComponentKind::as_str).join(", ");
        format!("it is no component kind; the kinds are {all}")
    })
}
