//! What can be said about a Spec file without a Console.

use std::path::{Path, PathBuf};

use alethia_domain::spec;
use serde::Serialize;

use crate::{
    document,
    error::Fault,
    export,
    output::{self, Format},
    settings::Settings,
};

#[derive(Serialize)]
struct Checked {
    file: String,
    valid: bool,
    problems: Vec<spec::Problem>,
}

/// Checks files; tells every problem of all of them.
pub(super) fn validate(settings: &Settings, files: &[PathBuf]) -> anyhow::Result<()> {
    let mut all = Vec::new();
    for path in files {
        let problems = document::check(path)?.err().unwrap_or_default();
        all.push(Checked { file: path.display().to_string(), valid: problems.is_empty(), problems });
    }
    output::print(settings.output.value, &all, || told(&all))?;
    let invalid: Vec<&Checked> = all.iter().filter(|checked| !checked.valid).collect();
    match invalid[..] {
        [] => Ok(()),
        [one] => Err(document::invalid(Path::new(&one.file), one.problems.len()).into()),
        [..] => {
            let fault = Fault::usage(format!("{} of {} files have problems", invalid.len(), all.len()));
            Err(fault.hint("see what a Spec may say with `alethia spec schema`").into())
        }
    }
}

fn told(all: &[Checked]) -> String {
    let lines = all.iter().flat_map(|checked| {
        let fine = checked.valid.then(|| format!("{}: valid", checked.file));
        checked.problems.iter().map(ToString::to_string).chain(fine)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Prints a file with every default filled in.
pub(super) fn explain(settings: &Settings, file: &Path) -> anyhow::Result<()> {
    let parsed = document::read(file)?;
    match settings.output.value {
        Format::Json => output::write(&serde_json::to_string_pretty(&parsed.document)?),
        Format::Table | Format::Yaml => output::write(&spec::explain(&parsed)),
    }
}

/// Prints the JSON Schema.
pub(super) fn schema(settings: &Settings) -> anyhow::Result<()> {
    let schema = spec::json_schema();
    output::print(settings.output.value, schema, || format!("{schema:#}"))
}

/// Writes the Terraform root of a file that no Console needs to know.
pub(super) fn export(settings: &Settings, file: &Path, folder: &Path) -> anyhow::Result<()> {
    let document = document::read(file)?.document;
    let files = export::write(&document, export::offline_id(&document), &export::own_access(), folder)?;
    exported(settings, &files, folder)
}

/// Tells what was written and what to do with it.
pub(super) fn exported(settings: &Settings, files: &[String], folder: &Path) -> anyhow::Result<()> {
    eprintln!("written to {0}; go on with `terraform -chdir={0} init`", folder.display());
    output::print(settings.output.value, &files, || files.join("\n"))
}
