//! Which resources of a state refuse to be deleted, so that a removal that was confirmed can lift that first.
//!
//! Clouds refuse to delete a protected resource, and Terraform does not lift protection by itself: what removes a Spec
//! applies the unprotected document to just these addresses before it destroys anything.

use serde::Deserialize;
use serde_json::Value;

/// Attributes by which resources of the templates refuse to be deleted.
const PROTECTIONS: [&str; 2] = ["deletion_protection", "deletion_protection_enabled"];

/// A text that is no Terraform state.
#[derive(Debug, thiserror::Error)]
#[error("the state can't be read: {0}")]
pub struct StateError(#[from] serde_json::Error);

#[derive(Deserialize)]
struct State {
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(default)]
    module: Option<String>,
    mode: String,
    #[serde(rename = "type")]
    resource_type: String,
    name: String,
    #[serde(default)]
    instances: Vec<Instance>,
}

#[derive(Deserialize)]
struct Instance {
    #[serde(default)]
    index_key: Option<Value>,
    #[serde(default)]
    attributes: Value,
}

/// Addresses of the resources that are protected from deletion, in the order of the state.
///
/// # Errors
/// When the text is no Terraform state. An empty text is the state of nothing.
pub fn protected(state: &[u8]) -> Result<Vec<String>, StateError> {
    if state.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let state: State = serde_json::from_slice(state)?;
    let managed = state.resources.iter().filter(|resource| resource.mode == "managed");
    Ok(managed.flat_map(Resource::protected).collect())
}

/// The variables of a root with every protection from deletion off. All else stays, last snapshots included.
pub(crate) fn lifted(mut variables: Value) -> Value {
    lift(&mut variables);
    variables
}

fn lift(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| match name.as_str() {
            "deletion_protection" => *value = Value::Bool(false),
            _ => lift(value),
        }),
        Value::Array(items) => items.iter_mut().for_each(lift),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

impl Resource {
    fn protected(&self) -> impl Iterator<Item = String> {
        self.instances
            .iter()
            .filter(|instance| instance.is_protected())
            .map(|instance| self.address(instance))
    }

    fn address(&self, instance: &Instance) -> String {
        let module = self.module.as_ref().map(|module| format!("{module}.")).unwrap_or_default();
        let index = instance.index_key.as_ref().map(|key| format!("[{key}]")).unwrap_or_default();
        format!("{module}{}.{}{index}", self.resource_type, self.name)
    }
}

impl Instance {
    fn is_protected(&self) -> bool {
        PROTECTIONS.iter().any(|attribute| self.attributes[attribute] == Value::Bool(true))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_protected_now_is_named() {
        let state = json!({
            "version": 4,
            "resources": [
                {
                    "module": "module.database-orders", "mode": "managed", "type": "aws_rds_cluster", "name": "main",
                    "instances": [{ "attributes": { "deletion_protection": true } }],
                },
                {
                    "module": "module.nosql_table-carts", "mode": "managed", "type": "aws_dynamodb_table", "name": "main",
                    "instances": [
                        { "index_key": 0, "attributes": { "deletion_protection_enabled": true } },
                        { "index_key": "b", "attributes": { "deletion_protection_enabled": false } },
                    ],
                },
                { "mode": "data", "type": "aws_rds_cluster", "name": "x", "instances": [{ "attributes": { "deletion_protection": true } }] },
                { "mode": "managed", "type": "aws_vpc", "name": "main", "instances": [{ "attributes": null }] },
            ],
        });
        assert_eq!(
            protected(&serde_json::to_vec(&state).unwrap()).unwrap(),
            [
                "module.database-orders.aws_rds_cluster.main",
                "module.nosql_table-carts.aws_dynamodb_table.main[0]"
            ]
        );
    }

    #[test]
    fn lifting_leaves_all_else_as_it_is() {
        let variables =
            json!({ "databases": { "orders": { "deletion_protection": true, "final_snapshot": "x" } } });
        let lifted =
            json!({ "databases": { "orders": { "deletion_protection": false, "final_snapshot": "x" } } });
        assert_eq!(super::lifted(variables), lifted);
    }

    #[test]
    fn no_state_protects_nothing_and_no_text_panics() {
        assert_eq!(protected(b"\n").unwrap(), Vec::<String>::new());
        for text in ["{", "{\"resources\": 3}", "\u{0}"] {
            assert!(protected(text.as_bytes()).is_err(), "{text}");
        }
    }
}
