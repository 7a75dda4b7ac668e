//! The JSON Schema of a written document: made from the component structs, loosened by the table of defaults.
//!
//! Editors read it (`alethia spec schema`), and so does the shape check: there is no second list of fields. A pattern
//! carries its meaning in words beside it (`patternErrorMessage`), because people are shown the words.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{
    default_table::{Row, table},
    document::Document,
    place::{Segment, segments},
};

/// The words for patterns that several fields share.
const PATTERN_WORDS: [(&str, &str); 18] = [
    (
        "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$",
        "1 to 40 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen",
    ),
    (
        "^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$",
        "1 to 30 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen",
    ),
    (
        "^[a-z]([a-z0-9-]{1,38}[a-z0-9])?$",
        "3 to 40 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen",
    ),
    (crate::component::IPV4_RANGE, "an IPv4 range such as 10.0.0.0/16"),
    (r"^1\.\d{2}$", "a Kubernetes version such as \"1.35\""),
    (r"^\d{1,2}(\.\d{1,2})?$", "a version such as \"17\" or \"8.0\""),
    (r"^\d{1,2}\.\d{1,2}$", "a version such as \"8.0\""),
    ("^[a-z][a-z0-9_]{0,62}$", "1 to 63 lower-case letters, digits and underscores, beginning with a letter"),
    ("^[a-z][a-z0-9_]{0,15}$", "1 to 16 lower-case letters, digits and underscores, beginning with a letter"),
    (r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$", "two times of day in UTC such as \"02:00-03:00\""),
    (
        r"^(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d-(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d$",
        "two times of the week in UTC such as \"sun:03:00-sun:04:00\"",
    ),
    (r"^[a-z0-9.]{4,40}$", "a node type of the cloud such as cache.t4g.small"),
    (
        r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$",
        "a domain name such as shop.example.com, in lower case and without a dot at the end",
    ),
    (
        "^[A-Za-z_][A-Za-z0-9_.-]{0,254}$",
        "1 to 255 letters, digits, underscores, dots and hyphens, beginning with a letter",
    ),
    (r"^\d{12}$", "an AWS account id of twelve digits, in quotes"),
    (
        r"^(https://|ssh://git@|git@)[A-Za-z0-9._:/~-]+$",
        "an address such as https://host/path.git or git@host:path.git, without a user name or password",
    ),
    (r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$", "a branch, tag or commit"),
    (r"^(\.|[A-Za-z0-9_][A-Za-z0-9._/-]{0,254})$", "a folder in the repository such as apps/shop, or \".\""),
];

static SCHEMA: LazyLock<Value> = LazyLock::new(build);

/// The JSON Schema of a document as people write it.
pub fn json_schema() -> &'static Value {
    &SCHEMA
}

fn build() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<Document>().to_value();
    tidy(&mut schema);
    for row in table() {
        loosen(&mut schema, &row.at);
    }
    for row in table() {
        tell_default(&mut schema, row);
    }
    let object = schema.as_object_mut().expect("a struct has an object schema");
    object.insert("title".to_owned(), json!("Alethia Spec"));
    object.insert("description".to_owned(), json!("One environment: what it consists of and where it runs."));
    schema
}

/// The part of a schema that describes a field, by its path with or without indexes.
pub(super) fn node<'a>(schema: &'a Value, path: &str) -> Option<&'a Value> {
    segments(path).iter().try_fold(schema, |schema, segment| match segment {
        Segment::Key(key) => {
            let named = schema.get("properties").and_then(|properties| properties.get(key));
            named.or_else(|| schema.get("additionalProperties").filter(|rest| rest.is_object()))
        }
        Segment::Item(_) => schema.get("items"),
    })
}

fn node_mut<'a>(schema: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    segments(path).iter().try_fold(schema, |schema, segment| match segment {
        Segment::Key(key) => schema.get_mut("properties")?.get_mut(key),
        Segment::Item(_) => schema.get_mut("items"),
    })
}

/// A field that has a default need not be written.
fn loosen(schema: &mut Value, at: &str) {
    let (parent, name) = at.rsplit_once('.').unwrap_or(("", at));
    let required =
        node_mut(schema, parent).and_then(|parent| parent.get_mut("required")).and_then(Value::as_array_mut);
    if let Some(required) = required {
        required.retain(|required| required.as_str() != Some(name));
    }
}

/// Editors show a default: as such when it is the same everywhere, else in words.
fn tell_default(schema: &mut Value, row: &Row) {
    let Some(field) = node_mut(schema, &row.at).and_then(Value::as_object_mut) else { return };
    if let Some(value) = row.constant() {
        field.insert("default".to_owned(), value.clone());
    } else if let (Some(words), Some(meaning)) = (row.words(), meaning(field)) {
        field.insert("markdownDescription".to_owned(), format!("{meaning} Default{words}.").into());
    }
}

/// What a field means, with the defaults told so far.
fn meaning(field: &Map<String, Value>) -> Option<String> {
    let text = field.get("markdownDescription").or_else(|| field.get("description"))?;
    text.as_str().map(str::to_owned)
}

fn tidy(schema: &mut Value) {
    if let Value::Object(object) = schema {
        drop_null(object);
        collapse_choices(object);
        explain_pattern(object);
        if object.get("format").is_some_and(Value::is_string) {
            object.remove("format");
        }
    }
    match schema {
        Value::Object(object) => object.values_mut().for_each(tidy),
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// An optional field is left out, not written as null.
fn drop_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    let Some(Value::Array(options)) = object.get("anyOf") else { return };
    let rest: Vec<&Value> =
        options.iter().filter(|option| option.get("type") != Some(&json!("null"))).collect();
    if let ([Value::Object(only)], true) = (rest.as_slice(), rest.len() < options.len()) {
        let only = only.clone();
        object.remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
    }
}

/// A choice among words is one `enum`, with what the words mean beside it.
fn collapse_choices(object: &mut Map<String, Value>) {
    let Some(Value::Array(options)) = object.get("oneOf") else { return };
    let words: Option<Vec<Value>> = options.iter().map(|option| option.get("const").cloned()).collect();
    let Some(words) = words else { return };
    let meanings: Vec<Value> =
        options.iter().map(|option| option.get("description").cloned().unwrap_or_default()).collect();
    object.remove("oneOf");
    object.insert("type".to_owned(), json!("string"));
    object.insert("enum".to_owned(), words.into());
    object.insert("markdownEnumDescriptions".to_owned(), meanings.into());
}

fn explain_pattern(object: &mut Map<String, Value>) {
    let Some(Value::String(pattern)) = object.get("pattern") else { return };
    let words = PATTERN_WORDS.iter().find(|(known, _)| known == pattern).map(|(_, words)| *words);
    if let Some(words) = words {
        object.entry("patternErrorMessage").or_insert(json!(words));
    }
}
