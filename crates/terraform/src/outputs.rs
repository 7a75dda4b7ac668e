//! What the root gives out, by component.
//!
//! The one output of the templates is `components`: kind, then name, then the component's own outputs. Nothing in it is
//! sensitive: the templates give out endpoints, ARNs and addresses of secrets, never a secret.

use std::collections::BTreeMap;

use alethia_domain::component::{ComponentKind, ComponentRef};
use serde_json::{Map, Value};

/// Reads the value of the output `components`. Kinds that are not known are skipped, and so is what has no value.
pub fn by_component(value: &Value) -> BTreeMap<ComponentRef, Map<String, Value>> {
    let named = |kind: ComponentKind| {
        let components = value.get(kind.as_str()).and_then(Value::as_object);
        components
            .into_iter()
            .flatten()
            .filter_map(move |(name, outputs)| Some((reference(kind, name), known(outputs)?)))
    };
    ComponentKind::ALL.into_iter().flat_map(named).collect()
}

fn reference(kind: ComponentKind, name: &str) -> ComponentRef {
    if kind.is_singleton() { ComponentRef::singleton(kind) } else { ComponentRef::named(kind, name) }
}

fn known(outputs: &Value) -> Option<Map<String, Value>> {
    let outputs = outputs.as_object()?;
    Some(
        outputs
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn outputs_are_found_by_component() {
        let value = json!({
            "network": { "network": { "vpc_id": "vpc-1", "nat": null } },
            "database": { "orders": { "endpoint": "x" } },
            "later_kind": { "x": { "y": 1 } },
            "queue": 3,
        });
        let found: Vec<(String, Value)> =
            by_component(&value).into_iter().map(|(key, value)| (key.to_string(), value.into())).collect();
        assert_eq!(
            found,
            [
                ("network".to_owned(), json!({ "vpc_id": "vpc-1" })),
                ("database.orders".to_owned(), json!({ "endpoint": "x" })),
            ]
        );
    }
}
