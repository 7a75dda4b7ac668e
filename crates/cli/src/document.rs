//! A Spec file from the disk: read, checked, and every problem told with its place.

use std::{
    io::{self, Read},
    path::Path,
};

use alethia_domain::spec::{self, Parsed, Problem};
use anyhow::Context;

use crate::error::Fault;

/// A file with more than this can't be a document; it is not read to its end.
const READ_LIMIT: u64 = spec::MAX_DOCUMENT_BYTES as u64 + 1;

/// Reads and checks a file; `-` is stdin. Problems are told on stderr.
///
/// # Errors
/// When the file can't be read or has problems; the exit code is that of validation.
pub(crate) fn read(path: &Path) -> anyhow::Result<Parsed> {
    check(path)?.map_err(|problems| {
        for problem in &problems {
            eprintln!("{problem}");
        }
        invalid(path, problems.len()).into()
    })
}

/// Reads a file and says what is wrong with it.
///
/// # Errors
/// When the file can't be read.
pub(crate) fn check(path: &Path) -> anyhow::Result<Result<Parsed, Vec<Problem>>> {
    Ok(spec::parse(&display_name(path), &text(path)?))
}

/// The error of a file with so many problems.
pub(crate) fn invalid(path: &Path, problems: usize) -> Fault {
    let count = if problems == 1 { "1 problem".to_owned() } else { format!("{problems} problems") };
    Fault::usage(format!("{} has {count}", display_name(path)))
        .hint("see what a Spec may say with `alethia spec schema`")
}

fn display_name(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}

fn text(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(READ_LIMIT).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(READ_LIMIT).read_to_string(&mut text))
    };
    match read {
        Ok(_) => Ok(text),
        Err(error) => {
            let fault = unreadable(path, error.kind());
            Err(error).context(fault)
        }
    }
}

fn unreadable(path: &Path, kind: io::ErrorKind) -> Fault {
    let name = display_name(path);
    let fault = Fault::usage(format!("the Spec file {name} can't be read"));
    match kind {
        io::ErrorKind::NotFound => fault.hint(format!("make one with `alethia design {name}`")),
        io::ErrorKind::InvalidData => fault.hint("a Spec file is YAML or JSON, as UTF-8 text"),
        io::ErrorKind::IsADirectory => fault.hint(format!("name a file in it, such as {name}/shop.yaml")),
        _ => fault,
    }
}
