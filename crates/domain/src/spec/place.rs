//! Where each field of a document stands in its file.
//!
//! Fields are named as people read them: `databases[1].capacity.min`, and `labels["team/name"]` for keys that are no
//! plain words. The same names are used by findings, defaults and `explain`.

use std::collections::HashMap;

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

/// The path of a field of an object.
pub(crate) fn field(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    match (plain, path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => format!("{path}[{key:?}]"),
    }
}

/// The path of an item of a list.
pub(crate) fn item(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

/// The path of what a field is in.
fn parent(path: &str) -> &str {
    if path.ends_with("\"]") {
        return path.rfind("[\"").map_or("", |end| &path[..end]);
    }
    path.rfind(['.', '[']).map_or("", |end| &path[..end])
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
    fn keys_that_are_no_words_are_quoted() {
        assert_eq!(field("labels", "a.b/c"), "labels[\"a.b/c\"]");
        assert_eq!(parent("x.labels[\"a.b/c\"]"), "x.labels");
        assert_eq!(parent("x"), "");
    }
}
