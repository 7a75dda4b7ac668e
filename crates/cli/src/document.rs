//! A Spec file from the disk: read, checked, and every problem told with its place.

use std::{
    io::{self, Read},
    path::Path,
};

use alethia_domain::spec::{self, Parsed, Problem};

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
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(READ_LIMIT).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(READ_LIMIT).read_to_end(&mut bytes))
    };
    read.and_then(|_| decode(bytes)).map_err(|error| {
        let fault = unreadable(path, error.kind());
        anyhow::Error::new(error).context(fault)
    })
}

/// What is too long was perhaps cut inside of a character; that it is too long is what will be said of it.
fn decode(bytes: Vec<u8>) -> io::Result<String> {
    if bytes.len() > spec::MAX_DOCUMENT_BYTES {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(content: &[u8]) -> anyhow::Result<Result<Parsed, Vec<Problem>>> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), content)?;
        check(file.path())
    }

    #[test]
    fn what_is_no_text_is_told_as_such() {
        let error = checked(b"name: a\xff\n").unwrap_err();
        let told = format!("{error:#}");
        assert!(told.contains("can't be read: invalid utf-8 sequence of 1 bytes from index 7"), "{told}");
    }

    #[test]
    fn a_large_file_is_too_large_wherever_it_is_cut() {
        for shift in 0..4 {
            let content = "x".repeat(shift) + &"\u{1f600}".repeat(1 << 19);
            let problems = checked(content.as_bytes()).unwrap().unwrap_err();
            assert_eq!(problems[0].allowed.as_deref(), Some("at most 1 MiB"));
        }
    }
}
