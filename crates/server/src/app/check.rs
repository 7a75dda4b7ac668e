//! Checks of what clients write, each with what would be right.

use crate::error::{Error, Result};

const LONGEST_NAME: usize = 40;
const LONGEST_TEXT: usize = 250;
const LONGEST_LABEL: usize = 63;
const MOST_LABELS: usize = 20;

/// A name of something on the platform.
pub(super) fn name(field: &str, text: &str) -> Result<()> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let right = text.len() <= LONGEST_NAME
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.chars().all(inner);
    if right {
        return Ok(());
    }
    Err(Error::field(
        field,
        format!(
            "{text:?} is no name; allowed: a lowercase letter, then up to {} lowercase letters, digits or \
             hyphens, no hyphen at the end",
            LONGEST_NAME - 1
        ),
    ))
}

/// A text for people.
pub(super) fn text(field: &str, text: Option<&str>) -> Result<()> {
    match text.map(|text| text.chars().count()) {
        Some(length) if length > LONGEST_TEXT => {
            Err(Error::field(field, format!("it has {length} characters; allowed: up to {LONGEST_TEXT}")))
        }
        Some(_) | None => Ok(()),
    }
}

/// Labels of a Runner or a job.
pub(super) fn labels(field: &str, labels: &[String]) -> Result<()> {
    if labels.len() > MOST_LABELS {
        return Err(Error::field(
            field,
            format!("there are {} labels; allowed: up to {MOST_LABELS}", labels.len()),
        ));
    }
    let wrong = labels.iter().enumerate().find(|(_, label)| !is_label(label));
    match wrong {
        Some((index, label)) => Err(Error::field(
            format!("{field}[{index}]"),
            format!(
                "{label:?} is no label; allowed: 1 to {LONGEST_LABEL} lowercase letters, digits or any of - . _ / ="
            ),
        )),
        None => Ok(()),
    }
}

fn is_label(label: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._/=".contains(c);
    !label.is_empty() && label.len() <= LONGEST_LABEL && label.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        for right in ["a", "shop", "shop-2", &"a".repeat(40)] {
            assert!(name("name", right).is_ok(), "{right}");
        }
        for wrong in ["", "Shop", "2shop", "shop-", "a b", "../x", &"a".repeat(41)] {
            assert!(name("name", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_label_is_named_by_its_place() {
        let error = labels("labels", &["eu".to_owned(), "E U".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("labels[1]"), "{error}");
    }
}
