//! What AWS offers: regions, Kubernetes versions, machine and cache node types, database engines.
//!
//! A list for checks and choices that work offline. It is as of November 2026 and on the cautious side: what is not in
//! it is refused with the nearest that is. Prices are hourly, on demand, Linux, us-east-1, and serve comparison alone.

mod database;
mod kubernetes;
mod machine;
mod region;

pub use database::{DatabaseVersion, cache_versions, database_version, database_versions};
pub use kubernetes::{KUBERNETES_DEFAULT, KubernetesVersion, kubernetes_versions};
pub use machine::{
    CacheNode, Machine, cache_node, cache_node_for, cache_nodes, machine, machines, machines_for,
    nearest_machine,
};
pub use region::{Region, region, regions};
