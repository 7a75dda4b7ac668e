//! Sensitive values on their way to the cloud's files, where they must not arrive.
//!
//! A sensitive or write-only value is taken out and a salted SHA-256 mark stands in for it. What Terraform keeps in
//! its own state comes back from there when a resource is read.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::schema::{Block, Nesting};
use crate::value::Value;

/// A mark that a holder of the value can check, and nobody else can turn back.
pub(crate) fn mark(value: &Value, salt: [u8; 16]) -> String {
    let mut hash = Sha256::new();
    hash.update(salt);
    hash.update(value.to_msgpack());
    format!("sha256:{}:{}", hex(&salt), hex(&hash.finalize()))
}

/// Sets every sensitive value to null; returns the removed ones by path.
pub(crate) fn take_sensitive(value: &mut Value, block: &Block) -> BTreeMap<String, Value> {
    let mut taken = BTreeMap::new();
    take(value, block, "", false, &mut taken);
    taken
}

/// The write-only values of a configuration by path.
pub(crate) fn write_only(config: &Value, block: &Block) -> BTreeMap<String, Value> {
    let mut taken = BTreeMap::new();
    take(&mut config.clone(), block, "", true, &mut taken);
    taken
}

/// Puts sensitive values of Terraform's state back into a value that the cloud gave without them.
pub(crate) fn restore(value: &mut Value, state: &Value, block: &Block) {
    for (name, attribute) in &block.attributes {
        if attribute.sensitive && !attribute.write_only && value.get(name).is_null() {
            value.set(name, state.get(name).clone());
        }
    }
    let Value::Map(entries) = value else { return };
    for (name, nested) in &block.blocks {
        match (nested.nesting, entries.get_mut(name)) {
            (Nesting::List | Nesting::Set, Some(Value::List(items))) => {
                for (item, state) in items.iter_mut().zip(state.get(name).items()) {
                    restore(item, state, &nested.block);
                }
            }
            (Nesting::Single, Some(inner @ Value::Map(_))) => restore(inner, state.get(name), &nested.block),
            (Nesting::Single | Nesting::List | Nesting::Set | Nesting::Map, _) => {}
        }
    }
}

fn take(
    value: &mut Value,
    block: &Block,
    path: &str,
    only_write_only: bool,
    taken: &mut BTreeMap<String, Value>,
) {
    let Value::Map(entries) = value else { return };
    for (name, attribute) in &block.attributes {
        let wanted = attribute.write_only || (attribute.sensitive && !only_write_only);
        if let Some(entry) = entries.get_mut(name).filter(|entry| wanted && !entry.is_null()) {
            taken.insert(format!("{path}{name}"), std::mem::take(entry));
        }
    }
    for (name, nested) in &block.blocks {
        let Some(inner) = entries.get_mut(name) else { continue };
        match inner {
            Value::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    take(item, &nested.block, &format!("{path}{name}.{index}."), only_write_only, taken);
                }
            }
            inner if nested.nesting == Nesting::Single => {
                take(inner, &nested.block, &format!("{path}{name}."), only_write_only, taken);
            }
            _ => {}
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
