//! `aws_iam_policy_document`: the one data source whose answer is a computation.
//!
//! The JSON is what AWS reads: one value stands alone, several are a list, the principal `*` is short. Documents of
//! `source_policy_documents` come first, those of `override_policy_documents` replace statements with the same Sid.

use serde_json::{Map, Value as Json, json};

use crate::value::Value;

const VERSION: &str = "2012-10-17";

/// Sets `json`, `minified_json`, `version` and `id` from the statements.
pub(super) fn compute(document: &mut Value) {
    let version = document.get("version").as_str().unwrap_or(VERSION).to_owned();
    let mut policy = Map::new();
    policy.insert("Version".to_owned(), Json::from(version.as_str()));
    if let Some(id) = document.get("policy_id").as_str() {
        policy.insert("Id".to_owned(), Json::from(id));
    }
    policy.insert("Statement".to_owned(), Json::Array(statements(document)));
    let policy = Json::Object(policy);
    let pretty = serde_json::to_string_pretty(&policy).expect("a policy is plain JSON");
    document.set("json", Value::String(pretty.clone()));
    document.set("minified_json", Value::String(policy.to_string()));
    document.set("version", Value::String(version));
    document.set("id", Value::String(checksum(&pretty)));
}

fn statements(document: &Value) -> Vec<Json> {
    let mut statements = merged(document.get("source_policy_documents"));
    statements.extend(document.get("statement").items().iter().map(statement));
    for statement in merged(document.get("override_policy_documents")) {
        let same = |other: &Json| !statement["Sid"].is_null() && other["Sid"] == statement["Sid"];
        match statements.iter().position(same) {
            Some(index) => statements[index] = statement,
            None => statements.push(statement),
        }
    }
    statements
}

/// The statements of given JSON documents, one after the other.
fn merged(documents: &Value) -> Vec<Json> {
    let parsed =
        documents.items().iter().filter_map(|text| serde_json::from_str::<Json>(text.as_str()?).ok());
    parsed
        .flat_map(|document| match document["Statement"].clone() {
            Json::Array(statements) => statements,
            Json::Null => Vec::new(),
            statement => vec![statement],
        })
        .collect()
}

fn statement(block: &Value) -> Json {
    let mut statement = Map::new();
    let mut add = |name: &str, value: Option<Json>| {
        if let Some(value) = value {
            statement.insert(name.to_owned(), value);
        }
    };
    add("Sid", block.get("sid").as_str().filter(|sid| !sid.is_empty()).map(Json::from));
    add("Effect", Some(Json::from(block.get("effect").as_str().unwrap_or("Allow"))));
    for (name, attribute) in [
        ("Action", "actions"),
        ("NotAction", "not_actions"),
        ("Resource", "resources"),
        ("NotResource", "not_resources"),
    ] {
        add(name, texts(block.get(attribute)));
    }
    for (name, attribute) in [("Principal", "principals"), ("NotPrincipal", "not_principals")] {
        add(name, principals(block.get(attribute)));
    }
    add("Condition", conditions(block.get("condition")));
    Json::Object(statement)
}

/// One text alone, several in AWS's order: sorted backwards, as the real provider prints them.
fn texts(list: &Value) -> Option<Json> {
    let mut texts: Vec<&str> = list.items().iter().filter_map(Value::as_str).collect();
    texts.sort_unstable();
    texts.reverse();
    match texts.as_slice() {
        [] => None,
        [one] => Some(Json::from(*one)),
        several => Some(json!(several)),
    }
}

fn principals(blocks: &Value) -> Option<Json> {
    let mut principals = Map::new();
    for block in blocks.items() {
        let kind = block.get("type").as_str().unwrap_or_default();
        let identifiers = texts(block.get("identifiers"))?;
        if kind == "*" && identifiers == "*" {
            return Some(Json::from("*"));
        }
        add_texts(&mut principals, kind, identifiers);
    }
    (!principals.is_empty()).then_some(Json::Object(principals))
}

fn conditions(blocks: &Value) -> Option<Json> {
    let mut tests = Map::new();
    for block in blocks.items() {
        let test = block.get("test").as_str().unwrap_or_default();
        let variable = block.get("variable").as_str().unwrap_or_default();
        let values: Vec<&str> = block.get("values").items().iter().filter_map(Value::as_str).collect();
        let values = if let [one] = values.as_slice() { Json::from(*one) } else { json!(values) };
        if let Json::Object(variables) = tests.entry(test).or_insert_with(|| json!({})) {
            add_texts(variables, variable, values);
        }
    }
    (!tests.is_empty()).then_some(Json::Object(tests))
}

/// Adds texts under a key that may have some already.
fn add_texts(map: &mut Map<String, Json>, key: &str, added: Json) {
    let list = |value: Json| if let Json::Array(items) = value { items } else { vec![value] };
    let value = match map.remove(key) {
        Some(old) => Json::Array(list(old).into_iter().chain(list(added)).collect()),
        None => added,
    };
    map.insert(key.to_owned(), value);
}

/// A short number of the text, as the real provider uses for an id.
fn checksum(text: &str) -> String {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    text.bytes().fold(2_166_136_261, step).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts_of(items: &[&str]) -> Value {
        Value::List(items.iter().copied().map(Value::string).collect())
    }

    fn map(entries: &[(&str, Value)]) -> Value {
        Value::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }

    #[test]
    fn a_document_is_the_json_that_aws_reads() {
        let principal =
            map(&[("type", Value::string("Service")), ("identifiers", texts_of(&["sns.amazonaws.com"]))]);
        let condition = map(&[
            ("test", Value::string("ArnEquals")),
            ("variable", Value::string("aws:SourceArn")),
            ("values", texts_of(&["arn:t"])),
        ]);
        let statement = map(&[
            ("actions", texts_of(&["sqs:SendMessage"])),
            ("resources", texts_of(&["arn:q"])),
            ("principals", Value::List(vec![principal])),
            ("condition", Value::List(vec![condition])),
        ]);
        let mut document = map(&[("statement", Value::List(vec![statement]))]);
        compute(&mut document);
        let parsed: Json = serde_json::from_str(document.get("json").as_str().unwrap()).unwrap();
        assert_eq!(
            parsed,
            json!({
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Action": "sqs:SendMessage",
                    "Resource": "arn:q",
                    "Principal": { "Service": "sns.amazonaws.com" },
                    "Condition": { "ArnEquals": { "aws:SourceArn": "arn:t" } },
                }],
            })
        );
    }

    #[test]
    fn an_override_replaces_the_statement_with_its_sid() {
        let source = r#"{"Statement":[{"Sid":"A","Effect":"Allow"},{"Sid":"B","Effect":"Allow"}]}"#;
        let replacement = r#"{"Statement":{"Sid":"A","Effect":"Deny"}}"#;
        let document = map(&[
            ("source_policy_documents", texts_of(&[source])),
            ("override_policy_documents", texts_of(&[replacement])),
        ]);
        let effects: Vec<Json> =
            statements(&document).iter().map(|statement| statement["Effect"].clone()).collect();
        assert_eq!(effects, ["Deny", "Allow"]);
    }
}
