//! How much a document may hold, counted while it is read and before anything is made of it.
//!
//! A file is small, but its aliases repeat what they stand for, and every field is known by its whole path: both
//! multiply. A document that came as JSON is held to the same limits, so that the work and the memory that checking
//! takes are bounded by these numbers alone.

use serde_json::Value;

use super::problem::Finding;

/// Deepest nesting.
pub(super) const MAX_DEPTH: usize = 32;

const MAX_VALUES: usize = 100_000;
const MAX_KEY_BYTES: usize = 1024;
const MAX_BYTES: usize = 32 << 20;

/// Too much of something, and how much there may be.
#[derive(Debug)]
pub(super) struct Excess {
    pub(super) message: &'static str,
    pub(super) allowed: &'static str,
}

/// What was counted so far.
#[derive(Debug, Default)]
pub(super) struct Budget {
    values: usize,
    bytes: usize,
}

impl Budget {
    /// Counts one value: its text, and its path as often as it is kept.
    pub(super) fn value(&mut self, path_bytes: usize, text_bytes: usize) -> Result<(), Excess> {
        self.values += 1;
        self.bytes = self.bytes.saturating_add(path_bytes).saturating_add(text_bytes);
        if self.values > MAX_VALUES {
            return Err(Excess { message: "the document holds too much", allowed: "at most 100000 values" });
        }
        if self.bytes > MAX_BYTES {
            return Err(Excess {
                message: "the document holds too much",
                allowed: "at most 32 MiB of paths and texts",
            });
        }
        Ok(())
    }

    /// Refuses a key that nobody means.
    pub(super) fn key(text: &str) -> Result<(), Excess> {
        if text.len() <= MAX_KEY_BYTES {
            return Ok(());
        }
        Err(Excess { message: "a key is too long", allowed: "at most 1024 bytes" })
    }
}

/// Refuses a value that holds more than a document may.
pub(super) fn check(value: &Value) -> Result<(), Finding> {
    let walked = walk(&mut Budget::default(), value, 0, 0);
    walked.map_err(|excess| Finding::new("", excess.message).allowed(excess.allowed))
}

fn walk(budget: &mut Budget, value: &Value, path_bytes: usize, depth: usize) -> Result<(), Excess> {
    if depth > MAX_DEPTH {
        return Err(TOO_DEEP);
    }
    budget.value(path_bytes, value.as_str().map_or(0, str::len))?;
    match value {
        Value::Array(items) => {
            items.iter().try_for_each(|item| walk(budget, item, path_bytes + ITEM_BYTES, depth + 1))
        }
        Value::Object(fields) => fields.iter().try_for_each(|(key, field)| {
            Budget::key(key)?;
            walk(budget, field, path_bytes + key.len() + 1, depth + 1)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// Bytes of a usual index in a path.
const ITEM_BYTES: usize = 4;

/// Said of a document that is nested too deeply.
pub(super) const TOO_DEEP: Excess = Excess { message: "nested too deeply", allowed: "at most 32 levels" };
