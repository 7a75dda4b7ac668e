//! Specs, their Revisions and components.

use alethia_domain::{
    component::ComponentRef,
    ids::{JobId, SpecId, ZoneId},
    lifecycle::{ComponentStatus, SpecStatus},
    spec::Provider,
    stage::Stage,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// A Spec as lists show it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Spec {
    /// Id.
    pub id: SpecId,
    /// Id of its Zone.
    pub zone_id: ZoneId,
    /// Name of its Zone.
    pub zone: String,
    /// Name, unique in its Zone.
    pub name: String,
    /// Environment it targets.
    pub stage: Stage,
    /// Cloud it runs on.
    pub provider: Provider,
    /// Region it runs in.
    pub region: String,
    /// Name of the Cloud Identity it uses.
    pub identity: String,
    /// Where it is.
    pub status: SpecStatus,
    /// Why, when it FAILED, and what to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// Number of the newest Revision; its ETag.
    pub revision: u32,
    /// Revision that was last deployed with success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed_revision: Option<u32>,
    /// Job that is not final yet, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_job: Option<JobId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A Spec with its document and its components.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SpecDetail {
    /// The Spec.
    #[serde(flatten)]
    pub spec: Spec,
    /// Document of the newest Revision, as written.
    pub document: Value,
    /// What exists, by component.
    pub components: Vec<Component>,
}

/// One component of a Spec.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Component {
    /// Which.
    #[serde(flatten)]
    pub component: ComponentRef,
    /// Where it is.
    pub status: ComponentStatus,
    /// Why, when it FAILED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// Endpoints, ARNs and the like; never a secret value.
    pub outputs: Map<String, Value>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A new Revision of a Spec. Makes the Spec (and its Zone `default`) where there is none of that name.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutSpec {
    /// The document; its zone and name must be those of the path.
    #[serde(deserialize_with = "alethia_domain::spec::deserialize_written")]
    pub document: Value,
    /// Why, up to 250 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Which Specs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SpecQuery {
    /// Only those of this Zone, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// How many rows, 1 to 200; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// One immutable version of a document.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Revision {
    /// 1, 2, 3, …
    pub number: u32,
    /// SHA-256 of the canonical document.
    pub hash: String,
    /// Who wrote it.
    pub author: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A Revision with its document.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RevisionDetail {
    /// The Revision.
    #[serde(flatten)]
    pub revision: Revision,
    /// Its document, as written.
    pub document: Value,
}

/// Which two Revisions to compare.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DiffQuery {
    /// The older; the one before `to` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u32>,
    /// The newer; the newest when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
}

/// What differs between two Revisions.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RevisionDiff {
    /// The older.
    pub from: u32,
    /// The newer.
    pub to: u32,
    /// Fields that differ.
    pub changes: Vec<FieldChange>,
}

/// One field that differs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// Path of the field, such as `databases[orders].capacity.max`.
    pub path: String,
    /// Value in the older; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// Value in the newer; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// Make an older Revision the newest again.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rollback {
    /// The Revision to go back to.
    pub revision: u32,
}
