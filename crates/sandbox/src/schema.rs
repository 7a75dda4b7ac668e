//! The provider schemas that the crate carries, understood type by type on demand.
//!
//! [`Catalog`] opens an embedded `schemas/*.bin` (see [`crate::format`]); a type is inflated and parsed when it is first
//! worked on. `GetProviderSchema` gets the stored bytes as they are, apart from the types with sensitive attributes,
//! which the hand-kept [`crate::rules`] name.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::sync::{Arc, Mutex};

use flate2::read::DeflateDecoder;
use prost::Message;
use serde_json::Value as Json;

use crate::format;
pub(crate) use crate::format::Kind;
use crate::rules::Rules;

/// The shape of a resource, data source, ephemeral resource, provider configuration, or of a block inside one.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) attributes: BTreeMap<String, Attribute>,
    pub(crate) blocks: BTreeMap<String, Nested>,
}

#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) kind: Type,
    pub(crate) required: bool,
    pub(crate) optional: bool,
    pub(crate) computed: bool,
    pub(crate) sensitive: bool,
    pub(crate) write_only: bool,
}

#[derive(Debug)]
pub(crate) struct Nested {
    pub(crate) nesting: Nesting,
    /// A block of the old SDK that the cloud fills when the configuration leaves it out.
    pub(crate) computed: bool,
    pub(crate) block: Block,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nesting {
    Single,
    List,
    Set,
    Map,
}

#[derive(Debug)]
pub(crate) enum Type {
    String,
    Number,
    Bool,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    Tuple(Vec<Type>),
    Object(BTreeMap<String, Type>),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SchemaError {
    #[error("the sandbox does not carry the type {0}")]
    Unknown(String),
    #[error("the stored schema of {name} is damaged: {reason}")]
    Damaged { name: String, reason: String },
}

/// All types of one provider.
pub(crate) struct Catalog {
    index: BTreeMap<(Kind, String), (usize, usize)>,
    blobs: &'static [u8],
    rules: Rules,
    parsed: Mutex<HashMap<(Kind, String), Arc<Block>>>,
}

impl Catalog {
    /// Opens an embedded schema file. Its bytes come with the program, so a damaged file is a broken build.
    pub(crate) fn open(file: &'static [u8], rules: Rules) -> Self {
        let (length, rest) =
            file.split_first_chunk::<4>().expect("a schema file begins with the length of its index");
        let (index, blobs) = rest.split_at(u32::from_le_bytes(*length) as usize);
        let index = format::Index::decode(index).expect("a schema file has a readable index");
        let index = index.entries.into_iter().map(|entry| {
            let place = (entry.offset as usize, entry.length as usize);
            ((entry.kind(), entry.name), place)
        });
        Self { index: index.collect(), blobs, rules, parsed: Mutex::default() }
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(crate) fn names(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.index.keys().filter(move |(other, _)| *other == kind).map(|(_, name)| name.as_str())
    }

    /// The parsed schema of a type.
    pub(crate) fn block(&self, kind: Kind, name: &str) -> Result<Arc<Block>, SchemaError> {
        let key = (kind, name.to_owned());
        if let Some(block) = self.parsed.lock().expect("no holder of this lock panics").get(&key) {
            return Ok(Arc::clone(block));
        }
        let schema = self.message(kind, name)?;
        let block = schema
            .block
            .as_ref()
            .map_or_else(|| Ok(Block::default()), |block| parse_block(block, name, &self.rules))?;
        let block = Arc::new(block);
        self.parsed.lock().expect("no holder of this lock panics").insert(key, Arc::clone(&block));
        Ok(block)
    }

    /// The schema message of a type as Terraform wants it, encoded.
    pub(crate) fn encoded(&self, kind: Kind, name: &str) -> Result<Vec<u8>, SchemaError> {
        if self.rules.has_sensitive(name) {
            Ok(self.message(kind, name)?.encode_to_vec())
        } else {
            self.inflate(kind, name)
        }
    }

    fn message(&self, kind: Kind, name: &str) -> Result<format::Schema, SchemaError> {
        let bytes = self.inflate(kind, name)?;
        let mut schema = format::Schema::decode(bytes.as_slice()).map_err(|error| damaged(name, error))?;
        if let Some(block) = &mut schema.block {
            mark_sensitive(block, name, &self.rules);
        }
        Ok(schema)
    }

    fn inflate(&self, kind: Kind, name: &str) -> Result<Vec<u8>, SchemaError> {
        let place = self.index.get(&(kind, name.to_owned()));
        let (offset, length) = place.ok_or_else(|| SchemaError::Unknown(name.to_owned()))?;
        let blob = self.blobs.get(*offset..offset + length).ok_or_else(|| damaged(name, "out of range"))?;
        let mut bytes = Vec::with_capacity(length * 8);
        DeflateDecoder::new(blob).read_to_end(&mut bytes).map_err(|error| damaged(name, error))?;
        Ok(bytes)
    }
}

impl Attribute {
    /// Whether only the cloud may decide the value.
    pub(crate) fn is_unconfigurable(&self) -> bool {
        self.computed && !self.optional && !self.required
    }
}

impl Block {
    /// Whether the schema has a block that the cloud fills; such a type needs Terraform's looser rules.
    pub(crate) fn has_computed_block(&self) -> bool {
        self.blocks.values().any(|nested| nested.computed || nested.block.has_computed_block())
    }
}

fn damaged(name: &str, reason: impl std::fmt::Display) -> SchemaError {
    SchemaError::Damaged { name: name.to_owned(), reason: reason.to_string() }
}

/// A rule names a sensitive attribute wherever it stands in the type.
fn mark_sensitive(block: &mut format::Block, type_name: &str, rules: &Rules) {
    for attribute in &mut block.attributes {
        attribute.sensitive = rules.is_sensitive(type_name, &attribute.name);
    }
    for nested in &mut block.block_types {
        if let Some(block) = &mut nested.block {
            mark_sensitive(block, type_name, rules);
        }
    }
}

fn parse_block(block: &format::Block, type_name: &str, rules: &Rules) -> Result<Block, SchemaError> {
    let mut parsed = Block::default();
    for attribute in &block.attributes {
        parsed.attributes.insert(attribute.name.clone(), parse_attribute(attribute, type_name)?);
    }
    for nested in &block.block_types {
        parsed.blocks.insert(nested.type_name.clone(), parse_nested(nested, type_name, rules)?);
    }
    Ok(parsed)
}

fn parse_attribute(attribute: &format::Attribute, type_name: &str) -> Result<Attribute, SchemaError> {
    let json = serde_json::from_slice(&attribute.value_type).map_err(|error| damaged(type_name, error))?;
    Ok(Attribute {
        kind: parse_type(&json).ok_or_else(|| damaged(type_name, format!("type of {}", attribute.name)))?,
        required: attribute.required,
        optional: attribute.optional,
        computed: attribute.computed,
        sensitive: attribute.sensitive,
        write_only: attribute.write_only,
    })
}

fn parse_nested(nested: &format::NestedBlock, type_name: &str, rules: &Rules) -> Result<Nested, SchemaError> {
    let nesting = match nested.nesting() {
        format::Nesting::List => Nesting::List,
        format::Nesting::Set => Nesting::Set,
        format::Nesting::Map => Nesting::Map,
        format::Nesting::Single | format::Nesting::Group | format::Nesting::Invalid => Nesting::Single,
    };
    let block = nested
        .block
        .as_ref()
        .map_or_else(|| Ok(Block::default()), |block| parse_block(block, type_name, rules))?;
    let computed = nesting == Nesting::List && rules.is_computed_block(type_name, &nested.type_name);
    Ok(Nested { nesting, computed, block })
}

fn parse_type(json: &Json) -> Option<Type> {
    if let Some(name) = json.as_str() {
        return match name {
            "string" => Some(Type::String),
            "number" => Some(Type::Number),
            "bool" => Some(Type::Bool),
            _ => None,
        };
    }
    let inner = || parse_type(&json[1]).map(Box::new);
    match json[0].as_str()? {
        "list" => inner().map(Type::List),
        "set" => inner().map(Type::Set),
        "map" => inner().map(Type::Map),
        "tuple" => json[1].as_array()?.iter().map(parse_type).collect::<Option<_>>().map(Type::Tuple),
        "object" => {
            let members = json[1].as_object()?.iter();
            members
                .map(|(name, json)| Some((name.clone(), parse_type(json)?)))
                .collect::<Option<_>>()
                .map(Type::Object)
        }
        _ => None,
    }
}
