//! The shape of a resolved document: what a Runner works from and a job freezes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    component::{
        Cache, Cluster, ComponentKind, ComponentRef, ContainerRegistry, Database, Dns, Network, NosqlTable,
        Queue, Repositories, Secret, Topic,
    },
    stage::Stage,
};

/// The version of the document's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The first.
    #[serde(rename = "alethia/v1")]
    V1,
}

/// What the document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SpecKind {
    /// A Spec.
    Spec,
}

/// One environment with every default filled in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Version of the document's shape.
    #[serde(rename = "apiVersion")]
    pub api_version: ApiVersion,
    /// Always `Spec`.
    pub kind: SpecKind,
    /// Zone the Spec belongs to.
    #[schemars(regex(pattern = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"))]
    pub zone: String,
    /// Name, unique in its Zone.
    #[schemars(regex(pattern = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"))]
    pub name: String,
    /// Environment it targets.
    pub stage: Stage,
    /// Where it runs.
    pub cloud: Cloud,
    /// The private network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// The Kubernetes cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Cluster>,
    /// The public DNS zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<Dns>,
    /// The Git repositories it is deployed from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repositories: Option<Repositories>,
    /// Relational databases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub databases: Vec<Database>,
    /// In-memory caches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub caches: Vec<Cache>,
    /// Message queues.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub queues: Vec<Queue>,
    /// Topics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub topics: Vec<Topic>,
    /// Key-value tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub nosql_tables: Vec<NosqlTable>,
    /// Registries for container images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub container_registries: Vec<ContainerRegistry>,
    /// Secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    pub secrets: Vec<Secret>,
}

/// Where a Spec runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cloud {
    /// Which cloud.
    pub provider: Provider,
    /// Region, by the cloud's own name.
    #[schemars(length(min = 1, max = 40))]
    pub region: String,
    /// Name of the Cloud Identity that is used; `sandbox` is the simulated cloud.
    #[schemars(regex(pattern = "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"))]
    pub identity: String,
}

/// A cloud that Specs can run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Amazon Web Services.
    Aws,
}

impl Provider {
    /// The word in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
        }
    }
}

impl Document {
    /// The components that the document asks for, in the order of the kinds and then of the document.
    pub fn components(&self) -> Vec<ComponentRef> {
        ComponentKind::ALL.into_iter().flat_map(|kind| self.components_of(kind)).collect()
    }

    /// Those of one kind.
    pub fn components_of(&self, kind: ComponentKind) -> Vec<ComponentRef> {
        let singleton = |enabled: Option<bool>| {
            enabled.filter(|enabled| *enabled).map(|_| ComponentRef::singleton(kind)).into_iter().collect()
        };
        match kind {
            ComponentKind::Network => singleton(self.network.as_ref().map(|network| network.enabled)),
            ComponentKind::Cluster => singleton(self.cluster.as_ref().map(|cluster| cluster.enabled)),
            ComponentKind::Dns => singleton(self.dns.as_ref().map(|dns| dns.enabled)),
            ComponentKind::Repositories => {
                singleton(self.repositories.as_ref().map(|repositories| repositories.enabled))
            }
            ComponentKind::Database => named(kind, &self.databases, |database| &database.name),
            ComponentKind::Cache => named(kind, &self.caches, |cache| &cache.name),
            ComponentKind::Queue => named(kind, &self.queues, |queue| &queue.name),
            ComponentKind::Topic => named(kind, &self.topics, |topic| &topic.name),
            ComponentKind::NosqlTable => named(kind, &self.nosql_tables, |table| &table.name),
            ComponentKind::ContainerRegistry => {
                named(kind, &self.container_registries, |registry| &registry.name)
            }
            ComponentKind::Secret => named(kind, &self.secrets, |secret| &secret.name),
        }
    }
}

fn named<T>(kind: ComponentKind, items: &[T], name: impl Fn(&T) -> &String) -> Vec<ComponentRef> {
    items.iter().map(|item| ComponentRef::named(kind, name(item))).collect()
}
