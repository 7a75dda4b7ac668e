//! Fills in what a document leaves out, from one table (`defaults.yaml`), and remembers where each value came from.
//!
//! Works on JSON, after the shape was checked and before the document gets its types. A field is filled only when what
//! it is in is there, so an optional object such as `dead_letter` stays absent unless somebody writes it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    default_table::{Row, table},
    place::{Segment, field, item, segments},
};
use crate::stage::Stage;

/// Where each filled-in value came from, by the field's path.
pub type Origins = BTreeMap<String, String>;

/// Fills in what is missing.
pub(super) fn apply(document: &mut Value) -> Origins {
    let about = About::of(document);
    let mut origins = Origins::new();
    for row in table() {
        if about.fits(row) {
            let segments: Vec<&str> = row.at.split('.').collect();
            let mut filling = Filling { row, about: &about, origins: &mut origins };
            filling.walk(document, &segments, String::new(), None);
        }
    }
    origins
}

/// What of the document as a whole decides which rows fit.
struct About {
    stage: Option<Stage>,
    region: Option<String>,
    provider: Option<String>,
    written: Value,
}

impl About {
    fn of(document: &Value) -> Self {
        let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let stage = text("/stage");
        Self {
            stage: Stage::ALL.into_iter().find(|known| Some(known.as_str()) == stage.as_deref()),
            region: text("/cloud/region"),
            provider: text("/cloud/provider"),
            written: document.clone(),
        }
    }

    fn fits(&self, row: &Row) -> bool {
        let equal = |wanted: &Option<String>, is: &Option<String>| wanted.is_none() || wanted == is;
        equal(&row.region, &self.region) && equal(&row.provider, &self.provider)
    }
}

struct Filling<'a> {
    row: &'a Row,
    about: &'a About,
    origins: &'a mut Origins,
}

/// The list item or section around a field: as it is now, and where it stands in what was written.
struct Around {
    now: Value,
    written: Value,
}

impl Filling<'_> {
    fn walk(&mut self, value: &mut Value, segments: &[&str], path: String, around: Option<&Around>) {
        let Some((segment, rest)) = segments.split_first() else { return };
        let name = segment.trim_end_matches("[]");
        let here = field(&path, name);
        let Some(object) = value.as_object_mut() else { return };
        if rest.is_empty() {
            self.fill(object, name, here, around);
        } else if segment.ends_with("[]") {
            let items = object.get_mut(name).and_then(Value::as_array_mut);
            for (index, value) in items.into_iter().flatten().enumerate() {
                let here = item(&here, index);
                let around = self.around(value, &here);
                self.walk(value, rest, here, Some(&around));
            }
        } else if let Some(value) = object.get_mut(name) {
            let section = around.is_none().then(|| self.around(value, &here));
            self.walk(value, rest, here, around.or(section.as_ref()));
        }
    }

    fn around(&self, now: &Value, path: &str) -> Around {
        Around {
            now: now.clone(),
            written: at_path(&self.about.written, path).cloned().unwrap_or(Value::Null),
        }
    }

    fn fill(&mut self, object: &mut Map<String, Value>, name: &str, path: String, around: Option<&Around>) {
        if object.contains_key(name) || !self.applies(around) {
            return;
        }
        let Some((value, origin)) = self.value(around) else { return };
        object.insert(name.to_owned(), value);
        self.origins.insert(path, origin);
    }

    fn applies(&self, around: Option<&Around>) -> bool {
        let Some(around) = around else { return true };
        let written = |name: &String| beside(&around.written, name).is_some_and(|value| !is_empty(value));
        self.row
            .when
            .iter()
            .all(|(name, wanted)| beside(&around.now, name).is_some_and(|is| equal(is, wanted)))
            && self.row.present.iter().all(written)
            && !self.row.unless.iter().any(written)
    }

    fn value(&self, around: Option<&Around>) -> Option<(Value, String)> {
        let row = self.row;
        if let Some(derivation) = row.derive {
            return Some((derivation.of(&around?.now)?, derivation.origin().to_owned()));
        }
        let staged = row.staged(self.about.stage?);
        let (value, origin) = match (staged, &row.value) {
            (Some(value), _) => (value, format!("default of stage {}", self.about.stage?)),
            (None, Some(value)) => (value, self.origin()),
            (None, None) => return None,
        };
        let bounded = around.map_or_else(|| value.clone(), |around| self.bounded(value, &around.written));
        let origin =
            if bounded == *value { origin } else { format!("{origin}, moved to fit the fields beside it") };
        Some((bounded, origin))
    }

    fn bounded(&self, value: &Value, written: &Value) -> Value {
        let numbers = |names: &[String]| -> Vec<Value> {
            names
                .iter()
                .filter_map(|name| beside(written, name))
                .filter(|value| value.is_number())
                .cloned()
                .collect()
        };
        let larger = |one: &Value, other: &Value| one.as_f64() > other.as_f64();
        let raised = numbers(&self.row.at_least)
            .into_iter()
            .fold(value.clone(), |value, bound| if larger(&bound, &value) { bound } else { value });
        numbers(&self.row.at_most)
            .into_iter()
            .fold(raised, |value, bound| if larger(&value, &bound) { bound } else { value })
    }

    fn origin(&self) -> String {
        let conditions = self.row.conditions().join(", ");
        if conditions.is_empty() { "default".to_owned() } else { format!("default for {conditions}") }
    }
}

fn beside<'a>(around: &'a Value, name: &str) -> Option<&'a Value> {
    name.split('.').try_fold(around, |value, key| value.get(key))
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn equal(one: &Value, other: &Value) -> bool {
    one == other || (one.is_number() && one.as_f64() == other.as_f64())
}

/// The value at a path such as `databases[1].capacity`.
pub(super) fn at_path<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    segments(path).iter().try_fold(document, |value, segment| match segment {
        Segment::Key(key) => value.get(key),
        Segment::Item(index) => value.get((*index)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_path() {
        let document = serde_json::json!({ "a": [{ "b": { "c": 1 } }] });
        assert_eq!(at_path(&document, "a[0].b.c"), Some(&serde_json::json!(1)));
        assert_eq!(at_path(&document, "a[1].b"), None);
    }
}
