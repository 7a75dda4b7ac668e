//! `docs/spec-reference.md`: every field of the Spec document, written from what decides about it.
//!
//! Names, types and bounds come from `alethia spec schema`, defaults from the table that fills them in. So the
//! page can't promise a field that is not there.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::project;

const DEFAULTS: &str = "crates/domain/src/spec/defaults.yaml";
const STAGES: [&str; 3] = ["development", "staging", "production"];

/// The page, from the binary's schema.
pub(super) fn page(binary: &Path) -> Result<String> {
    let schema = super::output(binary, &["spec", "schema"])?;
    let schema = serde_json::from_str(&schema).context("alethia spec schema printed no JSON")?;
    render(&schema, &defaults()?)
}

/// The rows of the defaults table, by the field that they fill.
fn defaults() -> Result<BTreeMap<String, Vec<Value>>> {
    let text = fs::read_to_string(project::root().join(DEFAULTS))
        .with_context(|| format!("failed to read {DEFAULTS}"))?;
    let rows: Vec<Value> =
        serde_saphyr::from_str(&text).with_context(|| format!("{DEFAULTS} is no list of rows"))?;
    let mut by_field: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for row in rows {
        let field =
            row["at"].as_str().with_context(|| format!("a row of {DEFAULTS} has no `at`"))?.to_owned();
        by_field.entry(field).or_default().push(row);
    }
    Ok(by_field)
}

fn render(schema: &Value, defaults: &BTreeMap<String, Vec<Value>>) -> Result<String> {
    let properties = schema["properties"].as_object().context("the schema has no properties")?;
    let mut page = String::from(
        "# Spec reference\n\n\
         Every field of a Spec document. Written by `cargo xtask docs`; do not edit.\n\n\
         A default with three values is that of a development, a staging and a production Spec. `[]` stands for \
         every item of a list.\n\n## Head\n",
    );
    let is_section = |part: &Value| part["type"] == "object" || part["type"] == "array";
    let table = Table { defaults };
    let head = properties.iter().filter(|(name, part)| !is_section(part) || *name == "cloud");
    page.push_str(HEADING);
    for (name, part) in head {
        table.field(&mut page, name, part, required(schema, name));
    }
    for (name, part) in properties.iter().filter(|(name, part)| is_section(part) && *name != "cloud") {
        let (path, body) = if part["type"] == "array" {
            (format!("{name}[]"), &part["items"])
        } else {
            (name.clone(), part)
        };
        write!(page, "\n## `{name}`\n\n{}{}\n", words(part), limits(part)).expect("a String takes all");
        page.push_str(HEADING);
        table.fields(&mut page, &path, body);
    }
    Ok(page)
}

const HEADING: &str = "\n| Field | Value | Default | Meaning |\n|---|---|---|---|\n";

struct Table<'a> {
    defaults: &'a BTreeMap<String, Vec<Value>>,
}

impl Table<'_> {
    fn fields(&self, page: &mut String, path: &str, object: &Value) {
        for (name, part) in object["properties"].as_object().into_iter().flatten() {
            self.field(page, &format!("{path}.{name}"), part, required(object, name));
        }
    }

    fn field(&self, page: &mut String, path: &str, part: &Value, required: bool) {
        let default = self.default(path).unwrap_or_else(|| match (required, part.get("default")) {
            (_, Some(value)) => code(value),
            (true, None) => "required".to_owned(),
            (false, None) => "none".to_owned(),
        });
        let cells =
            [format!("`{path}`"), kind(part), default, words(part)].map(|cell| cell.replace('|', "\\|"));
        writeln!(page, "| {} |", cells.join(" | ")).expect("a String takes all");
        self.fields(page, path, part);
        self.fields(page, &format!("{path}[]"), &part["items"]);
    }

    fn default(&self, path: &str) -> Option<String> {
        let rows = self.defaults.get(path)?;
        Some(rows.iter().map(value_of).collect::<Vec<_>>().join("; "))
    }
}

