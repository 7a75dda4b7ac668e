//! Where each field of a document stands in its file.
//!
//! Fields are named as people read them: `databases[1].capacity.min`, and `labels["team/name"]` for keys that are no
//! plain words. The same names are used by findings, defaults and `explain`.

use std::collections::HashMap;

use serde_json::Value;

/// A position in a file, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: u32,
    pub(super) column: u32,
}

/// Where one field stands.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Its key; list items have none.
    pub(super) key: Option<Position>,
    pub(super) value: Position,
    /// A single value, as it is written.
    pub(super) text: Option<String>,
}

/// Where each field of a document stands; empty for a document that came as JSON.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(HashMap<String, Place>);

impl Places {
    pub(super) fn insert(&mut self, path: String, place: Place) {
        self.0.insert(path, place);
    }

    /// Where a field stands, or the nearest one around it when it is not written.
    pub(super) fn position(&self, path: &str, about_key: bool) -> Option<Position> {
        let mut path = path;
        let mut about_key = about_key;
        loop {
            if let Some(place) = self.0.get(path) {
                return Some(place.key.filter(|_| about_key).unwrap_or(place.value));
            }
            if path.is_empty() {
                return None;
            }
            path = parent(path);
            about_key = true;
        }
    }

    /// A single value as it is written.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path)?.text.as_deref()
    }
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// Into a field of an object.
    Key(String),
    /// Into an item of a list; any item where a path speaks of all of them, as `databases[].port` does.
    Item(Option<usize>),
}

/// The steps of a path.
pub(super) fn segments(path: &str) -> Vec<Segment> {
    steps(path).into_iter().map(|(_, segment)| segment).collect()
}

/// The value at a path such as `databases[1].capacity`.
pub(super) fn at_path<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    segments(path).iter().try_fold(document, |value, segment| match segment {
        Segment::Key(key) => value.get(key),
        Segment::Item(index) => value.get((*index)?),
    })
}

/// The path of a field of an object.
pub(crate) fn field(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match (plain, path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => format!("{path}[{}]", Value::from(key)),
    }
}

/// The path of an item of a list.
pub(crate) fn item(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

/// The path of what a field is in.
fn parent(path: &str) -> &str {
    steps(path).last().map_or("", |(start, _)| &path[..*start])
}

/// The steps of a path, each with where it begins.
fn steps(path: &str) -> Vec<(usize, Segment)> {
    let mut steps = Vec::new();
    let mut start = 0;
    while let Some((segment, length)) = step(&path[start..]) {
        steps.push((start, segment));
        start += length;
    }
    steps
}

/// The first step of a path and how long it is.
fn step(path: &str) -> Option<(Segment, usize)> {
    if path.is_empty() {
        return None;
    }
    if let Some(inside) = path.strip_prefix('[') {
        if let Some((key, length)) = quoted_key(inside) {
            return Some((Segment::Key(key), length + 2));
        }
        let end = inside.find(']').unwrap_or(inside.len());
        return Some((Segment::Item(inside[..end].parse().ok()), (end + 2).min(path.len())));
    }
    let plain = path.strip_prefix('.').unwrap_or(path);
    let end = plain.find(['.', '[']).unwrap_or(plain.len());
    Some((Segment::Key(plain[..end].to_owned()), path.len() - plain.len() + end))
}

/// The JSON string at the beginning of a text, and how long it is there.
fn quoted_key(text: &str) -> Option<(String, usize)> {
    let mut texts = serde_json::Deserializer::from_str(text).into_iter();
    let key = text.starts_with('"').then(|| texts.next())??.ok()?;
    Some((key, texts.byte_offset()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_not_written_is_placed_at_what_it_is_in() {
        let mut places = Places::default();
        let at = |line| Position { line, column: 1 };
        places.insert(String::new(), Place { key: None, value: at(1), text: None });
        places.insert("a[0]".into(), Place { key: None, value: at(2), text: None });
        assert_eq!(places.position("a[0].b.c", false), Some(at(2)));
        assert_eq!(places.position("z", false), Some(at(1)));
    }

    #[test]
    fn values_are_found_by_path() {
        let document = serde_json::json!({ "a": [{ "b": { "c": 1 } }] });
        assert_eq!(at_path(&document, "a[0].b.c"), Some(&serde_json::json!(1)));
        assert_eq!(at_path(&document, "a[1].b"), None);
    }

    #[test]
    fn keys_that_are_no_words_are_quoted() {
        assert_eq!(field("labels", "a.b/c"), "labels[\"a.b/c\"]");
        assert_eq!(parent("x.labels[\"a.b/c\"]"), "x.labels");
        assert_eq!(parent("x"), "");
        let odd = field("a", "x\"].y");
        assert_eq!((parent(&odd), parent("a[0]"), parent("a.b")), ("a", "a", "a"));
        assert_eq!(segments(&odd), [Segment::Key("a".into()), Segment::Key("x\"].y".into())]);
        let items =
            [Segment::Key("a".into()), Segment::Item(Some(1)), Segment::Item(None), Segment::Key("b".into())];
        assert_eq!(segments("a[1][].b"), items);
    }
}
