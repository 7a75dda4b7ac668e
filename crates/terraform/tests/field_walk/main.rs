//! Every field of a Spec document reaches a Terraform argument.
//!
//! In two halves that meet at the variables. A field of the document that is changed changes the variables: tried with
//! every field of the JSON Schema. And every part of a variable is used by a resource of its module: read off the templates.
//! A field that ends in neither is one that users set in vain.

#![expect(clippy::unwrap_used, reason = "a test that can't read its templates has to stop")]

mod declared;
mod reach;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use alethia_domain::{
    access::CloudAccess,
    component::ComponentKind,
    ids::SpecId,
    spec::{Document, json_schema, resolve},
};
use alethia_terraform::render;
use serde_json::{Value, json};

use declared::Type;

fn templates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/aws")
}

fn module(kind: ComponentKind) -> PathBuf {
    templates().join("modules").join(kind.as_str())
}

fn maximal() -> Value {
    serde_json::from_str(include_str!("../maximal.json")).unwrap()
}

fn variables(document: Value) -> Option<Value> {
    let document: Document = serde_json::from_value(document).ok()?;
    let access = CloudAccess::Aws { role_arn: Some("arn".to_owned()), external_id: Some("id".to_owned()) };
    Some(render::variables(
        &document,
        SpecId("00000000-0000-0000-0000-000000000007".parse().unwrap()),
        &access,
    ))
}

/// Values to try in place of another: for every type of field there is one that differs from what the document has.
fn others(value: &Value, schema: &Value) -> Vec<Value> {
    let texts = [
        "9d",
        "7h",
        "700s",
        "12GiB",
        "2048GiB",
        "64GiB",
        "10.9.0.0/17",
        "9.9",
        "other",
        "02:30-03:30",
        "sat:01:00-sat:02:00",
    ];
    let mut tried: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
    tried.extend(named_values(schema));
    match value {
        Value::Bool(flag) => vec![json!(!flag)],
        Value::Number(number) => match number.as_u64() {
            Some(whole) if number.is_u64() => vec![json!(whole + 1), json!(whole.saturating_sub(1))],
            _ => vec![json!(number.as_f64().unwrap() + 1.0)],
        },
        Value::String(_) => tried.into_iter().filter(|other| other != value).collect(),
        Value::Null | Value::Array(_) | Value::Object(_) => Vec::new(),
    }
}

/// The words that an enumeration allows.
fn named_values(schema: &Value) -> Vec<Value> {
    let own = schema.get("enum").and_then(Value::as_array).cloned().unwrap_or_default();
    let choices = ["oneOf", "anyOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten();
    own.into_iter()
        .chain(
            choices.flat_map(|choice| choice.get("const").cloned().into_iter().chain(named_values(choice))),
        )
        .collect()
}

/// The schema that a reference or an optional field stands for.
fn resolved(schema: &Value) -> &Value {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let pointer = reference.strip_prefix('#').unwrap();
        return resolved(json_schema().pointer(pointer).expect("a reference leads somewhere"));
    }
    let choices = schema.get("anyOf").and_then(Value::as_array);
    match choices.and_then(|choices| choices.iter().find(|choice| choice.get("type") != Some(&json!("null"))))
    {
        Some(choice) => resolved(choice),
        None => schema,
    }
}

/// Every field below a schema, as JSON pointers into a document where `*` is any element, with the schema of each.
fn fields(pointer: &str, schema: &'static Value, found: &mut Vec<(String, &'static Value)>) {
    let schema = resolved(schema);
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, field) in properties {
            fields(&format!("{pointer}/{name}"), field, found);
        }
    } else if let Some(items) = schema.get("items") {
        fields(&format!("{pointer}/*"), items, found);
    } else if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
        fields(&format!("{pointer}/*"), values, found);
    } else {
        found.push((pointer.to_owned(), schema));
    }
}

/// Every place in a document that a pointer with `*` leads to.
fn places(document: &Value, pointer: &str) -> Vec<String> {
    let mut places = vec![String::new()];
    for step in pointer.split('/').skip(1) {
        let next = |place: &String| match document.pointer(place) {
            Some(Value::Array(items)) if step == "*" => {
                (0..items.len()).map(|index| format!("{place}/{index}")).collect()
            }
            Some(Value::Object(items)) if step == "*" => {
                items.keys().map(|key| format!("{place}/{key}")).collect()
            }
            Some(Value::Object(items)) if items.contains_key(step) => vec![format!("{place}/{step}")],
            _ => Vec::new(),
        };
        places = places.iter().flat_map(next).collect();
    }
    places
}

