//! A document that comes as JSON inside of something larger, such as a request.
//!
//! JSON readers keep the last of two equal keys and say nothing; in a document that is a mistake, as it is in YAML.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// Reads a document as it is written.
///
/// # Errors
/// When it is no JSON, or has a key twice.
pub fn deserialize_written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Written::deserialize(deserializer).map(|written| written.0)
}

struct Written(Value);

struct WrittenVisitor;

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WrittenVisitor)
    }
}

impl<'de> Visitor<'de> for WrittenVisitor {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_unit<E: Error>(self) -> Result<Written, E> {
        Ok(Written(Value::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Written, E> {
        Ok(Written(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Written, E> {
        Ok(Written(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Written, E> {
        Ok(Written(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Written, E> {
        Ok(Written(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Written, E> {
        Ok(Written(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Written, A::Error> {
        let mut items = Vec::new();
        while let Some(Written(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Written(Value::Array(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Written, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if fields.contains_key(&key) {
                let shown: String = key.chars().take(80).collect();
                return Err(A::Error::custom(format!("the key {shown:?} is there twice")));
            }
            let Written(value) = access.next_value()?;
            fields.insert(key, value);
        }
        Ok(Written(Value::Object(fields)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> serde_json::Result<Value> {
        deserialize_written(&mut serde_json::Deserializer::from_str(text))
    }

    #[test]
    fn a_document_is_read_as_any_json() {
        let text = r#"{"a":[null,true,-1,18446744073709551615,1.5,"é",{}],"b":{"a":[]}}"#;
        assert_eq!(written(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"x":{"a":1,"b":2,"a":3}}]"#] {
            let told = written(text).unwrap_err().to_string();
            assert!(told.starts_with("the key \"a\" is there twice"), "{told}");
        }
        assert!(written(&"[".repeat(100_000)).is_err() && written("{\"a\":").is_err());
    }
}
