//! Questions to the person at the terminal.

use std::io::{self, IsTerminal};

use inquire::{Confirm, InquireError};

use crate::error::Fault;

/// Asks whether to go on; `yes` was said before where it is set.
///
/// # Errors
/// When the answer is no, or nobody can be asked.
pub(crate) fn agree(question: &str, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !can_ask() {
        let fault = Fault::declined("nobody can be asked: there is no terminal");
        return Err(fault.hint("add `-y` to go on without a question").into());
    }
    match Confirm::new(question).with_default(false).prompt() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Fault::declined("declined; nothing was carried out").into()),
        Err(error) => Err(unanswered(error)),
    }
}

/// Whether there is a person who can be asked.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// The error for a question that was left without an answer.
pub(crate) fn unanswered(error: InquireError) -> anyhow::Error {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => {
            Fault::declined("declined; nothing was carried out").into()
        }
        InquireError::NotTTY => Fault::declined("nobody can be asked: there is no terminal").into(),
        InquireError::InvalidConfiguration(_) | InquireError::IO(_) | InquireError::Custom(_) => {
            anyhow::Error::new(error).context("the question can't be asked")
        }
    }
}
