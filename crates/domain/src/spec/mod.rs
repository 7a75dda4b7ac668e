//! The Spec document: one environment in one YAML or JSON file.

mod document;

pub use document::{API_VERSION, ApiVersion, Cloud, Document, Provider, SpecKind};
