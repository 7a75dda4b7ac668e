//! What Terraform plans for a resource: which values stay, which the cloud decides later, what forces a replacement.
//!
//! Terraform checks the answer against the configuration: a value that the configuration sets must come back as it is,
//! write-only values must be null. A block that the cloud fills by itself breaks these rules, as it does in the real
//! provider; such a type is answered with the looser rules of the old SDK.

use std::collections::BTreeMap;

use crate::schema::{Attribute, Block, Nested, Nesting};
use crate::value::Value;

/// The planned value of a block.
pub(crate) fn planned(block: &Block, config: &Value, prior: &Value, proposed: &Value) -> Value {
    planned_block(block, Some(config), prior, proposed)
}

/// The attributes of `paths` (with dots into blocks) whose change replaces the resource.
pub(crate) fn replacing<'a>(
    paths: impl Iterator<Item = &'a str>,
    prior: &Value,
    planned: &Value,
) -> Vec<&'a str> {
    paths.filter(|path| !same_at(path, prior, planned)).collect()
}

/// Whether two values of a block mean the same, apart from tags.
pub(crate) fn is_changed(block: &Block, prior: &Value, planned: &Value) -> bool {
    let names = block.attributes.keys().chain(block.blocks.keys());
    names.filter(|name| !name.starts_with("tags")).any(|name| prior.get(name) != planned.get(name))
}

/// `config` is absent inside sets, where an element of the proposal cannot be found in the configuration.
fn planned_block(block: &Block, config: Option<&Value>, prior: &Value, proposed: &Value) -> Value {
    let Value::Map(given) = proposed else { return proposed.clone() };
    let mut entries = BTreeMap::new();
    for (name, attribute) in &block.attributes {
        let value = planned_attribute(
            attribute,
            config.map(|config| config.get(name)),
            prior.get(name),
            proposed.get(name),
            prior,
        );
        entries.insert(name.clone(), value);
    }
    for (name, nested) in &block.blocks {
        let empty = Value::Null;
        let proposed = given.get(name).unwrap_or(&empty);
        let value =
            planned_nested(nested, config.map(|config| config.get(name)), prior.get(name), proposed, prior);
        entries.insert(name.clone(), value);
    }
    Value::Map(entries)
}

fn planned_attribute(
    attribute: &Attribute,
    config: Option<&Value>,
    prior: &Value,
    proposed: &Value,
    parent: &Value,
) -> Value {
    if attribute.write_only {
        return Value::Null;
    }
    let left_to_cloud = attribute.computed && proposed.is_null() && config.is_none_or(Value::is_null);
    match (left_to_cloud, parent.is_null()) {
        (false, _) => proposed.clone(),
        (true, true) => Value::Unknown,
        (true, false) => prior.clone(),
    }
}

fn planned_nested(
    nested: &Nested,
    config: Option<&Value>,
    prior: &Value,
    proposed: &Value,
    parent: &Value,
) -> Value {
    let block = &nested.block;
    match (nested.nesting, proposed) {
        (Nesting::List, Value::List(items)) if items.is_empty() && nested.computed => {
            if parent.is_null() {
                Value::Unknown
            } else {
                prior.clone()
            }
        }
        (Nesting::List, Value::List(items)) => {
            let at = |list: &Value, index: usize| list.items().get(index).cloned().unwrap_or_default();
            let planned = items.iter().enumerate().map(|(index, item)| {
                let config = config.map(|config| at(config, index));
                planned_block(block, config.as_ref(), &at(prior, index), item)
            });
            Value::List(planned.collect())
        }
        (Nesting::Set, Value::List(items)) => {
            let known =
                |item: &Value| prior.items().iter().find(|old| is_same_element(block, item, old)).cloned();
            let planned =
                items.iter().map(|item| planned_block(block, None, &known(item).unwrap_or_default(), item));
            Value::List(planned.collect())
        }
        (Nesting::Map, Value::Map(entries)) => {
            let planned = entries.iter().map(|(key, item)| {
                let config = config.map(|config| config.get(key));
                (key.clone(), planned_block(block, config, prior.get(key), item))
            });
            Value::Map(planned.collect())
        }
        (Nesting::Single, item) => planned_block(block, config, prior, item),
        (Nesting::List | Nesting::Set | Nesting::Map, other) => other.clone(),
    }
}

/// Whether `old` is what became of the proposed element: a computed attribute that is not set matches anything.
fn is_same_element(block: &Block, proposed: &Value, old: &Value) -> bool {
    if proposed.is_null() || old.is_null() {
        return proposed.is_null() == old.is_null();
    }
    let attributes = block.attributes.iter().all(|(name, attribute)| {
        let proposed = proposed.get(name);
        proposed == old.get(name) || (proposed.is_null() && (attribute.computed || attribute.write_only))
    });
    attributes
        && block.blocks.iter().all(|(name, nested)| is_same_nested(nested, proposed.get(name), old.get(name)))
}

