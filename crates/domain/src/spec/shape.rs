//! Checks a written document against the JSON Schema and says every deviation in words.

use std::sync::LazyLock;

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind, paths::LocationSegment};
use serde_json::Value;

use super::{
    place::{Places, field, item},
    problem::{Finding, MOST_PROBLEMS},
    schema::{json_schema, node},
};

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
    jsonschema::validator_for(json_schema()).expect("the schema is made by us and has only local parts")
});

/// More words than these are not all listed in a message.
const MANY_WORDS: usize = 24;
const NEAREST_WORDS: usize = 8;

/// A word longer than this resembles no known one; comparing takes time and memory by its length.
const LONGEST_WORD: usize = 100;

/// Everything in which a document deviates from the schema, as far as it will be told.
pub(super) fn check(document: &Value, places: &Places) -> Vec<Finding> {
    let errors = VALIDATOR.iter_errors(document);
    errors.flat_map(|error| explain(&error, places)).take(MOST_PROBLEMS + 1).collect()
}

fn explain(error: &ValidationError<'_>, places: &Places) -> Vec<Finding> {
    let path = path_of(error);
    let schema = node(json_schema(), &path).unwrap_or(&Value::Null);
    let value = error.instance().as_ref();
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            unexpected.iter().map(|key| unknown_key(&path, key, schema)).collect()
        }
        ValidationErrorKind::Required { property } => {
            property.as_str().map(|name| missing(&path, name, schema)).into_iter().collect()
        }
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } if value.is_string() => {
            vec![not_a_choice(path, value, schema)]
        }
        ValidationErrorKind::Type { .. }
        | ValidationErrorKind::Enum { .. }
        | ValidationErrorKind::Constant { .. } => {
            vec![wrong_type(path, value, schema, places)]
        }
        ValidationErrorKind::Minimum { .. }
        | ValidationErrorKind::Maximum { .. }
        | ValidationErrorKind::MultipleOf { .. } => vec![refused(path, value, "is out of range", schema)],
        ValidationErrorKind::MinLength { .. } => vec![refused(path, value, "is too short", schema)],
        ValidationErrorKind::MaxLength { .. } => vec![refused(path, value, "is too long", schema)],
        ValidationErrorKind::Pattern { .. } => vec![refused(path, value, "is not valid", schema)],
        ValidationErrorKind::MaxItems { limit } => {
            vec![Finding::new(path, "the list is too long").allowed(format!("at most {limit} items"))]
        }
        other => vec![refused(path, value, &format!("does not fit ({})", other.keyword()), schema)],
    }
}

fn path_of(error: &ValidationError<'_>) -> String {
    error.instance_path().segments().fold(String::new(), |path, segment| match segment {
        LocationSegment::Property(key) => field(&path, &key),
        LocationSegment::Index(index) => item(&path, index),
    })
}

fn unknown_key(path: &str, key: &str, schema: &Value) -> Finding {
    let known: Vec<&str> = schema
        .get("properties")
        .and_then(Value::as_object)
        .map(|properties| properties.keys().map(String::as_str).collect())
        .unwrap_or_default();
    let finding = Finding::new(field(path, key), "unknown key").about_key();
    finding.maybe_hint(did_you_mean(key, &known)).allowed(known.join(", "))
}

fn missing(path: &str, name: &str, schema: &Value) -> Finding {
    let wanted = schema.get("properties").and_then(|properties| properties.get(name)).unwrap_or(&Value::Null);
    let description = wanted.get("description").and_then(Value::as_str);
    let finding = Finding::new(field(path, name), format!("`{name}` is missing"));
    let finding = finding.maybe_hint(description.map(|text| text.trim_end_matches('.').to_owned()));
    match allowed(wanted) {
        Some(allowed) => finding.allowed(allowed),
        None => finding,
    }
}

fn not_a_choice(path: String, value: &Value, schema: &Value) -> Finding {
    let text = value.as_str().unwrap_or_default();
    let choices = choices(schema);
    let hint = did_you_mean(text, &choices).filter(|_| choices.len() > 1);
    refused(path, value, "is not known", schema).maybe_hint(hint)
}

