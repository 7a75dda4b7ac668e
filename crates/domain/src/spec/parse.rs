//! From text to a document that can be deployed, or to everything that is wrong with it.
//!
//! read -> shape -> defaults -> types -> rules. The rules also run when the shape of some parts is wrong, over the
//! parts that are sound, so that one look at the output is enough.

use serde_json::{Number, Value};

use super::{
    budget,
    check::Kept,
    defaults::{self, Origins},
    document::Document,
    place::Places,
    problem::{Finding, MOST_PROBLEMS, Problem, locate},
    read, rules, shape,
};
use crate::component::ComponentKind;

/// A document that passed every check.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The document with every default filled in.
    pub document: Document,
    /// The document as it is written, whole numbers without a fraction.
    pub written: Value,
    /// Where each filled-in value came from.
    pub origins: Origins,
}

/// Reads and checks a document.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn parse(file_name: &str, text: &str) -> Result<Parsed, Vec<Problem>> {
    let mut source =
        read::read(text).map_err(|error| locate(Some(file_name), &error.places, error.findings))?;
    write_whole_numbers(&mut source.value);
    let (document, origins) = check(source.value.clone(), &source.places)
        .map_err(|findings| locate(Some(file_name), &source.places, findings))?;
    Ok(Parsed { document, written: source.value, origins })
}

/// Checks a document that is JSON already, and fills it in.
///
/// # Errors
/// Everything that is wrong with it, by path.
pub fn resolve(written: &Value) -> Result<Document, Vec<Problem>> {
    let places = Places::default();
    let checked = budget::check(written).map_err(|finding| vec![finding]).and_then(|()| {
        let mut written = written.clone();
        write_whole_numbers(&mut written);
        check(written, &places)
    });
    checked.map(|(document, _)| document).map_err(|findings| locate(None, &places, findings))
}

fn check(mut asked: Value, places: &Places) -> Result<(Document, Origins), Vec<Finding>> {
    remove_disabled(&mut asked);
    let findings = shape::check(&asked, places);
    if findings.is_empty() {
        let (document, origins) = complete(asked)?;
        let broken = rules::check(&document, &Kept::default());
        return if broken.is_empty() { Ok((document, origins)) } else { Err(broken) };
    }
    if findings.len() > MOST_PROBLEMS {
        return Err(findings);
    }
    let (sound, kept) = rules::judgeable(&asked, &findings);
    let more = complete(sound).map(|(document, _)| rules::check(&document, &kept)).unwrap_or_default();
    let is_new = |finding: &Finding| findings.iter().all(|known| known.path != finding.path);
    let more: Vec<Finding> = more.into_iter().filter(is_new).collect();
    Err(findings.into_iter().chain(more).collect())
}

/// Defaults and types for a document of the right shape.
fn complete(mut document: Value) -> Result<(Document, Origins), Vec<Finding>> {
    let origins = defaults::apply(&mut document);
    let typed = serde_json::from_value::<Document>(document);
    typed.map(|document| (document, origins)).map_err(|error| vec![Finding::new("", error.to_string())])
}

/// Writes whole numbers as such: `2.0` is `2`.
fn write_whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => *number = whole(number).unwrap_or_else(|| number.clone()),
        Value::Array(items) => items.iter_mut().for_each(write_whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(write_whole_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn whole(number: &Number) -> Option<Number> {
    let text = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0)?.to_string();
    text.parse::<i64>().ok().map(Number::from)
}

/// A singleton that is only turned off is as good as absent, whatever it would need when it is on.
fn remove_disabled(asked: &mut Value) {
    let Some(object) = asked.as_object_mut() else { return };
    for kind in ComponentKind::ALL.into_iter().filter(|kind| kind.is_singleton()) {
        if object.get(kind.section()) == Some(&serde_json::json!({ "enabled": false })) {
            object.shift_remove(kind.section());
        }
    }
}