/// One row of the defaults table in words: `1 / 2 / 3 where engine is mysql`.
fn value_of(row: &Value) -> String {
    let value = match (row.get("value"), row["derive"].as_str()) {
        (Some(value), _) => code(value),
        (None, Some(derived)) => format!("made from other fields ({})", derived.replace('_', " ")),
        (None, None) => STAGES.map(|stage| row.get(stage).map_or("none".to_owned(), code)).join(" / "),
    };
    let names = |key: &str| {
        let names: Vec<String> = row[key].as_array().into_iter().flatten().map(code).collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    let conditions: Vec<String> = row["when"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(field, value)| format!("{field} is {}", code(value)))
        .chain(row["region"].as_str().map(|region| format!("the region is `{region}`")))
        .chain(names("present").map(|names| format!("{names} is written")))
        .chain(names("unless").map(|names| format!("none of {names} is written")))
        .collect();
    if conditions.is_empty() { value } else { format!("{value} where {}", conditions.join(" and ")) }
}

fn required(object: &Value, name: &str) -> bool {
    object["required"].as_array().into_iter().flatten().any(|required| required == name)
}

fn words(part: &Value) -> String {
    part["description"].as_str().unwrap_or_default().replace('\n', " ")
}

/// What may be written: the type with its bounds, or the words to choose from.
fn kind(part: &Value) -> String {
    if let Some(choices) = part["enum"].as_array() {
        return choices.iter().map(code).collect::<Vec<_>>().join(", ");
    }
    if let Some(only) = part.get("const") {
        return code(only);
    }
    if let Some(options) = part["anyOf"].as_array().or(part["oneOf"].as_array()) {
        return options.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    let pattern = part["patternErrorMessage"].as_str().or(part["pattern"].as_str());
    match (part["type"].as_str(), pattern) {
        (Some("string"), Some(pattern)) => pattern.to_owned(),
        (Some("object"), _) => "section".to_owned(),
        (Some("array"), _) if part["items"]["properties"].is_object() => format!("list{}", limits(part)),
        (Some("array"), _) => format!("list of {}{}", kind(&part["items"]), limits(part)),
        (Some(name), _) => format!("{name}{}", limits(part)),
        (None, _) => "any".to_owned(),
    }
}

fn limits(part: &Value) -> String {
    let bound = |names: [&str; 3]| names.iter().find_map(|name| part[*name].as_number());
    let least = bound(["minimum", "minLength", "minItems"]);
    let most = bound(["maximum", "maxLength", "maxItems"]);
    match (least, most) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) => format!(", at least {least}"),
        (None, Some(most)) => format!(", at most {most}"),
        (None, None) => String::new(),
    }
}

fn code(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_has_its_bounds_its_default_and_its_meaning() {
        let schema = json!({
            "properties": {
                "name": { "type": "string", "description": "Its name." },
                "databases": {
                    "type": "array", "description": "Databases.", "maxItems": 50,
                    "items": { "properties": {
                        "replicas": { "type": "integer", "minimum": 0, "maximum": 15, "description": "Readers." },
                        "port": { "type": "integer", "description": "Port." }
                    } }
                }
            },
            "required": ["name"]
        });
        let rows = vec![json!({ "at": "databases[].port", "when": { "engine": "mysql" }, "value": 3306 })];
        let replicas = vec![json!({ "development": 0, "staging": 1, "production": 2 })];
        let defaults = BTreeMap::from([
            ("databases[].port".to_owned(), rows),
            ("databases[].replicas".to_owned(), replicas),
        ]);
        let page = render(&schema, &defaults).unwrap();
        let table: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(
            table,
            [
                "| `name` | string | required | Its name. |",
                "| `databases[].replicas` | integer, 0 to 15 | `0` / `1` / `2` | Readers. |",
                "| `databases[].port` | integer | `3306` where engine is `mysql` | Port. |",
            ]
        );
        assert!(page.contains("## `databases`\n\nDatabases., at most 50\n"));
    }
}
