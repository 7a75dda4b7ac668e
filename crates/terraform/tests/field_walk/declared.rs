//! The types that templates declare for their variables, and whether a value has such a type.

use std::{collections::BTreeMap, fs, path::Path};

use hcl::{Body, Expression};
use serde_json::Value;

/// A type of a variable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    String,
    Number,
    Bool,
    Any,
    List(Box<Type>),
    Map(Box<Type>),
    Optional(Box<Type>),
    Object(BTreeMap<String, Type>),
}

/// The types of the variables that a folder of Terraform files declares.
pub(crate) fn variables(folder: &Path) -> BTreeMap<String, Type> {
    let body = body(folder);
    let blocks = body.blocks().filter(|block| block.identifier() == "variable");
    blocks.map(|block| (block.labels()[0].as_str().to_owned(), declared(block.body()))).collect()
}

/// Every Terraform file of a folder as one body.
pub(crate) fn body(folder: &Path) -> Body {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "tf"));
    paths.sort();
    let bodies = paths.iter().map(|path| hcl::parse(&fs::read_to_string(path).unwrap()).unwrap());
    bodies.flat_map(Body::into_inner).collect()
}

fn declared(variable: &Body) -> Type {
    let attribute = variable.attributes().find(|attribute| attribute.key() == "type");
    read(attribute.expect("every variable has a type").expr())
}

fn read(expression: &Expression) -> Type {
    match expression {
        Expression::Variable(name) => match name.as_str() {
            "string" => Type::String,
            "number" => Type::Number,
            "bool" => Type::Bool,
            "any" => Type::Any,
            other => panic!("the type {other} says nothing"),
        },
        Expression::FuncCall(call) => {
            let inner = || Box::new(read(&call.args[0]));
            match call.name.name.as_str() {
                "list" | "set" => Type::List(inner()),
                "map" => Type::Map(inner()),
                "optional" => Type::Optional(inner()),
                "object" => Type::Object(fields(&call.args[0])),
                other => panic!("unknown type {other}"),
            }
        }
        other => panic!("no type: {other:?}"),
    }
}

fn fields(expression: &Expression) -> BTreeMap<String, Type> {
    let Expression::Object(fields) = expression else { panic!("an object type without fields") };
    fields.iter().map(|(key, value)| (key.to_string(), read(value))).collect()
}

impl Type {
    /// What is wrong with a value, by path; nothing when it has exactly this type.
    pub(crate) fn mismatches(&self, path: &str, value: &Value) -> Vec<String> {
        match (self, value) {
            (Self::Optional(_), Value::Null)
            | (Self::String, Value::String(_))
            | (Self::Number, Value::Number(_))
            | (Self::Bool, Value::Bool(_)) => Vec::new(),
            (Self::Optional(inner), value) => inner.mismatches(path, value),
            (Self::List(inner), Value::Array(items)) => {
                items.iter().flat_map(|item| inner.mismatches(&format!("{path}[]"), item)).collect()
            }
            (Self::Map(inner), Value::Object(items)) => items
                .iter()
                .flat_map(|(key, item)| inner.mismatches(&format!("{path}[{key}]"), item))
                .collect(),
            (Self::Object(fields), Value::Object(given)) => object_mismatches(fields, given, path),
            (expected, value) => vec![format!("{path}: {value} is not {expected:?}")],
        }
    }

    /// The paths of everything in it that is no object: what a template has to use.
    pub(crate) fn leaves(&self, path: &[String]) -> Vec<Vec<String>> {
        let below = |step: &str| [path, &[step.to_owned()]].concat();
        match self {
            Self::Optional(inner) => inner.leaves(path),
            Self::List(inner) | Self::Map(inner) if inner.is_object() => inner.leaves(&below("*")),
            Self::Object(fields) => {
                fields.iter().flat_map(|(name, field)| field.leaves(&below(name))).collect()
            }
            Self::Any => panic!("any says nothing of {}", path.join(".")),
            Self::String | Self::Number | Self::Bool | Self::List(_) | Self::Map(_) => vec![path.to_vec()],
        }
    }

    fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }
}

fn object_mismatches(
    fields: &BTreeMap<String, Type>,
    given: &serde_json::Map<String, Value>,
    path: &str,
) -> Vec<String> {
    let undeclared = given.keys().filter(|key| !fields.contains_key(*key));
    let mut found: Vec<String> = undeclared.map(|key| format!("{path}.{key}: not declared")).collect();
    for (name, field) in fields {
        let path = format!("{path}.{name}");
        match given.get(name) {
            Some(value) => found.extend(field.mismatches(&path, value)),
            None => found.push(format!("{path}: declared and not given")),
        }
    }
    found
}
