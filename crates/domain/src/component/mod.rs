//! The eleven component kinds: one file each with what a document may say about it.
//!
//! The structs are the *resolved* shape: every field that the stage defaults fill is present. A document as a person
//! writes it may leave those out; `spec::defaults` knows which. A field that only one cloud has lives in the struct
//! named after that cloud.

mod cache;
mod cluster;
mod container_registry;
mod database;
mod dns;
mod kind;
mod label;
mod network;
mod node_group;
mod nosql_table;
mod queue;
mod repositories;
mod secret;
mod time;
mod topic;

pub use cache::{Cache, CacheAws, CacheEngine};
pub use cluster::{Admin, AdminPolicy, Cluster, ClusterAws, ClusterLog, Endpoint};
pub use container_registry::{ContainerRegistry, ContainerRegistryAws};
pub use database::{Backups, Database, DatabaseAws, DatabaseCapacity, DatabaseEngine};
pub use dns::{Certificate, Dns, DnsZone, Waf, WafAws, WafMode};
pub use kind::{ComponentKind, ComponentRef, ParseComponentRefError};
pub use network::{Nat, Network, NetworkAws, VpcEndpoint};
pub use node_group::{Architecture, CapacityType, NodeCount, NodeGroup, Taint, TaintEffect};
pub use nosql_table::{
    AttributeType, CapacityMode, IndexKey, Key, NosqlTable, NosqlTableAws, ProvisionedCapacity,
    SecondaryIndex, TableClass,
};
pub use queue::{DeadLetter, Queue, QueueAws};
pub use repositories::{Repositories, Repository};
pub use secret::{Generate, Secret, SecretAws};
pub use topic::{Protocol, Subscription, Topic, TopicAws};

/// Pattern of an IPv4 range: what it lets through always parses.
pub(crate) const IPV4_RANGE: &str =
    r"^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)/(3[0-2]|[12]?\d)$";
