//! How a command ends: exit codes, and errors as one sentence with a hint that can be typed.
//!
//! Commands return `anyhow::Result`. What decides about the exit code or carries a hint is a [`Fault`], as the error
//! itself or as context of one. `report` is the only place that prints errors.

use std::{fmt, io, process::ExitCode};

use alethia_api::{
    client::ClientError,
    problem::{Code, Problem},
};
use anyhow::Error;

use crate::typed::Typed;

/// How a full disk is told by those who tell no kind of error: SQLite, and a Runner in its report.
const FULL_DISK: [&str; 2] = ["database or disk is full", "No space left on device"];

/// How layers of the HTTP client begin that say nothing: what was tried and why it failed stand around them.
const HTTP_NOISE: [&str; 2] = ["error sending request for url", "client error ("];

/// What an exit code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It was tried and did not work.
    Failure = 1,
    /// The command line, the settings or a document is wrong; nothing was tried.
    Usage = 2,
    /// The person said no, or could not be asked.
    Declined = 3,
}

/// An end with a sentence and, where there is one, a hint.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

/// The reader of stdout is gone, which is not an error.
#[derive(Debug)]
struct ReaderGone;

/// Adds a sentence and a hint to an error.
pub(crate) trait OrHint<T> {
    /// The sentence in front of the cause, the hint behind it.
    fn or_hint(self, message: impl Into<String>, hint: impl Into<String>) -> anyhow::Result<T>;
}

impl<T, E> OrHint<T> for Result<T, E>
where
    Result<T, E>: anyhow::Context<T, E>,
{
    fn or_hint(self, message: impl Into<String>, hint: impl Into<String>) -> anyhow::Result<T> {
        anyhow::Context::context(self, Fault::failure(message).hint(hint))
    }
}

impl Fault {
    /// It was tried and did not work.
    pub(crate) fn failure(message: impl Into<String>) -> Self {
        Self { exit: Exit::Failure, message: message.into(), hint: None }
    }

    /// What was asked for is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), hint: None }
    }

    /// The person did not agree.
    pub(crate) fn declined(message: impl Into<String>) -> Self {
        Self { exit: Exit::Declined, message: message.into(), hint: None }
    }

    /// What to type next.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for ReaderGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the reader of the output is gone")
    }
}

impl std::error::Error for ReaderGone {}

/// What went wrong while writing to stdout.
pub(crate) fn output_error(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Error::new(ReaderGone),
        _ => Error::new(error).context("the output can't be written"),
    }
}

/// Prints the error to stderr and says how the process ends.
pub(crate) fn report(error: &Error, typed: &Typed) -> ExitCode {
    if error.is::<ReaderGone>() {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {}", sentence(error));
    if let Some(hint) = hint(error) {
        typed.tell(&format!("hint: {hint}"));
    }
    ExitCode::from(exit(error) as u8)
}

/// The error and its causes in one line, without saying anything twice.
fn sentence(error: &Error) -> String {
    let mut sentence = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if sentence.contains(&text) || HTTP_NOISE.iter().any(|noise| text.starts_with(noise)) {
            continue;
        }
        if !sentence.is_empty() {
            sentence.push_str(": ");
        }
        sentence.push_str(&text);
    }
    sentence
}

fn exit(error: &Error) -> Exit {
    if let Some(fault) = error.downcast_ref::<Fault>() {
        return fault.exit;
    }
    match error.downcast_ref::<ClientError>() {
        Some(ClientError::Refused(problem)) if problem.code == Code::Invalid => Exit::Usage,
        Some(ClientError::Address(_)) => Exit::Usage,
        Some(_) | None => Exit::Failure,
    }
}

fn hint(error: &Error) -> Option<String> {
    if is_full_disk(error) {
        return Some(
            "see what is left with `df -h`, free some space, or choose another folder with `--data-dir DIR`"
                .to_owned(),
        );
    }
    let given = error.downcast_ref::<Fault>().and_then(|fault| fault.hint.clone());
    given.or_else(|| error.downcast_ref::<ClientError>().and_then(client_hint))
}

fn is_full_disk(error: &Error) -> bool {
    let full = |kind| matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| full(error.kind()))
            || FULL_DISK.iter().any(|words| cause.to_string().contains(words))
    })
}

fn client_hint(error: &ClientError) -> Option<String> {
    match error {
        ClientError::Refused(problem) => problem.hint.clone().or_else(|| problem_hint(problem)),
        ClientError::Unreachable { .. } => Some(
            "start a Console there with `alethia up`, or name another one with `--server URL`".to_owned(),
        ),
        ClientError::Silent { job, .. } => {
            Some(format!("the job goes on; come back to it with `alethia jobs logs -f {job}`"))
        }
        ClientError::NotAConsole { .. } | ClientError::Address(_) => {
            Some("see which Console is meant with `alethia config --effective`".to_owned())
        }
        ClientError::Unreadable { .. } => {
            Some("compare its version with the one of this command: `alethia version`".to_owned())
        }
    }
}

fn problem_hint(problem: &Problem) -> Option<String> {
    match problem.code {
        Code::Unauthenticated => Some(
            "give a valid token with `--token-file FILE` or ALETHIA_TOKEN; see the one in use with `alethia config --effective`"
                .to_owned(),
        ),
        Code::Forbidden => {
            Some("ask an owner for a token with that role: `alethia token create NAME --role ROLE`".to_owned())
        }
        Code::Unavailable => Some("try the same command again in a moment".to_owned()),
        Code::StateLocked => Some("look at the lock with `alethia state show SPEC`".to_owned()),
        Code::Invalid
        | Code::NotFound
        | Code::Conflict
        | Code::PreconditionFailed
        | Code::IdempotencyMismatch
        | Code::LeaseLost
        | Code::TooLarge
        | Code::Internal => None,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    fn refused(code: Code, hint: Option<&str>) -> Error {
        Error::new(ClientError::Refused(Box::new(Problem {
            kind: "about:blank".into(),
            title: "No".into(),
            status: 400,
            detail: "the Zone shop is not there".into(),
            code,
            errors: Vec::new(),
            permitted: Vec::new(),
            hint: hint.map(str::to_owned),
        })))
    }

    #[test]
    fn the_sentence_names_every_cause_once() {
        let cause = io::Error::new(io::ErrorKind::NotFound, "no such file");
        let error = Error::new(cause).context("shop.yaml can't be read").context("shop.yaml can't be read");
        assert_eq!(sentence(&error), "shop.yaml can't be read: no such file");
    }

    #[test]
    fn a_fault_decides_about_exit_and_hint_even_as_context() {
        let error = Error::msg("cause").context(Fault::declined("no").hint("add -y")).context("outer");
        assert_eq!(exit(&error), Exit::Declined);
        assert_eq!(hint(&error).as_deref(), Some("add -y"));
    }

    #[test]
    fn what_the_console_finds_invalid_is_usage_and_its_hint_is_passed_on() {
        assert_eq!(exit(&refused(Code::Invalid, None)), Exit::Usage);
        let error = refused(Code::NotFound, Some("alethia zone create shop"));
        assert_eq!(exit(&error), Exit::Failure);
        assert_eq!(hint(&error).as_deref(), Some("alethia zone create shop"));
    }

    #[test]
    fn a_full_disk_is_told_as_such() {
        let error: anyhow::Result<()> =
            Err(io::Error::from(io::ErrorKind::StorageFull)).context("the state can't be kept");
        assert!(hint(&error.unwrap_err()).unwrap().contains("df -h"));
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        let error = output_error(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(error.is::<ReaderGone>());
    }
}
