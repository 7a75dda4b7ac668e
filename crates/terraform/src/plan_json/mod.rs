//! What `terraform show -json PLANFILE` says, told by component.
//!
//! A summary holds only what changes, and never a value that Terraform marks as sensitive: the masks are applied at every
//! depth before a value is copied. Data sources are left out, since reading them changes nothing.

mod attributes;

use std::collections::BTreeMap;

use alethia_domain::{
    component::ComponentRef,
    lifecycle::Change,
    plan::{ComponentPlan, PlanSummary, ResourceChange, Totals},
    spec::Document,
};
use serde::Deserialize;
use serde_json::Value;

use crate::address;

/// Why a plan can't be told.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It is not what `terraform show -json` writes.
    #[error("the plan is not in the form that terraform show -json writes: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// It is written in a form newer than this program knows.
    #[error("the plan has format version {0}; this program reads 1.x")]
    UnknownFormat(String),
}

/// Resource types that hold data: when one of them goes, so does what is in it.
const STATEFUL_TYPES: [&str; 8] = [
    "aws_eks_cluster",
    "aws_rds_cluster",
    "aws_dynamodb_table",
    "aws_elasticache_replication_group",
    "aws_sqs_queue",
    "aws_secretsmanager_secret",
    "aws_ecr_repository",
    "aws_route53_zone",
];

#[derive(Deserialize)]
struct Plan {
    format_version: String,
    #[serde(default)]
    resource_changes: Vec<Resource>,
    #[serde(default)]
    resource_drift: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    address: String,
    mode: String,
    #[serde(rename = "type")]
    resource_type: String,
    change: RawChange,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawChange {
    actions: Vec<String>,
    before: Value,
    after: Value,
    after_unknown: Value,
    before_sensitive: Value,
    after_sensitive: Value,
    replace_paths: Vec<Vec<Value>>,
}

/// Tells a plan by component: every component of the document, then those that go.
///
/// # Errors
/// When the bytes are not a plan of a known format.
pub fn summarize(plan: &[u8], document: &Document) -> Result<PlanSummary, PlanError> {
    let plan: Plan = serde_json::from_slice(plan)?;
    if !plan.format_version.starts_with("1.") {
        return Err(PlanError::UnknownFormat(plan.format_version));
    }
    let managed: Vec<&Resource> =
        plan.resource_changes.iter().filter(|resource| resource.is_managed()).collect();
    let everything_goes = managed.iter().all(|resource| resource.change_kind() == Change::Destroy);
    Ok(PlanSummary {
        totals: totals(&managed),
        components: components(&managed, document, everything_goes),
        drift: plan
            .resource_drift
            .iter()
            .filter(|resource| resource.is_managed())
            .map(Resource::describe)
            .collect(),
    })
}

fn totals(resources: &[&Resource]) -> Totals {
    let count = |change: Change| {
        let matching = resources.iter().filter(|resource| resource.change_kind() == change).count();
        u32::try_from(matching).unwrap_or(u32::MAX)
    };
    Totals {
        create: count(Change::Create),
        update: count(Change::Update),
        replace: count(Change::Replace),
        destroy: count(Change::Destroy),
    }
}

fn components(resources: &[&Resource], document: &Document, everything_goes: bool) -> Vec<ComponentPlan> {
    let mut by_component: BTreeMap<ComponentRef, Vec<&Resource>> = BTreeMap::new();
    for resource in resources {
        if let Some(component) = address::component_of(&resource.address) {
            by_component.entry(component).or_default().push(resource);
        }
    }
    let wanted = document.components();
    let mut order = wanted.clone();
    order.extend(by_component.keys().filter(|component| !wanted.contains(component)).cloned());
    order.sort_by_key(|component| component.kind);
    order
        .into_iter()
        .map(|component| {
            let resources = by_component.remove(&component).unwrap_or_default();
            let stays = wanted.contains(&component) && !everything_goes;
            component_plan(component, &resources, stays)
        })
        .collect()
}

fn component_plan(component: ComponentRef, resources: &[&Resource], stays: bool) -> ComponentPlan {
    let changing = resources.iter().filter(|resource| resource.change_kind() != Change::None);
    ComponentPlan {
        change: whole_change(resources, stays),
        loses_data: component.kind.is_stateful() && resources.iter().any(|resource| resource.loses_data()),
        resources: changing.map(|resource| resource.describe()).collect(),
        component,
    }
}

fn whole_change(resources: &[&Resource], stays: bool) -> Change {
    let all = |change: Change| resources.iter().all(|resource| resource.change_kind() == change);
    let any = |change: Change| resources.iter().any(|resource| resource.change_kind() == change);
    if all(Change::None) {
        Change::None
    } else if all(Change::Create) {
        Change::Create
    } else if all(Change::Destroy) && !stays {
        Change::Destroy
    } else if any(Change::Replace) {
        Change::Replace
    } else {
        Change::Update
    }
}

impl Resource {
    fn is_managed(&self) -> bool {
        self.mode == "managed"
    }

    fn change_kind(&self) -> Change {
        let has = |action: &str| self.change.actions.iter().any(|given| given == action);
        match (has("create"), has("delete")) {
            (true, true) => Change::Replace,
            (true, false) => Change::Create,
            (false, true) => Change::Destroy,
            (false, false) if has("update") => Change::Update,
            (false, false) => Change::None,
        }
    }

    fn loses_data(&self) -> bool {
        let goes = matches!(self.change_kind(), Change::Replace | Change::Destroy);
        goes && STATEFUL_TYPES.contains(&self.resource_type.as_str())
    }

    fn describe(&self) -> ResourceChange {
        let change = self.change_kind();
        let attributes = match change {
            Change::Update | Change::Replace => attributes::changed(&self.change),
            Change::None | Change::Create | Change::Destroy => Vec::new(),
        };
        let replaced_by = self.change.replace_paths.iter().map(|path| attributes::spell(path)).collect();
        ResourceChange { address: self.address.clone(), change, replaced_by, attributes }
    }
}

#[cfg(test)]
mod tests;
