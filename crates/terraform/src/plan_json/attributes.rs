//! Which attributes of a resource change, with what may not be shown left out.

use alethia_domain::plan::{AttributeChange, AttributeValue};
use serde_json::Value;

use super::RawChange;

const HIDDEN: &str = "(sensitive)";

/// One side of a change at one path: the value with its masks.
#[derive(Clone, Copy)]
struct Side<'a> {
    value: Option<&'a Value>,
    sensitive: Option<&'a Value>,
    unknown: Option<&'a Value>,
}

/// The attributes that differ between before and after, each by its path.
pub(super) fn changed(change: &RawChange) -> Vec<AttributeChange> {
    let before =
        Side { value: Some(&change.before), sensitive: Some(&change.before_sensitive), unknown: None };
    let after = Side {
        value: Some(&change.after),
        sensitive: Some(&change.after_sensitive),
        unknown: Some(&change.after_unknown),
    };
    let mut found = Vec::new();
    compare(String::new(), before, after, &mut found);
    found
}

/// A path as Terraform gives it, spelled as a person reads it.
pub(super) fn spell(path: &[Value]) -> String {
    path.iter().fold(String::new(), |spelled, step| match step {
        Value::String(name) => join(&spelled, name),
        other => format!("{spelled}[{other}]"),
    })
}

fn compare(path: String, before: Side<'_>, after: Side<'_>, found: &mut Vec<AttributeChange>) {
    if before.is_hidden() || after.is_hidden() || after.is_unknown() {
        return record(path, before, after, found);
    }
    match (before.value, after.value) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let unknown = after.unknown.and_then(Value::as_object);
            let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
            keys.extend(unknown.into_iter().flat_map(|unknown| unknown.keys()));
            keys.sort();
            keys.dedup();
            for key in keys {
                compare(join(&path, key), before.field(key), after.field(key), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
            for index in 0..old.len() {
                compare(format!("{path}[{index}]"), before.item(index), after.item(index), found);
            }
        }
        _ => record(path, before, after, found),
    }
}

fn record(path: String, before: Side<'_>, after: Side<'_>, found: &mut Vec<AttributeChange>) {
    if before.value == after.value && !after.is_unknown() {
        return;
    }
    let (before, after) = (before.show(), after.show());
    if before != after || before == AttributeValue::Sensitive {
        found.push(AttributeChange { path, before, after });
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

impl<'a> Side<'a> {
    fn field(self, key: &str) -> Self {
        self.step(|value| value.get(key))
    }

    fn item(self, index: usize) -> Self {
        self.step(|value| value.get(index))
    }

    fn step(self, get: impl Fn(&'a Value) -> Option<&'a Value>) -> Self {
        Self {
            value: self.value.and_then(&get),
            sensitive: self.sensitive.and_then(&get),
            unknown: self.unknown.and_then(&get),
        }
    }

    fn is_hidden(self) -> bool {
        self.sensitive == Some(&Value::Bool(true))
    }

    fn is_unknown(self) -> bool {
        self.unknown == Some(&Value::Bool(true))
    }

    fn show(self) -> AttributeValue {
        if self.is_hidden() {
            return AttributeValue::Sensitive;
        }
        if self.is_unknown() {
            return AttributeValue::Unknown;
        }
        match self.value {
            None | Some(Value::Null) => AttributeValue::Absent,
            Some(value) => AttributeValue::Known(masked(value, self.sensitive)),
        }
    }
}

fn masked(value: &Value, mask: Option<&Value>) -> Value {
    match (value, mask) {
        (_, Some(Value::Bool(true))) => Value::String(HIDDEN.to_owned()),
        (Value::Object(fields), Some(mask)) => {
            fields.iter().map(|(key, value)| (key.clone(), masked(value, mask.get(key)))).collect()
        }
        (Value::Array(items), Some(mask)) => {
            items.iter().enumerate().map(|(index, value)| masked(value, mask.get(index))).collect()
        }
        (value, _) => value.clone(),
    }
}
