//! The kinds by name, and a reference to one component of a Spec.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a component is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ComponentKind {
    /// The private network everything else lives in.
    Network,
    /// The Kubernetes cluster.
    Cluster,
    /// The public zone, its certificate and firewall.
    Dns,
    /// The Git repositories that are deployed from.
    Repositories,
    /// A relational database.
    Database,
    /// An in-memory cache.
    Cache,
    /// A message queue.
    Queue,
    /// A publish and subscribe topic.
    Topic,
    /// A key-value table.
    NosqlTable,
    /// A registry for container images.
    ContainerRegistry,
    /// A secret value.
    Secret,
}

impl ComponentKind {
    /// Every kind, in the order in which documents and tables show them.
    pub const ALL: [Self; 11] = [
        Self::Network,
        Self::Cluster,
        Self::Dns,
        Self::Repositories,
        Self::Database,
        Self::Cache,
        Self::Queue,
        Self::Topic,
        Self::NosqlTable,
        Self::ContainerRegistry,
        Self::Secret,
    ];

    /// The word for one: also the name of its Terraform module.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Cluster => "cluster",
            Self::Dns => "dns",
            Self::Repositories => "repositories",
            Self::Database => "database",
            Self::Cache => "cache",
            Self::Queue => "queue",
            Self::Topic => "topic",
            Self::NosqlTable => "nosql_table",
            Self::ContainerRegistry => "container_registry",
            Self::Secret => "secret",
        }
    }

    /// The key of its section in a document: the plural for kinds that may occur more than once.
    pub const fn section(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Cluster => "cluster",
            Self::Dns => "dns",
            Self::Repositories => "repositories",
            Self::Database => "databases",
            Self::Cache => "caches",
            Self::Queue => "queues",
            Self::Topic => "topics",
            Self::NosqlTable => "nosql_tables",
            Self::ContainerRegistry => "container_registries",
            Self::Secret => "secrets",
        }
    }

    /// Whether a Spec has at most one of it.
    pub const fn is_singleton(self) -> bool {
        match self {
            Self::Network | Self::Cluster | Self::Dns | Self::Repositories => true,
            Self::Database
            | Self::Cache
            | Self::Queue
            | Self::Topic
            | Self::NosqlTable
            | Self::ContainerRegistry
            | Self::Secret => false,
        }
    }

    /// Whether it holds data that is gone when it is destroyed or replaced.
    pub const fn is_stateful(self) -> bool {
        match self {
            Self::Cluster
            | Self::Database
            | Self::Cache
            | Self::Queue
            | Self::NosqlTable
            | Self::ContainerRegistry
            | Self::Secret
            | Self::Dns => true,
            Self::Network | Self::Repositories | Self::Topic => false,
        }
    }
}

impl fmt::Display for ComponentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One component of a Spec. Prints as `cluster` or `database.orders`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ComponentRef {
    /// What it is.
    pub kind: ComponentKind,
    /// Its name in the document; a singleton is named as its kind.
    pub name: String,
}

/// A text that names no component.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no component; write a kind such as cluster, or a kind and a name such as database.orders"
)]
pub struct ParseComponentRefError(String);

impl ComponentRef {
    /// The only component of a singleton kind.
    pub fn singleton(kind: ComponentKind) -> Self {
        Self { kind, name: kind.as_str().to_owned() }
    }

    /// A component that has a name of its own.
    pub fn named(kind: ComponentKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl fmt::Display for ComponentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind.is_singleton() { self.kind.fmt(f) } else { write!(f, "{}.{}", self.kind, self.name) }
    }
}

impl FromStr for ComponentRef {
    type Err = ParseComponentRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, name) = text.split_once('.').unwrap_or((text, ""));
        let kind = ComponentKind::ALL.into_iter().find(|candidate| candidate.as_str() == kind);
        match kind {
            Some(kind) if kind.is_singleton() && name.is_empty() => Ok(Self::singleton(kind)),
            Some(kind) if !kind.is_singleton() && !name.is_empty() => Ok(Self::named(kind, name)),
            Some(_) | None => Err(ParseComponentRefError(text.to_owned())),
        }
    }
}
