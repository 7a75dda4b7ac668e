//! In which fields two documents differ. Items of lists are told apart by name, not by place.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::place::{field, item};

/// One field that differs. A value is absent where the field is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldChange {
    /// The field, such as `databases["orders"].capacity.max`.
    pub path: String,
    /// Value before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// Value after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// The fields in which two documents differ, in the order of the first and then of the second.
pub fn diff(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    compare(String::new(), Some(before), Some(after), &mut changes);
    changes
}

fn compare(path: String, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<FieldChange>) {
    if before == after {
        return;
    }
    let parts = match (before, after) {
        (Some(before), Some(after)) => parts(&path, before).zip(parts(&path, after)),
        (None | Some(_), None) | (None, Some(_)) => None,
    };
    let Some((before_parts, after_parts)) = parts else {
        changes.push(FieldChange { path, before: before.cloned(), after: after.cloned() });
        return;
    };
    let find = |parts: &[(String, Value)], path: &str| {
        parts.iter().find(|(known, _)| known == path).map(|(_, value)| value.clone())
    };
    for (path, value) in &before_parts {
        compare(path.clone(), Some(value), find(&after_parts, path).as_ref(), changes);
    }
    for (path, value) in after_parts {
        if find(&before_parts, &path).is_none() {
            compare(path, None, Some(&value), changes);
        }
    }
}

/// What a value consists of; none for a single value and for a list of single values.
fn parts(path: &str, value: &Value) -> Option<Vec<(String, Value)>> {
    match value {
        Value::Object(object) => {
            Some(object.iter().map(|(key, value)| (field(path, key), value.clone())).collect())
        }
        Value::Array(items) if items.iter().all(Value::is_object) => {
            let named = |(index, value): (usize, &Value)| {
                let name = value.get("name").and_then(Value::as_str);
                let path = name.map_or_else(|| item(path, index), |name| format!("{path}[{name:?}]"));
                (path, value.clone())
            };
            Some(items.iter().enumerate().map(named).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn items_are_told_apart_by_name() {
        let before = json!({ "name": "shop", "queues": [{ "name": "a", "delay": "0s" }, { "name": "b" }] });
        let after = json!({ "name": "shop", "queues": [{ "name": "b" }, { "name": "a", "delay": "5s" }, { "name": "c" }] });
        let changes = diff(&before, &after);
        let paths: Vec<_> = changes.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(paths, ["queues[\"a\"].delay", "queues[\"c\"]"]);
        assert_eq!(changes[0].before, Some(json!("0s")));
        assert_eq!(changes[1].before, None);
        assert_eq!(diff(&before, &before), []);
    }
}
