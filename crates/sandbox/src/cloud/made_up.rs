//! Values that the cloud decides: ids, ARNs, endpoints, timestamps.
//!
//! `schemas/*.values` says by hand what the well-known ones look like (see [`table`]); everything else is guessed from
//! the attribute's type. The same resource with the same seed gets the same values, apart from keys and times.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use sha2::{Digest, Sha256};

use super::secrets::hex;
use crate::schema::{Attribute, Block, Nested, Nesting, Type};
use crate::value::{Value, json};

mod pattern;
mod table;

pub(crate) use table::Table;

/// Attributes that say what a resource is called, best first.
const NAMES: [&str; 22] = [
    "name",
    "bucket",
    "identifier",
    "cluster_identifier",
    "replication_group_id",
    "serverless_cache_name",
    "node_group_name",
    "addon_name",
    "repository",
    "function_name",
    "family",
    "alias",
    "domain_name",
    "user_group_id",
    "user_id",
    "description",
    "name_prefix",
    "role",
    "principal_arn",
    "service_name",
    "secret_id",
    "resource_id",
];

/// Makes the values of one resource, data source or ephemeral resource.
pub(crate) struct Maker<'a> {
    pub(crate) table: &'a Table,
    /// The type, with `data.` or `ephemeral.` before it when it is no resource.
    pub(crate) kind: &'a str,
    pub(crate) region: &'a str,
    /// What tells this one from another of its type.
    pub(crate) seed: &'a str,
    pub(crate) now: DateTime<Utc>,
}

/// What is filled in: only what is unknown, or every empty value that a data source can have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    Unknown,
    Computed,
}

