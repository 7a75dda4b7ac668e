//! The table of defaults: what its rows say, and the few values that are made from other fields.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;
use serde_json::Value;

use super::read;
use crate::{catalog, component::Database, stage::Stage};

/// One row of the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) at: String,
    value: Option<Value>,
    development: Option<Value>,
    staging: Option<Value>,
    production: Option<Value>,
    pub(super) region: Option<String>,
    pub(super) provider: Option<String>,
    #[serde(default)]
    pub(super) when: BTreeMap<String, Value>,
    #[serde(default)]
    pub(super) present: Vec<String>,
    #[serde(default)]
    pub(super) unless: Vec<String>,
    #[serde(default)]
    pub(super) at_least: Vec<String>,
    #[serde(default)]
    pub(super) at_most: Vec<String>,
    pub(super) derive: Option<Derivation>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Derivation {
    DatabaseName,
    ArchitectureOfInstanceTypes,
}

static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let source = read::read(include_str!("defaults.yaml")).expect("the embedded table is YAML");
    serde_json::from_value(source.value).expect("the embedded table has the shape of rows")
});

/// The table.
pub(super) fn table() -> &'static [Row] {
    &TABLE
}

impl Row {
    /// What its field is in, the items of the innermost list or else the section, and where in there the field stands.
    pub(super) fn place(&self) -> (&str, &str) {
        let innermost = self.at.rfind("[].").map(|list| list + "[]".len());
        let end = innermost.or_else(|| self.at.find('.'));
        end.map_or(("", &self.at), |end| (&self.at[..end], &self.at[end + 1..]))
    }

    /// The value of a stage, or of all; none where it is made from other fields.
    pub(super) fn value(&self, stage: Option<Stage>) -> Option<&Value> {
        stage.and_then(|stage| self.staged(stage)).or(self.value.as_ref())
    }

    /// Where that value comes from, in words.
    pub(super) fn origin(&self, stage: Option<Stage>) -> String {
        if let Some(derivation) = self.derive {
            return derivation.origin().to_owned();
        }
        if let Some(stage) = stage.filter(|stage| self.staged(*stage).is_some()) {
            return format!("default of stage {stage}");
        }
        let conditions = self.conditions().join(", ");
        if conditions.is_empty() { "default".to_owned() } else { format!("default for {conditions}") }
    }

    /// The value, when it is the same whatever the document says.
    pub(super) fn constant(&self) -> Option<&Value> {
        let conditions = self.conditions();
        self.value.as_ref().filter(|value| conditions.is_empty() && !value.is_object())
    }

    /// The value in words when it is not the same everywhere, such as ` for engine mysql: 3306`.
    pub(super) fn words(&self) -> Option<String> {
        let conditions = self.conditions().join(", ");
        let subject = if conditions.is_empty() { String::new() } else { format!(" for {conditions}") };
        let stages = Stage::ALL.into_iter().filter_map(|stage| {
            let value = self.staged(stage)?;
            Some(format!("{} ({stage})", plain(value)))
        });
        let values: Vec<String> =
            stages.chain(self.value.iter().filter(|value| !value.is_object()).map(plain)).collect();
        (!values.is_empty()).then(|| format!("{subject}: {}", values.join(", ")))
    }

    const fn staged(&self, stage: Stage) -> Option<&Value> {
        match stage {
            Stage::Development => self.development.as_ref(),
            Stage::Staging => self.staging.as_ref(),
            Stage::Production => self.production.as_ref(),
        }
    }

    /// When the row fits, in words.
    fn conditions(&self) -> Vec<String> {
        let region = self.region.iter().map(|region| format!("region {region}"));
        let when = self.when.iter().map(|(name, value)| format!("{name} {}", plain(value)));
        let present = self.present.iter().map(|name| format!("a given {name}"));
        region.chain(when).chain(present).collect()
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Derivation {
    const fn origin(self) -> &'static str {
        match self {
            Self::DatabaseName => "made from the name",
            Self::ArchitectureOfInstanceTypes => "that of the instance types",
        }
    }

    /// The value, from the fields around it.
    pub(super) fn of(self, around: &Value) -> Option<Value> {
        match self {
            Self::DatabaseName => Some(Database::name_of_first_schema(around.get("name")?.as_str()?).into()),
            Self::ArchitectureOfInstanceTypes => {
                let first = around.get("instance_types")?.get(0)?.as_str()?;
                serde_json::to_value(catalog::aws::architecture_of(first)?).ok()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::schema;

    #[test]
    fn every_row_fills_a_field_that_exists() {
        for row in table() {
            assert!(schema::node(schema::json_schema(), &row.at).is_some(), "{}", row.at);
            let (around, _) = row.place();
            let beside = row
                .when
                .keys()
                .chain(&row.present)
                .chain(&row.unless)
                .chain(&row.at_least)
                .chain(&row.at_most);
            for name in beside {
                let path = format!("{around}.{name}");
                assert!(schema::node(schema::json_schema(), &path).is_some(), "{path}");
            }
        }
    }

    #[test]
    fn every_row_has_a_value() {
        for row in table() {
            let staged =
                [&row.development, &row.staging, &row.production].iter().any(|value| value.is_some());
            let ways = [row.value.is_some(), staged, row.derive.is_some()];
            assert_eq!(ways.iter().filter(|way| **way).count(), 1, "{}", row.at);
        }
    }
}