fn all_fields() -> Vec<(String, &'static Value)> {
    let properties = &json_schema()["properties"];
    let mut found = Vec::new();
    for kind in ComponentKind::ALL {
        fields(&format!("/{}", kind.section()), &properties[kind.section()], &mut found);
    }
    found
}

fn changes_the_variables(document: &Value, pointer: &str, schema: &Value) -> bool {
    let before = variables(document.clone());
    places(document, pointer).iter().any(|place| {
        others(document.pointer(place).unwrap(), schema).into_iter().any(|other| {
            let mut changed = document.clone();
            *changed.pointer_mut(place).unwrap() = other;
            variables(changed).is_some_and(|after| Some(after) != before)
        })
    })
}

#[test]
fn every_field_of_every_kind_changes_the_variables() {
    let document = maximal();
    if let Err(problems) = resolve(&document) {
        panic!(
            "the maximal document is not valid: {}",
            problems.iter().map(|problem| format!("\n{problem}")).collect::<String>()
        );
    }
    let fields = all_fields();
    assert!(fields.len() > 100, "only {} fields were found", fields.len());
    let missing: Vec<_> =
        fields.iter().filter(|(pointer, _)| places(&document, pointer).is_empty()).collect();
    assert!(missing.is_empty(), "the maximal document lacks {missing:#?}");
    let in_vain: Vec<_> = fields
        .iter()
        .filter(|(pointer, schema)| !changes_the_variables(&document, pointer, schema))
        .map(|(pointer, _)| pointer)
        .collect();
    assert!(in_vain.is_empty(), "these fields change no variable: {in_vain:#?}");
}

#[test]
fn every_part_of_a_variable_is_used_by_a_resource() {
    for kind in ComponentKind::ALL {
        let unused = unused(&module(kind), kind);
        assert!(unused.is_empty(), "{kind}: no argument uses {unused:#?}");
    }
}

fn unused(module: &Path, kind: ComponentKind) -> Vec<String> {
    let declared = declared::variables(module);
    let reached = reach::reached(&declared::body(module));
    let leaves = declared[kind.as_str()].leaves(&[kind.as_str().to_owned()]);
    leaves.into_iter().filter(|leaf| !reached.contains(leaf)).map(|leaf| leaf.join(".")).collect()
}

#[test]
fn a_part_that_no_resource_uses_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let source = templates().join("modules/queue");
    for entry in std::fs::read_dir(source).unwrap().map(Result::unwrap) {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let doctored = text
            .replace("local.dead_letters[count.index].max_receives", "5")
            .replace("var.queue.delay_seconds", "0");
        std::fs::write(folder.path().join(entry.file_name()), doctored).unwrap();
    }
    assert_eq!(
        unused(folder.path(), ComponentKind::Queue),
        ["queue.dead_letter.max_receives", "queue.delay_seconds"]
    );
}

/// The types of the root's variables; those of components stand in their modules alone.
fn types() -> BTreeMap<String, Type> {
    let mut types = declared::variables(&templates());
    for kind in ComponentKind::ALL {
        let of_one = declared::variables(&module(kind))[kind.as_str()].clone();
        let of_section = if kind.is_singleton() { of_one } else { Type::Map(Box::new(of_one)) };
        assert_eq!(types.insert(kind.section().to_owned(), of_section), Some(Type::Any), "{kind}");
    }
    types
}

#[test]
fn rendered_variables_have_exactly_the_declared_types() {
    let (rendered, types) = (variables(maximal()).unwrap(), types());
    let mismatches: Vec<_> =
        types.iter().flat_map(|(name, declared)| declared.mismatches(name, &rendered[name])).collect();
    assert!(mismatches.is_empty(), "{mismatches:#?}");
    let undeclared: Vec<_> =
        rendered.as_object().unwrap().keys().filter(|name| !types.contains_key(*name)).collect();
    assert!(undeclared.is_empty(), "{undeclared:?}");
}
