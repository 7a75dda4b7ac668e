//! A key-value table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A key-value table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NosqlTable {
    /// Name, unique among tables.
    #[schemars(regex(pattern = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"))]
    pub name: String,
    /// Which partition an item is in.
    pub partition_key: Key,
    /// Order of items inside a partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort_key: Option<Key>,
    /// Other ways to look items up.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub indexes: Vec<SecondaryIndex>,
    /// Pay by request or for reserved throughput.
    pub capacity_mode: CapacityMode,
    /// Reserved throughput; only with `provisioned`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioned: Option<ProvisionedCapacity>,
    /// Attribute with the time, in seconds since 1970, at which an item expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Za-z_][A-Za-z0-9_.-]{0,254}$"))]
    pub expiry_attribute: Option<String>,
    /// Restore to any second of the last 35 days.
    pub point_in_time_recovery: bool,
    /// Other regions with a full, writable copy.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub replicas: Vec<String>,
    /// Refuse to delete it.
    pub deletion_protection: bool,
    /// What only AWS has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<NosqlTableAws>,
}

/// A key attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Name of the attribute.
    #[schemars(regex(pattern = "^[A-Za-z_][A-Za-z0-9_.-]{0,254}$"))]
    pub name: String,
    /// Type of the attribute.
    #[serde(rename = "type")]
    pub attribute_type: AttributeType,
}

/// Type of a key attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttributeType {
    /// Text.
    String,
    /// Number.
    Number,
    /// Bytes.
    Binary,
}

/// Another way to look items up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondaryIndex {
    /// Name, unique in the table.
    #[schemars(regex(pattern = "^[a-z]([a-z0-9-]{1,38}[a-z0-9])?$"), length(min = 3))]
    pub name: String,
    /// Partition key of the index.
    pub partition_key: IndexKey,
    /// Sort key of the index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort_key: Option<IndexKey>,
}

/// A key attribute of an index.
pub type IndexKey = Key;

/// How throughput is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CapacityMode {
    /// By request.
    OnDemand,
    /// Reserved.
    Provisioned,
}

/// Reserved throughput.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvisionedCapacity {
    /// Reads a second of 4 KiB.
    #[schemars(range(min = 1, max = 40_000))]
    pub read: u32,
    /// Writes a second of 1 KiB.
    #[schemars(range(min = 1, max = 40_000))]
    pub write: u32,
}

/// What a table has on AWS alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NosqlTableAws {
    /// Price class of storage.
    pub table_class: TableClass,
    /// Stream of changes for consumers.
    pub stream: bool,
}

/// Price class of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TableClass {
    /// For data that is read often.
    Standard,
    /// For data that is seldom read.
    InfrequentAccess,
}

impl NosqlTable {
    pub(crate) fn check(&self, _: &mut crate::spec::Checker<'_>) {}
}
