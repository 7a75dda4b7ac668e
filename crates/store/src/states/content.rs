//! What a state and a lock say of themselves: the part of Terraform's JSON that the rules about them need.
//!
//! Pure, so that it can be tried with any bytes; whoever keeps a state or takes a lock calls it first. What a database
//! can't keep as it came (a serial over 63 bits, a NUL) is refused here and never cut to fit.

use std::{borrow::Cow, fmt};

use md5::{Digest, Md5};
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use uuid::Builder;

use crate::StateRefusal;

/// Largest serial; databases have no larger whole number.
const MAX_SERIAL: u64 = i64::MAX.unsigned_abs();

/// The serial that Terraform gives to a first state.
const FIRST_SERIAL: u64 = 1;

/// Longest lineage or id of a lock, in bytes. Terraform's are UUIDs.
const MAX_ID_BYTES: usize = 255;

/// What is needed of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Terraform's serial.
    pub serial: u64,
    /// Terraform's lineage.
    pub lineage: String,
    /// Instances of managed resources; what was only read does not count.
    pub resources: usize,
}

#[derive(Deserialize)]
struct State {
    serial: u64,
    lineage: String,
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(default)]
    mode: String,
    #[serde(default)]
    instances: Vec<IgnoredAny>,
}

/// JSON that can be read in all its parts and is not kept. What a struct leaves out is not looked at so closely: bytes
/// that are no text, or a number beyond all numbers, would come to light when the state is restored.
struct Sound;

struct SoundVisitor;

/// Reads the header of a state.
///
/// # Errors
/// [`StateRefusal::Malformed`] when it is none.
pub fn header(content: &[u8]) -> Result<Header, StateRefusal> {
    begins_as_object(content)?;
    serde_json::from_slice::<Sound>(content).map_err(malformed)?;
    let state: State = serde_json::from_slice(content).map_err(malformed)?;
    if state.serial > MAX_SERIAL {
        return Err(malformed(format!("serial {} is over {MAX_SERIAL}", state.serial)));
    }
    is_id("its lineage", &state.lineage)?;
    let managed = state.resources.iter().filter(|resource| resource.mode == "managed");
    let resources = managed.map(|resource| resource.instances.len()).sum();
    Ok(Header { serial: state.serial, lineage: state.lineage, resources })
}

/// The same state under another serial.
///
/// # Errors
/// [`StateRefusal::Malformed`] when it is none.
pub fn with_serial(content: &[u8], serial: u64) -> Result<Vec<u8>, StateRefusal> {
    let mut state: Map<String, Value> = serde_json::from_slice(content).map_err(malformed)?;
    state.insert("serial".to_owned(), serial.into());
    serde_json::to_vec_pretty(&state).map_err(malformed)
}

/// The state as it is kept: with a lineage. Terraform gives a first state its lineage and the serial 1 in the moment in
/// which it writes it, so one that it could not write has neither, and by them it would be no state at all. It gets them
/// here, made of its content: the same state gets the same.
///
/// # Errors
/// [`StateRefusal::Malformed`] when it is none.
pub fn with_lineage(content: &[u8]) -> Result<(Header, Cow<'_, [u8]>), StateRefusal> {
    let header = header(content)?;
    if header.serial > 0 || !header.lineage.is_empty() {
        return Ok((header, content.into()));
    }
    let lineage = Builder::from_md5_bytes(Md5::digest(content).into()).into_uuid().to_string();
    let mut state: Map<String, Value> = serde_json::from_slice(content).map_err(malformed)?;
    state.insert("lineage".to_owned(), lineage.as_str().into());
    state.insert("serial".to_owned(), FIRST_SERIAL.into());
    let content = serde_json::to_vec_pretty(&state).map_err(malformed)?;
    Ok((Header { serial: FIRST_SERIAL, lineage, ..header }, content.into()))
}

/// The id of a lock, in what Terraform says of it.
///
/// # Errors
/// [`StateRefusal::Malformed`] when it has none.
pub fn lock_id(info: &Value) -> Result<&str, StateRefusal> {
    let id = info.get("ID").and_then(Value::as_str).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| malformed("a lock needs an ID"))?;
    is_id("the lock's ID", id)?;
    Ok(id)
}

/// A struct would also be read from a list of its fields.
fn begins_as_object(content: &[u8]) -> Result<(), StateRefusal> {
    if content.trim_ascii_start().first() == Some(&b'{') {
        return Ok(());
    }
    Err(malformed("it is no JSON object"))
}

