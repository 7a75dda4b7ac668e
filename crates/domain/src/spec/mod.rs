//! The Spec document: one environment in one YAML or JSON file.
//!
//! `parse` turns text into a checked, complete [`Document`]; `resolve` does the same for JSON that came over the wire.
//! Both report everything that is wrong at once. `print`, `explain`, `diff` and `json_schema` go the other way. What a
//! document may say stands in `component/`, what it may leave out in `defaults.yaml`; nothing here repeats either.

mod budget;
mod check;
mod default_table;
mod defaults;
pub mod design;
mod diff;
mod document;
mod json;
mod parse;
pub(crate) mod place;
mod print;
mod problem;
mod read;
mod rules;
mod schema;
mod shape;
mod spelling;

pub(crate) use check::{Checker, is_arn, repeated};
pub use defaults::Origins;
pub use diff::{FieldChange, diff};
pub use document::{ApiVersion, Cloud, Document, Provider, SpecKind};
pub use json::deserialize_written;
pub use parse::{Parsed, parse, resolve};
pub use print::{explain, print, print_value};
pub(crate) use problem::Finding;
pub use problem::Problem;
pub use read::MAX_DOCUMENT_BYTES;
pub use schema::json_schema;
