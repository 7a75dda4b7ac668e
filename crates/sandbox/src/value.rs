//! A Terraform value in memory, and its way from and to MessagePack.
//!
//! Terraform sends every configuration, plan and state as MessagePack: nil is null, any extension value is unknown.
//! A set and a list look the same here; only the schema tells them apart, and so does [`json`], which needs the type.
//! Absent on purpose: values of dynamic type. No carried schema has one, and decoding one is an error.

use std::collections::BTreeMap;

pub(crate) mod json;

/// The extension that says unknown. Terraform ignores the payload, but wants one.
const UNKNOWN: (i8, u8) = (0, 0);

/// Deepest nesting. The deepest schema of the large clouds has 27 levels; a stack holds this many with ease.
const MAX_DEPTH: usize = 128;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Value {
    #[default]
    Null,
    Unknown,
    Bool(bool),
    Number(Number),
    String(String),
    /// A list, a set or a tuple.
    List(Vec<Value>),
    /// A map, an object or a block.
    Map(BTreeMap<String, Value>),
}

/// A number as it came: Terraform sends integers, floats, and as text what fits neither.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Number {
    Integer(i64),
    Float(f64),
    Text(String),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ValueError {
    #[error("value is not MessagePack")]
    Decode(#[from] rmpv::decode::Error),
    #[error("value of an unsupported kind")]
    Unsupported,
    #[error("a key of a map or object is there twice")]
    Repeated,
}

impl Value {
    pub(crate) fn string(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    pub(crate) fn integer(number: i64) -> Self {
        Self::Number(Number::Integer(number))
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Whether the value itself or anything inside it is unknown.
    pub(crate) fn has_unknown(&self) -> bool {
        match self {
            Self::Unknown => true,
            Self::List(items) => items.iter().any(Self::has_unknown),
            Self::Map(entries) => entries.values().any(Self::has_unknown),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => false,
        }
    }

    /// The member `name` of a map, object or block; null where there is none.
    pub(crate) fn get(&self, name: &str) -> &Value {
        const NULL: &Value = &Value::Null;
        match self {
            Self::Map(entries) => entries.get(name).unwrap_or(NULL),
            _ => NULL,
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: Value) {
        if let Self::Map(entries) = self {
            entries.insert(name.to_owned(), value);
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    pub(crate) fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(Number::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// The elements of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Value] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn from_msgpack(bytes: &[u8]) -> Result<Self, ValueError> {
        if bytes.is_empty() {
            return Ok(Self::Null);
        }
        let mut rest = bytes;
        Self::from_rmpv(rmpv::decode::read_value_with_max_depth(&mut rest, MAX_DEPTH)?)
    }

    pub(crate) fn to_msgpack(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        rmpv::encode::write_value(&mut bytes, &self.to_rmpv()).expect("writing to a vector cannot fail");
        bytes
    }

    fn from_rmpv(value: rmpv::Value) -> Result<Self, ValueError> {
        Ok(match value {
            rmpv::Value::Nil => Self::Null,
            rmpv::Value::Ext(..) => Self::Unknown,
            rmpv::Value::Boolean(flag) => Self::Bool(flag),
            rmpv::Value::Integer(number) => Self::Number(integer(number)),
            rmpv::Value::F32(number) => Self::Number(Number::Float(f64::from(number))),
            rmpv::Value::F64(number) => Self::Number(Number::Float(number)),
            rmpv::Value::String(text) => Self::String(text.into_str().ok_or(ValueError::Unsupported)?),
            rmpv::Value::Array(items) => {
                Self::List(items.into_iter().map(Self::from_rmpv).collect::<Result<_, _>>()?)
            }
            rmpv::Value::Map(entries) => Self::Map(members(entries)?),
            rmpv::Value::Binary(_) => return Err(ValueError::Unsupported),
        })
    }

    fn to_rmpv(&self) -> rmpv::Value {
        match self {
            Self::Null => rmpv::Value::Nil,
            Self::Unknown => rmpv::Value::Ext(UNKNOWN.0, vec![UNKNOWN.1]),
            Self::Bool(flag) => rmpv::Value::from(*flag),
            Self::Number(Number::Integer(number)) => rmpv::Value::from(*number),
            Self::Number(Number::Float(number)) => rmpv::Value::from(*number),
            Self::Number(Number::Text(text)) | Self::String(text) => rmpv::Value::from(text.as_str()),
            Self::List(items) => rmpv::Value::Array(items.iter().map(Self::to_rmpv).collect()),
            Self::Map(entries) => rmpv::Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| (rmpv::Value::from(key.as_str()), value.to_rmpv()))
                    .collect(),
            ),
        }
    }
}

fn integer(number: rmpv::Integer) -> Number {
    number.as_i64().map_or_else(|| Number::Text(number.to_string()), Number::Integer)
}

fn members(entries: Vec<(rmpv::Value, rmpv::Value)>) -> Result<BTreeMap<String, Value>, ValueError> {
    let mut members = BTreeMap::new();
    for (key, value) in entries {
        let key = key.as_str().ok_or(ValueError::Unsupported)?.to_owned();
        if members.insert(key, Value::from_rmpv(value)?).is_some() {
            return Err(ValueError::Repeated);
        }
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            Just(Value::Unknown),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::integer),
            ".{0,12}".prop_map(Value::String),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
                prop::collection::btree_map("[a-z]{1,6}", inner, 0..4).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_value_survives_the_way_over_the_wire(value in any_value()) {
            prop_assert_eq!(Value::from_msgpack(&value.to_msgpack()).unwrap(), value);
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Value::from_msgpack(&bytes);
        }
    }

    #[test]
    fn hostile_bytes_are_refused() {
        let deep = [vec![0x91; 1 << 20], vec![0xc0]].concat();
        let deep_maps = [b"\x81\xa1a".repeat(1 << 18), vec![0xc0]].concat();
        for bytes in [
            &b"\xdd\xff\xff\xff\xff\xc0"[..], // lengths of 4 GiB with nothing behind them
            b"\xdf\xff\xff\xff\xff\xa1a",
            b"\xdb\xff\xff\xff\xffa",
            b"\xc9\xff\xff\xff\xff\x00a",
            b"\xa2a",
            b"\xa1\xff",
            b"\x81\x01\x02",
            b"\x82\xa1a\x01\xa1a\x02",
            &deep,
            &deep_maps,
        ] {
            assert!(Value::from_msgpack(bytes).is_err(), "{:?}", &bytes[..bytes.len().min(8)]);
        }
    }

    #[test]
    fn a_refined_unknown_is_unknown() {
        let refined = rmpv::Value::Ext(12, vec![1, 2, 3]);
        assert_eq!(Value::from_rmpv(refined).unwrap(), Value::Unknown);
    }
}
