//! The variables of the AWS root: one object a component kind, named as in `templates/aws/variables.tf`, typed by its module.

mod cache;
mod cluster;
pub(super) mod components;
mod container_registry;
mod database;
mod dns;
mod network;
mod nosql_table;
mod queue;
mod repositories;
mod retention;
mod secret;
mod topic;

use alethia_domain::{access::CloudAccess, ids::SpecId, naming::Naming, spec::Document};
use serde_json::{Map, Value, json};

/// The variables of a Spec on AWS.
pub(super) fn variables(document: &Document, spec: SpecId, access: &CloudAccess) -> Value {
    let naming = Naming::new(&document.name, document.stage, spec);
    json!({
        "region": document.cloud.region,
        "assume_role": assume_role(access),
        "tags": { "zone": document.zone, "spec": document.name, "stage": document.stage },
        "network": document.network.as_ref().filter(|network| network.enabled).map(|it| network::variables(it, &naming)),
        "cluster": document.cluster.as_ref().filter(|cluster| cluster.enabled).map(|it| cluster::variables(it, access, &naming)),
        "dns": document.dns.as_ref().filter(|dns| dns.enabled).map(|it| dns::variables(it, &naming)),
        "repositories": document
            .repositories
            .as_ref()
            .filter(|repositories| repositories.enabled)
            .map(|it| repositories::variables(it, &naming)),
        "databases": named(&document.databases, |it| (&it.name, database::variables(it, document.stage, &naming))),
        "caches": named(&document.caches, |it| (&it.name, cache::variables(it, &naming))),
        "queues": named(&document.queues, |it| (&it.name, queue::variables(it, &document.topics, &naming))),
        "topics": named(&document.topics, |it| (&it.name, topic::variables(it, &naming))),
        "nosql_tables": named(&document.nosql_tables, |it| (&it.name, nosql_table::variables(it, &naming))),
        "container_registries": named(&document.container_registries, |it| {
            (&it.name, container_registry::variables(it, &naming))
        }),
        "secrets": named(&document.secrets, |it| (&it.name, secret::variables(it, &naming))),
    })
}

fn assume_role(access: &CloudAccess) -> Value {
    match access {
        CloudAccess::Sandbox | CloudAccess::Aws { role_arn: None, .. } => Value::Null,
        CloudAccess::Aws { role_arn: Some(role_arn), external_id } => {
            json!({ "role_arn": role_arn, "external_id": external_id })
        }
    }
}

fn named<T>(items: &[T], variables: impl Fn(&T) -> (&String, Value)) -> Value {
    let entries = items.iter().map(variables).map(|(name, value)| (name.clone(), value));
    Value::Object(entries.collect::<Map<_, _>>())
}
