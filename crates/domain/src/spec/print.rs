//! A document as canonical YAML: the order of the structs, two spaces, quotes only where a word would be misread.

use std::fmt::Write;

use serde_json::Value;

use super::{
    document::Document,
    parse::Parsed,
    place::{at_path, field, item},
};

/// Canonical YAML of a complete document. Reading it gives the same document.
pub fn print(document: &Document) -> String {
    let mut printer = Printer { text: String::new(), comment: &|_, _| None };
    printer.object_of(&value_of(document));
    printer.text
}

/// The complete document as YAML, each filled-in value with a comment saying where it came from.
pub fn explain(parsed: &Parsed) -> String {
    let comment = |path: &str, value: &Value| origin(parsed, path, value);
    let mut printer = Printer { text: String::new(), comment: &comment };
    printer.object_of(&value_of(&parsed.document));
    printer.text
}

/// Canonical YAML of any JSON value.
pub fn print_value(value: &Value) -> String {
    let mut printer = Printer { text: String::new(), comment: &|_, _| None };
    match value {
        Value::Object(object) if !object.is_empty() => printer.object_of(value),
        Value::Array(items) if !items.is_empty() => printer.list(items, 0, ""),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            printer.text = format!("{}\n", scalar(value));
        }
    }
    printer.text
}

fn value_of(document: &Document) -> Value {
    serde_json::to_value(document).expect("a document holds only what JSON can say")
}

fn origin(parsed: &Parsed, path: &str, value: &Value) -> Option<String> {
    if let Some(origin) = parsed.origins.get(path) {
        return Some(origin.clone());
    }
    let written = at_path(&parsed.written, path).is_some();
    let is_empty = value.as_array().is_some_and(Vec::is_empty)
        || value.as_object().is_some_and(serde_json::Map::is_empty)
        || value.as_str() == Some("");
    let mut around = path.match_indices(['.', '[']).map(|(end, _)| &path[..end]);
    let inherited = around.any(|path| parsed.origins.contains_key(path));
    (!written && (is_empty || inherited)).then(|| "default".to_owned())
}

struct Printer<'a> {
    text: String,
    comment: &'a dyn Fn(&str, &Value) -> Option<String>,
}

impl Printer<'_> {
    fn object_of(&mut self, value: &Value) {
        for (key, value) in value.as_object().into_iter().flatten() {
            self.entry(key, value, 0, "");
        }
    }

    fn entry(&mut self, key: &str, value: &Value, indent: usize, path: &str) {
        let path = field(path, key);
        let _ = write!(self.text, "{:indent$}{}:", "", plain_or_quoted(key));
        self.value(value, indent, &path);
    }

    /// What follows a key: a scalar on the same line, or a block below it.
    fn value(&mut self, value: &Value, indent: usize, path: &str) {
        match value {
            Value::Object(object) if !object.is_empty() => {
                self.end_line(path, value);
                for (key, value) in object {
                    self.entry(key, value, indent + 2, path);
                }
            }
            Value::Array(items)
                if !items.is_empty() && items.iter().any(|item| item.is_object() || item.is_array()) =>
            {
                self.end_line(path, value);
                self.list(items, indent + 2, path);
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => {
                self.text.push(' ');
                self.text.push_str(&scalar(value));
                self.end_line(path, value);
            }
        }
    }

    fn list(&mut self, items: &[Value], indent: usize, path: &str) {
        for (index, value) in items.iter().enumerate() {
            let path = item(path, index);
            let start = self.text.len();
            if let Some(object) = value.as_object().filter(|object| !object.is_empty()) {
                for (key, value) in object {
                    self.entry(key, value, indent + 2, &path);
                }
                self.text.replace_range(start + indent..=start + indent, "-");
            } else {
                let _ = writeln!(self.text, "{:indent$}- {}", "", scalar(value));
            }
        }
    }

    fn end_line(&mut self, path: &str, value: &Value) {
        if let Some(comment) = (self.comment)(path, value) {
            let _ = write!(self.text, "  # {comment}");
        }
        self.text.push('\n');
    }
}

/// A value on one line; lists of single values stand in brackets.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => plain_or_quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(scalar).collect::<Vec<_>>().join(", ")),
        Value::Number(number) => {
            let text = number.to_string();
            text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
        }
        Value::Object(_) | Value::Null | Value::Bool(_) => value.to_string(),
    }
}

/// A text bare where YAML reads it as the same text everywhere, else in double quotes.
fn plain_or_quoted(text: &str) -> String {
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '@' | '+');
    let is_word = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    let means_more = is_word(&["null", "true", "false", "yes", "no", "on", "off", "y", "n"]);
    if amount(text) || (starts_well && text.chars().all(bare) && !means_more) {
        return text.to_owned();
    }
    Value::from(text).to_string()
}

/// A quantity or an address range: begins with a digit and can't be taken for a number.
fn amount(text: &str) -> bool {
    let is_quantity = ["s", "m", "h", "d", "KiB", "MiB", "GiB", "TiB"].iter().any(|unit| {
        text.strip_suffix(unit)
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    });
    is_quantity || text.parse::<ipnet::Ipv4Net>().is_ok()
}