impl Maker<'_> {
    /// Replaces the unknown values in `value`, a whole resource.
    pub(crate) fn fill(&self, value: &mut Value, block: &Block, fill: Fill) {
        let root = value.clone();
        self.fill_block(value, block, &root, "", fill);
    }

    /// The value that the table has for an attribute, given what is known of the resource.
    pub(crate) fn make(&self, root: &Value, path: &str, kind: &Type) -> Option<Value> {
        self.text(root, path, 0).map(|text| parse(&text, kind))
    }

    fn fill_block(&self, value: &mut Value, block: &Block, root: &Value, path: &str, fill: Fill) {
        let Value::Map(entries) = value else { return };
        for (name, attribute) in &block.attributes {
            let entry = entries.entry(name.clone()).or_default();
            let path = join(path, name);
            if entry.is_unknown() || (fill == Fill::Computed && entry.is_null() && attribute.computed) {
                *entry = self.attribute(root, &path, name, attribute);
            } else if entry.has_unknown() {
                self.fill_inside(entry, &attribute.kind, root, &path, name);
            }
        }
        for (name, nested) in &block.blocks {
            let entry = entries.entry(name.clone()).or_default();
            self.fill_nested(entry, nested, root, &join(path, name), fill);
        }
    }

    fn fill_nested(&self, value: &mut Value, nested: &Nested, root: &Value, path: &str, fill: Fill) {
        match value {
            Value::Unknown if nested.nesting == Nesting::List => {
                *value = Value::List(vec![self.element(&nested.block, root, path)]);
            }
            Value::Unknown => *value = Value::List(Vec::new()),
            Value::List(items) => {
                items.iter_mut().for_each(|item| self.fill_block(item, &nested.block, root, path, fill))
            }
            Value::Map(entries) if nested.nesting == Nesting::Map => {
                entries.values_mut().for_each(|item| self.fill_block(item, &nested.block, root, path, fill));
            }
            value => self.fill_block(value, &nested.block, root, path, fill),
        }
    }

    /// One element of a block that only the cloud has filled.
    fn element(&self, block: &Block, root: &Value, path: &str) -> Value {
        let mut entries = BTreeMap::new();
        for (name, attribute) in &block.attributes {
            let path = join(path, name);
            let known = self.make(root, &path, &attribute.kind);
            let guess =
                || if attribute.computed { self.guess(root, &path, name, attribute) } else { Value::Null };
            entries.insert(name.clone(), known.unwrap_or_else(guess));
        }
        for (name, nested) in &block.blocks {
            let filled = || Value::List(vec![self.element(&nested.block, root, &join(path, name))]);
            let value = match nested.nesting {
                Nesting::Single => Value::Null,
                Nesting::Map => Value::Map(BTreeMap::new()),
                Nesting::List | Nesting::Set => {
                    if nested.computed {
                        filled()
                    } else {
                        Value::List(Vec::new())
                    }
                }
            };
            entries.insert(name.clone(), value);
        }
        Value::Map(entries)
    }

    fn attribute(&self, root: &Value, path: &str, name: &str, attribute: &Attribute) -> Value {
        self.make(root, path, &attribute.kind).unwrap_or_else(|| self.guess(root, path, name, attribute))
    }

    fn guess(&self, root: &Value, path: &str, name: &str, attribute: &Attribute) -> Value {
        if let Some(pattern) = self.table.general(name) {
            return parse(&self.expand(pattern, root, path, 0), &attribute.kind);
        }
        match &attribute.kind {
            Type::String if attribute.optional => Value::string(""),
            Type::List(_) | Type::Set(_) if attribute.optional => Value::List(Vec::new()),
            kind => self.guess_type(kind, root, path, name),
        }
    }

    fn guess_type(&self, kind: &Type, root: &Value, path: &str, name: &str) -> Value {
        match kind {
            Type::String => {
                let pattern = self.table.general(name).unwrap_or("{hex:16}");
                Value::string(self.expand(pattern, root, path, 0))
            }
            Type::Number => Value::integer(0),
            Type::Bool => Value::Bool(false),
            Type::List(inner) | Type::Set(inner) => {
                let singular = name.strip_suffix('s').unwrap_or(name);
                Value::List(vec![self.guess_type(inner, root, path, singular)])
            }
            Type::Map(_) => Value::Map(BTreeMap::new()),
            Type::Tuple(kinds) => {
                Value::List(kinds.iter().map(|kind| self.guess_type(kind, root, path, name)).collect())
            }
            Type::Object(kinds) => {
                let member = |(key, kind): (&String, &Type)| {
                    (key.clone(), self.guess_type(kind, root, &join(path, key), key))
                };
                Value::Map(kinds.iter().map(member).collect())
            }
        }
    }

    /// Replaces the unknown parts inside an attribute that is known as a whole.
    fn fill_inside(&self, value: &mut Value, kind: &Type, root: &Value, path: &str, name: &str) {
        match (value, kind) {
            (value @ Value::Unknown, kind) => *value = self.guess_type(kind, root, path, name),
            (Value::List(items), Type::List(inner) | Type::Set(inner)) => {
                items.iter_mut().for_each(|item| self.fill_inside(item, inner, root, path, name));
            }
            (Value::Map(entries), Type::Map(inner)) => {
                entries.values_mut().for_each(|item| self.fill_inside(item, inner, root, path, name));
            }
            (Value::Map(entries), Type::Object(kinds)) => {
                for (key, item) in entries {
                    if let Some(kind) = kinds.get(key) {
                        self.fill_inside(item, kind, root, &join(path, key), key);
                    }
                }
            }
            _ => {}
        }
    }

    /// A hash of this resource; the label tells several of one resource apart.
    pub(crate) fn hash(&self, label: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in [self.kind, self.seed, label] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hash.finalize().into()
    }

    fn now(&self) -> String {
        self.now.to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

/// What a resource is called, for people and for fault rules; empty when nothing says.
pub(crate) fn name_of(value: &Value) -> String {
    let own =
        NAMES.iter().find_map(|attribute| value.get(attribute).as_str().filter(|text| !text.is_empty()));
    let tagged = value.get("tags").get("Name").as_str();
    let main = own.filter(|_| value.get("name").as_str().is_some()).or(tagged).or(own);
    main.unwrap_or_default().to_owned()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Text of the table as a value: a string as it stands, everything else as JSON.
fn parse(text: &str, kind: &Type) -> Value {
    match kind {
        _ if text == "null" => Value::Null,
        Type::String => Value::string(text),
        kind => serde_json::from_str(text).map_or(Value::Null, |parsed| json::to_value(&parsed, kind)),
    }
}

/// `length` characters of hexadecimal text from a hash.
fn hex_text(hash: &[u8; 32], length: usize) -> String {
    let text = hex(hash);
    text.chars().cycle().take(length).collect()
}
