//! Zones.

use alethia_domain::ids::ZoneId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// How many Specs of a Zone are counted at most.
pub const SPECS_COUNTED: u32 = 1000;

/// A Zone: a group of Specs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Zone {
    /// Id.
    pub id: ZoneId,
    /// Name, unique on the platform.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How many Specs it has that are not DESTROYED; 1000 where it has 1000 or more.
    pub specs: u32,
    /// How many of its jobs Runners may have at a time; absent for as many as there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_jobs: Option<u32>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A Zone to be made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewZone {
    /// Name: a lowercase letter, then up to 39 lowercase letters, digits or hyphens.
    pub name: String,
    /// What it is for, up to 250 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How many of its jobs Runners may have at a time, 1 to 10000; as many as there are when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_jobs: Option<u32>,
}

/// What changes of a Zone. What is absent stays; null takes away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeZone {
    /// What it is for, up to 250 characters.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub description: Option<Option<String>>,
    /// How many of its jobs Runners may have at a time, 1 to 10000. Jobs that run already go on.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>)]
    pub max_jobs: Option<Option<u32>>,
}

/// A field that is there, be it null: serde alone would take null for absent.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> Result<Option<T>, D::Error> {
    T::deserialize(field).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_takes_away_and_absent_leaves() {
        let read = |text: &str| serde_json::from_str::<ChangeZone>(text).unwrap();
        assert_eq!(read("{}"), ChangeZone::default());
        assert_eq!(
            read(r#"{"max_jobs":null}"#),
            ChangeZone { max_jobs: Some(None), ..ChangeZone::default() }
        );
        let three = ChangeZone { max_jobs: Some(Some(3)), ..ChangeZone::default() };
        assert_eq!(read(&serde_json::to_string(&three).unwrap()), three);
        let none = ChangeZone { max_jobs: Some(None), ..ChangeZone::default() };
        assert_eq!(serde_json::to_string(&none).unwrap(), r#"{"max_jobs":null}"#);
    }
}
