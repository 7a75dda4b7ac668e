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
    let written = document.clone();
    let about = About::of(&written);
    let mut origins = Origins::new();
    for row in table().iter().filter(|row| about.fits(row)) {
        let (around, field) = row.place();
        let (value, origin) = (row.value(about.stage), row.origin(about.stage));
        let mut filling = Filling { row, field, value, origin, origins: &mut origins };
        filling.walk(document, &written, &segments(around), "");
    }
    origins
}

/// What of the document as a whole decides which rows fit.
struct About<'a> {
    stage: Option<Stage>,
    region: Option<&'a str>,
    provider: Option<&'a str>,
}

impl<'a> About<'a> {
    fn of(document: &'a Value) -> Self {
        let text = |name| beside(document, name).and_then(Value::as_str);
        Self {
            stage: Stage::ALL.into_iter().find(|known| Some(known.as_str()) == text("stage")),
            region: text("cloud.region"),
            provider: text("cloud.provider"),
        }
    }

    fn fits(&self, row: &Row) -> bool {
        let fits = |wanted: Option<&str>, is| wanted.is_none() || wanted == is;
        fits(row.region.as_deref(), self.region) && fits(row.provider.as_deref(), self.provider)
    }
}

/// One row on its way through a document. It sees what is around its field twice: as it is by now, and as it was written.
struct Filling<'a> {
    row: &'a Row,
    field: &'a str,
    value: Option<&'a Value>,
    origin: String,
    origins: &'a mut Origins,
}

impl Filling<'_> {
    fn walk(&mut self, now: &mut Value, written: &Value, steps: &[Segment], path: &str) {
        match steps.split_first() {
            None => self.fill(now, written, path),
            Some((Segment::Key(key), rest)) => {
                if let Some(now) = now.get_mut(key) {
                    self.walk(now, &written[key], rest, &field(path, key));
                }
            }
            Some((Segment::Item(_), rest)) => {
                for (index, now) in now.as_array_mut().into_iter().flatten().enumerate() {
                    self.walk(now, &written[index], rest, &item(path, index));
                }
            }
        }
    }

    fn fill(&mut self, now: &mut Value, written: &Value, path: &str) {
        if beside(now, self.field).is_some() || !self.applies(now, written) {
            return;
        }
        let Some((value, origin)) = self.fitting(now, written) else { return };
        if let Some((object, name)) = inside(now, self.field) {
            object.insert(name.to_owned(), value);
            let path = self.field.split('.').fold(path.to_owned(), |path, key| field(&path, key));
            self.origins.insert(path, origin);
        }
    }

    fn applies(&self, now: &Value, written: &Value) -> bool {
        let is_written = |name: &String| beside(written, name).is_some_and(|value| !is_empty(value));
        self.row.when.iter().all(|(name, wanted)| beside(now, name).is_some_and(|is| equal(is, wanted)))
            && self.row.present.iter().all(is_written)
            && !self.row.unless.iter().any(is_written)
    }

    fn fitting(&self, now: &Value, written: &Value) -> Option<(Value, String)> {
        if let Some(derivation) = self.row.derive {
            return Some((derivation.of(now)?, self.origin.clone()));
        }
        let value = self.value?;
        let bounded = self.bounded(value, written);
        let moved = if bounded == value { "" } else { ", moved to fit the fields beside it" };
        Some((bounded.clone(), self.origin.clone() + moved))
    }

    fn bounded<'a>(&'a self, value: &'a Value, written: &'a Value) -> &'a Value {
        let bounds = |names: &'a [String]| {
            names.iter().filter_map(|name| beside(written, name)).filter(|value| value.is_number())
        };
        let larger = |one: &Value, other: &Value| one.as_f64() > other.as_f64();
        let raised = bounds(&self.row.at_least)
            .fold(value, |value, bound| if larger(bound, value) { bound } else { value });
        bounds(&self.row.at_most)
            .fold(raised, |value, bound| if larger(value, bound) { bound } else { value })
    }
}

fn beside<'a>(around: &'a Value, name: &str) -> Option<&'a Value> {
    name.split('.').try_fold(around, |value, key| value.get(key))
}

/// The object that a field is in, where it is there, and the field's own name.
fn inside<'a>(around: &'a mut Value, field: &'a str) -> Option<(&'a mut Map<String, Value>, &'a str)> {
    let (value, name) = match field.rsplit_once('.') {
        Some((parents, name)) => {
            (parents.split('.').try_fold(around, |value, key| value.get_mut(key))?, name)
        }
        None => (around, field),
    };
    Some((value.as_object_mut()?, name))
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn equal(one: &Value, other: &Value) -> bool {
    one == other || (one.is_number() && one.as_f64() == other.as_f64())
}