fn wrong_type(path: String, value: &Value, schema: &Value, places: &Places) -> Finding {
    let wanted = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    let written = cut(&places.text(&path).map_or_else(|| value.to_string(), str::to_owned));
    let (message, hint) = match (value, wanted) {
        (Value::Null, _) => ("is empty".to_owned(), Some("give it a value, or remove the key".to_owned())),
        (Value::Number(_) | Value::Bool(_), "string") => (
            format!("{written} is {}, not text", kind(value)),
            Some(format!("write it in quotes: \"{written}\"")),
        ),
        (Value::String(text), "number" | "integer" | "boolean") if looks_like(text, wanted) => {
            (format!("{} is text", shown(value)), Some(format!("write it without quotes: {}", cut(text))))
        }
        (Value::String(_), _) => (format!("{} is text", shown(value)), None),
        (Value::Number(_) | Value::Bool(_), _) => (format!("{written} is {}", kind(value)), None),
        (Value::Array(_) | Value::Object(_), _) => (format!("is {}", kind(value)), None),
    };
    let finding = Finding::new(path, message).maybe_hint(hint);
    match allowed(schema) {
        Some(allowed) => finding.allowed(allowed),
        None => finding,
    }
}

fn looks_like(text: &str, wanted: &str) -> bool {
    if wanted == "boolean" { matches!(text, "true" | "false") } else { text.parse::<f64>().is_ok() }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object with fields",
    }
}

fn refused(path: String, value: &Value, verdict: &str, schema: &Value) -> Finding {
    let finding = Finding::new(path, format!("{} {verdict}", shown(value)));
    match allowed(schema) {
        Some(allowed) => finding.allowed(allowed),
        None => finding,
    }
}

/// A value in a message.
fn shown(value: &Value) -> String {
    cut(&value.to_string())
}

/// A text in a message, without what is too much of it.
fn cut(text: &str) -> String {
    match text.char_indices().nth(80) {
        None => text.to_owned(),
        Some(_) => format!("{}…", text.chars().take(79).collect::<String>()),
    }
}

/// What a field may be, in words.
fn allowed(schema: &Value) -> Option<String> {
    let choices = choices(schema);
    if !choices.is_empty() {
        return Some(choices.join(", "));
    }
    if let Some(words) = schema.get("patternErrorMessage").and_then(Value::as_str) {
        return Some(words.to_owned());
    }
    let limit = |name: &str| schema.get(name).and_then(Value::as_f64);
    match schema.get("type").and_then(Value::as_str)? {
        "integer" | "number" => Some(range(limit("minimum"), limit("maximum"), limit("multipleOf"))),
        "string" => Some(length(limit("minLength"), limit("maxLength"))),
        "boolean" => Some("true or false".to_owned()),
        "array" => Some("a list".to_owned()),
        "object" => Some("an object with fields".to_owned()),
        _ => None,
    }
}

fn range(minimum: Option<f64>, maximum: Option<f64>, step: Option<f64>) -> String {
    let bounds = match (minimum, maximum) {
        (Some(minimum), Some(maximum)) => format!("{minimum} to {maximum}"),
        (Some(minimum), None) => format!("{minimum} or more"),
        (None, Some(maximum)) => format!("{maximum} or less"),
        (None, None) => "a number".to_owned(),
    };
    step.map_or_else(|| bounds.clone(), |step| format!("{bounds} in steps of {step}"))
}

fn length(minimum: Option<f64>, maximum: Option<f64>) -> String {
    match (minimum, maximum) {
        (Some(minimum), Some(maximum)) => format!("{minimum} to {maximum} characters"),
        (Some(minimum), None) => format!("{minimum} characters or more"),
        (None, Some(maximum)) => format!("at most {maximum} characters"),
        (None, None) => "text".to_owned(),
    }
}

fn choices(schema: &Value) -> Vec<&str> {
    let options = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
    options.chain(schema.get("const")).filter_map(Value::as_str).collect()
}

/// A hint naming the known word nearest to a mistyped one.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> Option<String> {
    if word.len() > LONGEST_WORD {
        return None;
    }
    let word = word.to_lowercase();
    let nearest = known.iter().min_by_key(|candidate| strsim::damerau_levenshtein(&word, candidate))?;
    let distance = strsim::damerau_levenshtein(&word, nearest);
    let near =
        distance <= 2.max(nearest.len() / 3) || nearest.starts_with(&word) || word.starts_with(nearest);
    near.then(|| format!("did you mean {nearest}?"))
}

/// The known words, or those nearest to a mistyped one where they are many.
pub(crate) fn known_words(word: &str, known: &[&str]) -> String {
    if known.len() <= MANY_WORDS {
        return known.join(", ");
    }
    let mut nearest = known.to_vec();
    if word.len() <= LONGEST_WORD {
        nearest.sort_by_key(|candidate| strsim::damerau_levenshtein(word, candidate));
    }
    nearest.truncate(NEAREST_WORDS);
    format!("{}, and {} more", nearest.join(", "), known.len() - NEAREST_WORDS)
}