fn is_same_nested(nested: &Nested, proposed: &Value, old: &Value) -> bool {
    let same = |proposed: &Value, old: &Value| is_same_element(&nested.block, proposed, old);
    match (nested.nesting, proposed, old) {
        (Nesting::List | Nesting::Set, Value::List(proposed), Value::List(_))
            if proposed.is_empty() && nested.computed =>
        {
            true
        }
        (Nesting::List, Value::List(proposed), Value::List(old)) => {
            proposed.len() == old.len() && proposed.iter().zip(old).all(|(proposed, old)| same(proposed, old))
        }
        (Nesting::Set, Value::List(proposed), Value::List(old)) => {
            proposed.len() == old.len()
                && proposed.iter().all(|proposed| old.iter().any(|old| same(proposed, old)))
        }
        (Nesting::Single, proposed, old) => same(proposed, old),
        (Nesting::List | Nesting::Set | Nesting::Map, proposed, old) => proposed == old,
    }
}

/// Follows a path through the first element of every block.
fn same_at(path: &str, prior: &Value, planned: &Value) -> bool {
    match path.split_once('.') {
        None => prior.get(path) == planned.get(path),
        Some((block, rest)) => match (prior.get(block), planned.get(block)) {
            (Value::List(prior), Value::List(planned)) => match (prior.first(), planned.first()) {
                (Some(prior), Some(planned)) => same_at(rest, prior, planned),
                (prior, planned) => prior.is_none() == planned.is_none(),
            },
            (prior, planned) => same_at(rest, prior, planned),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Type;

    fn attribute(optional: bool, computed: bool, write_only: bool) -> Attribute {
        Attribute { kind: Type::String, required: false, optional, computed, sensitive: false, write_only }
    }

    /// A block with `name` (set by people), `id` (set by the cloud), `key` (write-only).
    fn leaf() -> Block {
        let attributes = [
            ("name", attribute(true, false, false)),
            ("id", attribute(true, true, false)),
            ("key", attribute(true, false, true)),
        ];
        Block { attributes: attributes.map(|(name, it)| (name.to_owned(), it)).into(), ..Block::default() }
    }

    fn with_nested(nesting: Nesting, computed: bool) -> Block {
        let nested = Nested { nesting, computed, block: leaf() };
        Block { blocks: [("part".to_owned(), nested)].into(), ..leaf() }
    }

    fn map(entries: &[(&str, Value)]) -> Value {
        Value::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }

    fn named(name: &str, id: Value) -> Value {
        map(&[("name", Value::string(name)), ("id", id), ("key", Value::Null)])
    }

    #[test]
    fn what_the_cloud_decides_is_unknown_once_and_then_stays() {
        let proposed = named("a", Value::Null);
        assert_eq!(planned(&leaf(), &proposed, &Value::Null, &proposed), named("a", Value::Unknown));
        let prior = named("a", Value::string("1"));
        assert_eq!(planned(&leaf(), &proposed, &prior, &proposed), prior);
    }

    #[test]
    fn a_write_only_value_is_never_planned() {
        let proposed = map(&[("name", Value::Null), ("id", Value::Null), ("key", Value::string("secret"))]);
        assert_eq!(planned(&leaf(), &proposed, &Value::Null, &proposed).get("key"), &Value::Null);
    }

    #[test]
    fn an_element_of_a_set_keeps_what_the_cloud_decided_whatever_its_place() {
        let block = with_nested(Nesting::Set, false);
        let part = |items: &[Value]| map(&[("part", Value::List(items.to_vec()))]);
        let prior = part(&[named("b", Value::string("2")), named("a", Value::string("1"))]);
        let proposed = part(&[named("a", Value::Null), named("c", Value::Null)]);
        let planned = planned(&block, &proposed, &prior, &proposed);
        let expected = [named("a", Value::string("1")), named("c", Value::Unknown)];
        assert_eq!(planned.get("part"), &Value::List(expected.to_vec()));
    }

    #[test]
    fn a_block_that_the_cloud_fills_is_unknown_until_it_is_there() {
        let block = with_nested(Nesting::List, true);
        let proposed = map(&[("part", Value::List(Vec::new()))]);
        assert_eq!(planned(&block, &proposed, &Value::Null, &proposed).get("part"), &Value::Unknown);
        let prior = map(&[("part", Value::List(vec![named("a", Value::string("1"))]))]);
        assert_eq!(planned(&block, &proposed, &prior, &proposed).get("part"), prior.get("part"));
    }

    #[test]
    fn a_path_into_a_block_finds_its_change() {
        let part = |name: &str| map(&[("part", Value::List(vec![named(name, Value::Null)]))]);
        let paths = || ["part.name", "part.id", "other"].into_iter();
        assert_eq!(replacing(paths(), &part("a"), &part("b")), ["part.name"]);
        let none = map(&[("part", Value::List(Vec::new()))]);
        assert_eq!(replacing(paths(), &part("a"), &none), ["part.name", "part.id"]);
    }
}
