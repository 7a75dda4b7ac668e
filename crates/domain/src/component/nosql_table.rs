//! A key-value table.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::{Checker, Finding, repeated};

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
    pub(crate) fn check(&self, at: &mut Checker<'_>) {
        self.check_keys(at);
        self.check_indexes(at);
        self.check_throughput(at);
        at.other_regions("replicas", &self.replicas);
    }

    /// Every use of a key attribute, with where it stands.
    fn keys(&self) -> Vec<(String, &Key)> {
        let own = [
            ("partition_key".to_owned(), Some(&self.partition_key)),
            ("sort_key".to_owned(), self.sort_key.as_ref()),
        ];
        let of_indexes = self.indexes.iter().enumerate().flat_map(|(at, index)| {
            [
                (format!("indexes[{at}].partition_key"), Some(&index.partition_key)),
                (format!("indexes[{at}].sort_key"), index.sort_key.as_ref()),
            ]
        });
        own.into_iter().chain(of_indexes).filter_map(|(path, key)| Some((path, key?))).collect()
    }

    /// An attribute has one type, wherever it is a key.
    fn check_keys(&self, at: &mut Checker<'_>) {
        let keys = self.keys();
        for (index, (path, key)) in keys.iter().enumerate() {
            let earlier = keys[..index].iter().find(|(_, other)| other.name == key.name);
            if let Some((place, other)) =
                earlier.filter(|(_, other)| other.attribute_type != key.attribute_type)
            {
                let (is, was) = (key.attribute_type.as_str(), other.attribute_type.as_str());
                let message = format!("{:?} is a {is} here and a {was} in {place}", key.name);
                at.refuse(Finding::new(format!("{path}.type"), message).hint("an attribute has one type"));
            }
            let expires = self.expiry_attribute.as_ref() == Some(&key.name);
            if expires && key.attribute_type != AttributeType::Number {
                let message = format!("{:?} is a key of type {}", key.name, key.attribute_type.as_str());
                at.refuse(
                    Finding::new("expiry_attribute", message).allowed("an attribute that holds a number"),
                );
            }
        }
        if self.sort_key.as_ref().is_some_and(|key| key.name == self.partition_key.name) {
            let finding = Finding::new("sort_key.name", "it is the partition key already");
            at.refuse(finding.allowed("another attribute"));
        }
    }

    fn check_indexes(&self, at: &mut Checker<'_>) {
        for (index, name) in repeated(self.indexes.iter().map(|index| index.name.as_str())) {
            let message = format!("{name:?} is taken: another index has it");
            at.refuse(Finding::new(format!("indexes[{index}].name"), message));
        }
        for (index, found) in self.indexes.iter().enumerate() {
            if found.sort_key.as_ref().is_some_and(|key| key.name == found.partition_key.name) {
                let finding = Finding::new(
                    format!("indexes[{index}].sort_key.name"),
                    "it is the partition key already",
                );
                at.refuse(finding.allowed("another attribute"));
            }
        }
    }

    fn check_throughput(&self, at: &mut Checker<'_>) {
        if self.capacity_mode == CapacityMode::OnDemand && self.provisioned.is_some() {
            let finding =
                Finding::new("provisioned", "a table that is paid by request has no reserved throughput");
            at.refuse(finding.hint("write `capacity_mode: provisioned`, or remove it"));
        }
        if self.capacity_mode == CapacityMode::Provisioned && !self.replicas.is_empty() {
            let finding = Finding::new(
                "replicas",
                "a table with reserved throughput that does not scale has no replicas",
            );
            at.refuse(finding.hint("write `capacity_mode: on_demand`"));
        }
    }
}

impl AttributeType {
    /// The word in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Binary => "binary",
        }
    }
}