fn is_id(what: &str, id: &str) -> Result<(), StateRefusal> {
    if id.len() <= MAX_ID_BYTES && !id.chars().any(char::is_control) {
        return Ok(());
    }
    Err(malformed(format!("{what} is longer than {MAX_ID_BYTES} bytes, or has control characters")))
}

impl<'de> Deserialize<'de> for Sound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SoundVisitor)
    }
}

impl<'de> Visitor<'de> for SoundVisitor {
    type Value = Sound;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Sound, E> {
        Ok(Sound)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Sound, A::Error> {
        while access.next_element::<Sound>()?.is_some() {}
        Ok(Sound)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Sound, A::Error> {
        while access.next_entry::<Sound, Sound>()?.is_some() {}
        Ok(Sound)
    }
}

fn malformed(reason: impl ToString) -> StateRefusal {
    StateRefusal::Malformed(reason.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_counts_what_is_managed() {
        let state = br#"{"version": 4, "serial": 3, "lineage": "a", "resources": [
            {"mode": "managed", "instances": [{}, {}]}, {"mode": "data", "instances": [{}]}, {}]}"#;
        assert_eq!(header(state), Ok(Header { serial: 3, lineage: "a".to_owned(), resources: 2 }));
    }

    #[test]
    fn what_is_no_state_is_refused() {
        let deep = format!(r#"{{"serial": 1, "lineage": "a", "x": {}"#, "[".repeat(100_000));
        let long = format!(r#"{{"serial": 1, "lineage": "{}"}}"#, "a".repeat(10 << 20));
        for state in [
            "",
            "null",
            r#"[5, "a"]"#,
            r#"{"serial": 1}"#,
            r#"{"serial": -1, "lineage": "a"}"#,
            r#"{"serial": 9223372036854775808, "lineage": "a"}"#,
            r#"{"serial": 1, "serial": 2, "lineage": "a"}"#,
            r#"{"serial": 1, "lineage": "a\u0000"}"#,
            r#"{"serial": 1, "lineage": "a"} {"#,
            r#"{"serial": 1, "lineage": "a", "resources": [{"mode": "#,
            r#"{"serial": 1, "lineage": "a", "x": 1e999}"#,
            r#"{"serial": 1, "lineage": "a", "x": "\ud800"}"#,
            &deep,
            &long,
        ] {
            let refused = header(state.as_bytes()).unwrap_err();
            assert!(refused.to_string().len() < 200, "{refused}");
        }
        assert!(header(b"{\"serial\": 1, \"lineage\": \"\xff\"}").is_err());
        assert!(header(b"{\"serial\": 1, \"lineage\": \"a\", \"x\": \"\xff\"}").is_err());
    }

    #[test]
    fn a_list_never_gets_a_serial() {
        assert!(with_serial(br#"[5, "a"]"#, 6).is_err());
        let next = with_serial(br#"{"serial": 5, "lineage": "a", "x": 1.10}"#, 6).unwrap();
        assert_eq!(header(&next).unwrap().serial, 6);
    }

    #[test]
    fn only_a_first_state_that_was_never_written_gets_a_lineage() {
        let never_written = br#"{"version": 4, "serial": 0, "lineage": "", "outputs": {"x": 1}}"#;
        let (told, first) = with_lineage(never_written).unwrap();
        assert_eq!((told.serial, told.lineage.len()), (1, 36), "{told:?}");
        assert_eq!(header(&first), Ok(told.clone()));
        assert_eq!(with_lineage(never_written).unwrap(), (told.clone(), first));
        assert_ne!(with_lineage(br#"{"serial": 0, "lineage": ""}"#).unwrap().0, told);
        for written in [br#"{"serial": 2, "lineage": ""}"#.as_slice(), br#"{"serial": 0, "lineage": "a"}"#] {
            assert_eq!(with_lineage(written).unwrap().1, written);
        }
        assert!(with_lineage(b"nothing").is_err());
    }

    #[test]
    fn a_lock_without_a_sound_id_is_refused() {
        let long = format!(r#"{{"ID": "{}"}}"#, "a".repeat(256));
        for info in ["[]", "\"a\"", "{}", r#"{"ID": ""}"#, r#"{"ID": 3}"#, r#"{"ID": "\u0000"}"#, &long] {
            assert!(lock_id(&serde_json::from_str(info).unwrap()).is_err(), "{info}");
        }
        assert_eq!(lock_id(&serde_json::json!({ "ID": "a", "Who": "me" })), Ok("a"));
    }
}
