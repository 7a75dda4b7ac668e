//! What AWS offers: regions, Kubernetes versions, machine and cache node types, database engines.
//!
//! A list for checks and choices that work offline, as of the day below. Regions and versions that are not in it are
//! refused; a machine type may be newer than the list, and then its name alone says what it is. Prices are hourly, on demand, Linux, us-east-1, and serve comparison alone.

use chrono::NaiveDate;

mod database;
mod kubernetes;
mod machine;
mod region;

pub use database::{DatabaseVersion, cache_versions, database_version, database_versions};
pub use kubernetes::{KUBERNETES_DEFAULT, KubernetesVersion, kubernetes_versions};
pub use machine::{
    CacheNode, Machine, architecture_of, cache_node, cache_node_for, cache_nodes, machine, machines,
    machines_for, nearest_machine,
};
pub use region::{Region, region, regions};

/// The day on which the list was last checked; ends of support are judged by it, because nothing here reads a clock.
pub const AS_OF: NaiveDate = NaiveDate::from_ymd_opt(2026, 11, 24).expect("a day of the calendar");

/// Days that CloudWatch can keep a log group for.
pub const LOG_RETENTION_DAYS: [u64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
