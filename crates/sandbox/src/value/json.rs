//! Values as JSON, guided by their schema: the form of the cloud's own files and of Terraform's stored state.
//!
//! Reading conforms: unknown keys are dropped, missing ones become null or empty, write-only attributes become null.
//! Writing never writes an unknown; whoever stores a value has filled it first.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::{Number, Value};
use crate::schema::{Block, Nested, Nesting, Type};

/// The JSON form of a block's value.
pub(crate) fn from_block(value: &Value, block: &Block) -> Json {
    if value.is_null() {
        return Json::Null;
    }
    let mut object = Map::new();
    for (name, attribute) in &block.attributes {
        object.insert(name.clone(), from_value(value.get(name), &attribute.kind));
    }
    for (name, nested) in &block.blocks {
        object.insert(name.clone(), from_nested(value.get(name), nested));
    }
    Json::Object(object)
}

/// The value of a block from its JSON form.
pub(crate) fn to_block(json: &Json, block: &Block) -> Value {
    if json.is_null() {
        return Value::Null;
    }
    let mut entries = BTreeMap::new();
    for (name, attribute) in &block.attributes {
        let value = if attribute.write_only { Value::Null } else { to_value(&json[name], &attribute.kind) };
        entries.insert(name.clone(), value);
    }
    for (name, nested) in &block.blocks {
        entries.insert(name.clone(), to_nested(&json[name], nested));
    }
    Value::Map(entries)
}

/// The value of type `kind` from its JSON form; what does not fit becomes null.
pub(crate) fn to_value(json: &Json, kind: &Type) -> Value {
    match (kind, json) {
        (_, Json::Null) => Value::Null,
        (Type::String, Json::String(text)) => Value::string(text),
        (Type::String, other) => Value::string(other.to_string()),
        (Type::Number, Json::Number(number)) => Value::Number(to_number(number)),
        (Type::Number, Json::String(text)) => Value::Number(Number::Text(text.clone())),
        (Type::Bool, Json::Bool(flag)) => Value::Bool(*flag),
        (Type::Bool, Json::String(text)) => Value::Bool(text == "true"),
        (Type::List(inner) | Type::Set(inner), Json::Array(items)) => {
            Value::List(items.iter().map(|item| to_value(item, inner)).collect())
        }
        (Type::Tuple(kinds), Json::Array(items)) => {
            Value::List(items.iter().zip(kinds).map(|(item, kind)| to_value(item, kind)).collect())
        }
        (Type::Map(inner), Json::Object(entries)) => {
            Value::Map(entries.iter().map(|(key, item)| (key.clone(), to_value(item, inner))).collect())
        }
        (Type::Object(kinds), Json::Object(_)) => {
            Value::Map(kinds.iter().map(|(key, kind)| (key.clone(), to_value(&json[key], kind))).collect())
        }
        (
            Type::Number
            | Type::Bool
            | Type::List(_)
            | Type::Set(_)
            | Type::Tuple(_)
            | Type::Map(_)
            | Type::Object(_),
            _,
        ) => Value::Null,
    }
}

/// The JSON form of a value of type `kind`.
pub(crate) fn from_value(value: &Value, kind: &Type) -> Json {
    match (value, kind) {
        (Value::Bool(flag), _) => Json::Bool(*flag),
        (Value::Number(number), _) => from_number(number),
        (Value::String(text), _) => Json::String(text.clone()),
        (Value::List(items), Type::List(inner) | Type::Set(inner)) => {
            Json::Array(items.iter().map(|item| from_value(item, inner)).collect())
        }
        (Value::List(items), Type::Tuple(kinds)) => {
            Json::Array(items.iter().zip(kinds).map(|(item, kind)| from_value(item, kind)).collect())
        }
        (Value::Map(entries), Type::Map(inner)) => {
            Json::Object(entries.iter().map(|(key, item)| (key.clone(), from_value(item, inner))).collect())
        }
        (Value::Map(entries), Type::Object(kinds)) => {
            let member = |(key, kind): (&String, &Type)| {
                (key.clone(), entries.get(key).map_or(Json::Null, |item| from_value(item, kind)))
            };
            Json::Object(kinds.iter().map(member).collect())
        }
        (Value::Null | Value::Unknown | Value::List(_) | Value::Map(_), _) => Json::Null,
    }
}

fn from_nested(value: &Value, nested: &Nested) -> Json {
    match (nested.nesting, value) {
        (Nesting::List | Nesting::Set, Value::List(items)) => {
            Json::Array(items.iter().map(|item| from_block(item, &nested.block)).collect())
        }
        (Nesting::Map, Value::Map(entries)) => Json::Object(
            entries.iter().map(|(key, item)| (key.clone(), from_block(item, &nested.block))).collect(),
        ),
        (Nesting::Single, value) => from_block(value, &nested.block),
        (Nesting::List | Nesting::Set | Nesting::Map, _) => Json::Null,
    }
}

fn to_nested(json: &Json, nested: &Nested) -> Value {
    match nested.nesting {
        Nesting::Single => to_block(json, &nested.block),
        Nesting::Map => {
            let entries = json.as_object().into_iter().flatten();
            Value::Map(entries.map(|(key, item)| (key.clone(), to_block(item, &nested.block))).collect())
        }
        Nesting::List | Nesting::Set => {
            let items = json.as_array().into_iter().flatten();
            Value::List(items.map(|item| to_block(item, &nested.block)).collect())
        }
    }
}

fn to_number(number: &serde_json::Number) -> Number {
    match (number.as_i64(), number.as_f64()) {
        (Some(integer), _) => Number::Integer(integer),
        (None, Some(float)) => Number::Float(float),
        (None, None) => Number::Text(number.to_string()),
    }
}

fn from_number(number: &Number) -> Json {
    match number {
        Number::Integer(integer) => Json::from(*integer),
        Number::Float(float) => Json::from(*float),
        Number::Text(text) => Json::String(text.clone()),
    }
}
