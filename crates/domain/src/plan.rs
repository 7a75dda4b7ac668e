//! What a plan would change, told by component, and the digest a plan is bound to.
//!
//! A summary never holds a value that a provider schema or Terraform marks as sensitive; it holds only the attributes
//! that change.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{component::ComponentRef, lifecycle::Change};

/// What a plan would change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PlanSummary {
    /// Resources by what happens to them.
    pub totals: Totals,
    /// Every component of the document, and those that go, in the order of the kinds.
    pub components: Vec<ComponentPlan>,
    /// What was changed outside of the platform since the last deployment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<ResourceChange>,
}

/// How many resources are made, changed, replaced and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Totals {
    /// Made.
    pub create: u32,
    /// Changed in place.
    pub update: u32,
    /// Removed and made anew.
    pub replace: u32,
    /// Removed.
    pub destroy: u32,
}

/// What happens to one component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ComponentPlan {
    /// Which.
    pub component: ComponentRef,
    /// What happens to it as a whole.
    pub change: Change,
    /// Whether it holds data and some of that is removed or replaced.
    pub loses_data: bool,
    /// Its resources that change; empty when nothing does.
    pub resources: Vec<ResourceChange>,
}

/// What happens to one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ResourceChange {
    /// Terraform's address of it.
    pub address: String,
    /// What happens to it.
    pub change: Change,
    /// Why it is replaced, as attribute paths; empty otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced_by: Vec<String>,
    /// Attributes that change; at creation none are listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<AttributeChange>,
}

/// What happens to one attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AttributeChange {
    /// Path of the attribute in the resource.
    pub path: String,
    /// Value before.
    pub before: AttributeValue,
    /// Value after.
    pub after: AttributeValue,
}

/// A value in a plan, as far as it may be shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttributeValue {
    /// There is none.
    Absent,
    /// It may be shown.
    Known(serde_json::Value),
    /// It may not.
    Sensitive,
    /// It is known after the apply.
    Unknown,
}

/// What a plan is bound to. Equal digests mean that the plan would be made the same again.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct PlanDigest(String);

/// Everything that a plan depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanBasis {
    /// SHA-256 of the canonical job snapshot.
    pub snapshot: String,
    /// SHA-256 of the template bundle.
    pub bundle: String,
    /// SHA-256 of the provider lock file in force.
    pub lock_file: String,
    /// Name and version of the tool, such as `terraform 1.11.4`.
    pub tool: String,
    /// Id and revision of the Cloud Identity.
    pub identity: String,
    /// Lineage of the state; empty when there is none.
    pub state_lineage: String,
    /// Serial of the state; 0 when there is none.
    pub state_serial: u64,
}

impl PlanSummary {
    /// Whether nothing would change.
    pub fn is_empty(&self) -> bool {
        self.totals == Totals::default()
    }
}

impl PlanBasis {
    /// The digest of all of it.
    pub fn digest(&self) -> PlanDigest {
        let canonical = serde_json::to_vec(self).expect("strings and numbers always serialize");
        PlanDigest(sha256_hex(&canonical))
    }

    /// What differs from another basis, as words a person understands.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        [
            (self.snapshot != other.snapshot, "the Spec"),
            (self.bundle != other.bundle, "the templates"),
            (self.lock_file != other.lock_file, "the provider versions"),
            (self.tool != other.tool, "the Terraform version"),
            (self.identity != other.identity, "the Cloud Identity"),
            (
                (&self.state_lineage, self.state_serial) != (&other.state_lineage, other.state_serial),
                "the state",
            ),
        ]
        .into_iter()
        .filter_map(|(differs, what)| differs.then_some(what))
        .collect()
    }
}

impl PlanDigest {
    /// The digest as lowercase hexadecimal.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// SHA-256 as lowercase hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A JSON value as bytes that do not depend on the order of keys: sorted, without white space.
pub fn canonical_json(value: &serde_json::Value) -> Vec<u8> {
    serde_json::to_vec(&sorted(value)).expect("JSON values always serialize")
}

fn sorted(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(fields) => {
            let ordered: std::collections::BTreeMap<&String, Value> =
                fields.iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(ordered.into_iter().map(|(key, value)| (key.clone(), value)).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basis() -> PlanBasis {
        PlanBasis {
            snapshot: "a".into(),
            bundle: "b".into(),
            lock_file: "c".into(),
            tool: "terraform 1.11.4".into(),
            identity: "d/1".into(),
            state_lineage: String::new(),
            state_serial: 0,
        }
    }

    #[test]
    fn everything_a_plan_depends_on_is_in_its_digest() {
        let one = basis();
        let others = [
            (PlanBasis { snapshot: "x".into(), ..basis() }, "the Spec"),
            (PlanBasis { bundle: "x".into(), ..basis() }, "the templates"),
            (PlanBasis { lock_file: "x".into(), ..basis() }, "the provider versions"),
            (PlanBasis { tool: "tofu 1.11.0".into(), ..basis() }, "the Terraform version"),
            (PlanBasis { identity: "d/2".into(), ..basis() }, "the Cloud Identity"),
            (PlanBasis { state_lineage: "x".into(), ..basis() }, "the state"),
            (PlanBasis { state_serial: 1, ..basis() }, "the state"),
        ];
        for (other, what) in others {
            assert_ne!(one.digest(), other.digest(), "{what}");
            assert_eq!(one.differences(&other), [what]);
        }
        assert_eq!(one.digest(), basis().digest());
        assert!(one.differences(&basis()).is_empty());
    }

    #[test]
    fn a_digest_is_stable_across_versions() {
        insta::assert_snapshot!(basis().digest());
    }

    #[test]
    fn a_summary_keeps_its_form() {
        let summary = PlanSummary {
            totals: Totals { replace: 1, ..Totals::default() },
            components: vec![ComponentPlan {
                component: ComponentRef::named(crate::component::ComponentKind::Database, "orders"),
                change: Change::Replace,
                loses_data: true,
                resources: vec![ResourceChange {
                    address: "module.database-orders.aws_rds_cluster.this".into(),
                    change: Change::Replace,
                    replaced_by: vec!["engine".into()],
                    attributes: vec![AttributeChange {
                        path: "master_password".into(),
                        before: AttributeValue::Sensitive,
                        after: AttributeValue::Unknown,
                    }],
                }],
            }],
            drift: Vec::new(),
        };
        assert!(!summary.is_empty() && PlanSummary::default().is_empty());
        insta::assert_json_snapshot!(summary);
        let text = serde_json::to_string(&summary).unwrap();
        assert_eq!(serde_json::from_str::<PlanSummary>(&text).unwrap(), summary);
    }
}
