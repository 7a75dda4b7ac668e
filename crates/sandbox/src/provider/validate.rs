//! What is wrong with a configuration before anything is planned.
//!
//! Terraform has already checked it against the schema, apart from one thing that it leaves to the provider: a value for
//! an attribute that only the cloud may decide. The limits of [`super::checks`] come on top.

use super::{CallError, Provider};
use crate::schema::{Block, Kind, Nesting};
use crate::value::Value;
use crate::wire::{ConfigRequest, Diagnostic, DiagnosticsResponse, DynamicValue, Selector};

impl Provider {
    pub(super) fn validate(
        &self,
        kind: Kind,
        request: &ConfigRequest,
    ) -> Result<DiagnosticsResponse, CallError> {
        let block = self.catalog.block(kind, &request.type_name)?;
        let config = DynamicValue::read(request.config.as_ref())?;
        let mut diagnostics = Vec::new();
        find_unconfigurable(&block, &config, &mut Vec::new(), &mut diagnostics);
        if kind == Kind::Resource {
            diagnostics.extend(self.checks.broken(&request.type_name, &config));
        }
        Ok(DiagnosticsResponse { diagnostics })
    }
}

fn find_unconfigurable(block: &Block, value: &Value, path: &mut Vec<Selector>, found: &mut Vec<Diagnostic>) {
    let Value::Map(_) = value else { return };
    for (name, attribute) in &block.attributes {
        if attribute.is_unconfigurable() && !value.get(name).is_null() {
            path.push(Selector::Attribute(name.clone()));
            found.push(unconfigurable(name).at(path));
            path.pop();
        }
    }
    for (name, nested) in &block.blocks {
        path.push(Selector::Attribute(name.clone()));
        match value.get(name) {
            Value::List(items) => {
                for (index, item) in (0_i64..).zip(items) {
                    // An element of a set has no index that Terraform knows.
                    let step = (nested.nesting == Nesting::List).then_some(Selector::Index(index));
                    within(step, path, |path| find_unconfigurable(&nested.block, item, path, found));
                }
            }
            Value::Map(entries) if nested.nesting == Nesting::Map => {
                for (key, item) in entries {
                    within(Some(Selector::Key(key.clone())), path, |path| {
                        find_unconfigurable(&nested.block, item, path, found)
                    });
                }
            }
            inner => find_unconfigurable(&nested.block, inner, path, found),
        }
        path.pop();
    }
}

fn within(step: Option<Selector>, path: &mut Vec<Selector>, visit: impl FnOnce(&mut Vec<Selector>)) {
    let depth = path.len();
    path.extend(step);
    visit(path);
    path.truncate(depth);
}

fn unconfigurable(name: &str) -> Diagnostic {
    Diagnostic::error(
        "Value for unconfigurable attribute",
        format!(
            "Can't configure a value for \"{name}\": its value will be decided automatically based on the result of applying this configuration."
        ),
    )
}
