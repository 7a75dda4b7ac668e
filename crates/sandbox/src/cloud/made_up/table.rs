//! The hand-kept table of made-up values.
//!
//! A line is `TYPE.PATH[CONDITION] = PATTERN`: the first line of a path whose condition holds decides. A condition is
//! `attribute=value` or `attribute!=value` on the resource itself, a value may end in `*`, several stand with commas.
//! `TYPE` is `*` for all types; then the path is a name that may begin or end with `*`. Types of data sources begin
//! with `data.`, ephemeral ones with `ephemeral.`. What a pattern can say is in [`super::pattern`].

use std::collections::HashMap;

use crate::value::{Number, Value};

#[derive(Debug, Default)]
pub(crate) struct Table {
    by_type: HashMap<&'static str, Vec<Line>>,
    general: Vec<(&'static str, &'static str)>,
}

#[derive(Debug)]
struct Line {
    path: &'static str,
    conditions: &'static str,
    pattern: &'static str,
}

impl Table {
    /// Reads an embedded table. A line that is not understood is a broken build.
    pub(crate) fn parse(text: &'static str) -> Self {
        let mut table = Self::default();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (place, pattern) =
                line.split_once(" =").unwrap_or_else(|| panic!("{line:?} is no line of values"));
            table.add(place, pattern.trim_start());
        }
        table
    }

    /// The pattern for a path of a type, given the resource as far as it is known.
    pub(super) fn line(&self, kind: &str, path: &str, root: &Value) -> Option<&'static str> {
        let lines = self.by_type.get(kind)?;
        lines.iter().find(|line| line.path == path && holds(line.conditions, root)).map(|line| line.pattern)
    }

    /// The pattern for an attribute of this name in any type.
    pub(super) fn general(&self, name: &str) -> Option<&'static str> {
        self.general.iter().find(|(glob, _)| matches(glob, name)).map(|(_, pattern)| *pattern)
    }

    fn add(&mut self, place: &'static str, pattern: &'static str) {
        let (place, conditions) = place.split_once('[').unwrap_or((place, ""));
        let depth = if place.starts_with("data.") || place.starts_with("ephemeral.") { 1 } else { 0 };
        let end = place.match_indices('.').nth(depth).map(|(index, _)| index);
        let (kind, path) = place.split_at(end.unwrap_or_else(|| panic!("{place:?} names no attribute")));
        let path = &path[1..];
        if kind == "*" {
            self.general.push((path, pattern));
        } else {
            let line = Line { path, conditions: conditions.trim_end_matches(']'), pattern };
            self.by_type.entry(kind).or_default().push(line);
        }
    }
}

fn holds(conditions: &str, root: &Value) -> bool {
    conditions.split(',').filter(|condition| !condition.is_empty()).all(|condition| {
        let (attribute, wanted, same) = match condition.split_once("!=") {
            Some((attribute, wanted)) => (attribute, wanted, false),
            None => condition
                .split_once('=')
                .map_or((condition, "true", true), |(attribute, wanted)| (attribute, wanted, true)),
        };
        matches(wanted, &text_at(root, attribute).unwrap_or_default()) == same
    })
}

/// `*` at the beginning or at the end of `glob` stands for anything.
fn matches(glob: &str, text: &str) -> bool {
    match (glob.strip_prefix('*'), glob.strip_suffix('*')) {
        (Some(end), None) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (Some(_), Some(_)) => text.contains(glob.trim_matches('*')),
        (None, None) => glob == text,
    }
}

/// A known value as text, by a path that goes into the first element of a list.
pub(super) fn text_at(root: &Value, path: &str) -> Option<String> {
    let mut value = root;
    for step in path.split('.') {
        value = match value {
            Value::List(items) => items.first()?.get(step),
            value => value.get(step),
        };
    }
    match value {
        Value::String(text) | Value::Number(Number::Text(text)) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(Number::Integer(number)) => Some(number.to_string()),
        Value::Number(Number::Float(number)) => Some(number.to_string()),
        Value::Null | Value::Unknown | Value::List(_) | Value::Map(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
aws_rds_cluster.port[engine=aurora-mysql*] = 3306
aws_rds_cluster.port = 5432
data.aws_region.name = {region}
*.*_arn = general
";

    fn cluster(engine: &str) -> Value {
        Value::Map([("engine".to_owned(), Value::string(engine))].into())
    }

    #[test]
    fn the_first_line_whose_condition_holds_decides() {
        let table = Table::parse(TEXT);
        assert_eq!(table.line("aws_rds_cluster", "port", &cluster("aurora-mysql")), Some("3306"));
        assert_eq!(table.line("aws_rds_cluster", "port", &cluster("aurora-postgresql")), Some("5432"));
        assert_eq!(table.line("data.aws_region", "name", &Value::Null), Some("{region}"));
        assert_eq!(table.general("kms_key_arn"), Some("general"));
    }
}
