//! The Kubernetes cluster: version, API endpoint, who may enter, node groups.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::IPV4_RANGE;
use crate::quantity::{Size, Span};

/// The Kubernetes cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Whether the cluster is made at all.
    pub enabled: bool,
    /// Kubernetes version, major and minor.
    #[schemars(regex(pattern = r"^1\.\d{2}$"))]
    pub version: String,
    /// Where the Kubernetes API can be reached.
    pub endpoint: Endpoint,
    /// IPv4 range of Kubernetes services; it may not touch the network's range.
    #[schemars(with = "String", regex(pattern = IPV4_RANGE))]
    pub service_cidr: Ipv4Net,
    /// Who may administer or read the cluster, beside the Runner.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub admins: Vec<Admin>,
    /// Pools of nodes that the cluster always has.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub node_groups: Vec<NodeGroup>,
    /// Which control plane logs are written.
    pub logs: Vec<ClusterLog>,
    /// How long control plane logs are kept.
    pub log_retention: Span,
    /// Refuse to delete the cluster.
    pub deletion_protection: bool,
    /// What only AWS has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<ClusterAws>,
}

/// Where the Kubernetes API can be reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Reachable from the internet, by the ranges below.
    pub public: bool,
    /// IPv4 ranges that may reach a public endpoint.
    #[serde(default)]
    #[schemars(with = "Vec<String>", length(max = 40), inner(regex(pattern = IPV4_RANGE)))]
    pub allowed_cidrs: Vec<Ipv4Net>,
}

/// Someone who may enter the cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Who: on AWS the ARN of an IAM role or user.
    #[schemars(length(min = 1, max = 2048))]
    pub principal: String,
    /// What they may do.
    pub policy: AdminPolicy,
    /// Namespaces the policy is limited to; none means the whole cluster.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub namespaces: Vec<String>,
}

/// What someone may do in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdminPolicy {
    /// Everything, roles and permissions included.
    ClusterAdmin,
    /// Everything but cluster-wide settings.
    Admin,
    /// Change workloads.
    Edit,
    /// Look.
    View,
}

/// A pool of equal nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeGroup {
    /// Name, unique in the cluster.
    #[schemars(regex(pattern = "^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$"))]
    pub name: String,
    /// Virtual CPUs of a node. Alternative to `instance_types`, together with `memory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 192))]
    pub vcpus: Option<u16>,
    /// Memory of a node. Alternative to `instance_types`, together with `vcpus`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Size>,
    /// Machine types by the cloud's own names. Alternative to `vcpus` and `memory`.
    #[serde(default)]
    #[schemars(length(max = 10))]
    pub instance_types: Vec<String>,
    /// Processor architecture.
    pub architecture: Architecture,
    /// Whether the cloud may take nodes back.
    pub capacity: CapacityType,
    /// How many nodes.
    pub nodes: NodeCount,
    /// Root disk of a node.
    pub disk: Size,
    /// Kubernetes labels of its nodes.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub labels: BTreeMap<String, String>,
    /// Kubernetes taints of its nodes.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub taints: Vec<Taint>,
}

/// Processor architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// 64-bit x86.
    #[serde(rename = "x86_64")]
    X86_64,
    /// 64-bit ARM.
    Arm64,
}

/// Whether the cloud may take nodes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CapacityType {
    /// Kept until released.
    OnDemand,
    /// Cheaper, and taken back at short notice.
    Spot,
}

/// How many nodes a group has; min <= desired <= max.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeCount {
    /// Never fewer.
    #[schemars(range(min = 0, max = 450))]
    pub min: u16,
    /// At the start.
    #[schemars(range(min = 0, max = 450))]
    pub desired: u16,
    /// Never more.
    #[schemars(range(min = 1, max = 450))]
    pub max: u16,
}

/// Keeps workloads off a node unless they tolerate it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Taint {
    /// Key.
    #[schemars(length(min = 1, max = 63))]
    pub key: String,
    /// Value.
    #[serde(default)]
    #[schemars(length(max = 63))]
    pub value: String,
    /// What happens to workloads that do not tolerate it.
    pub effect: TaintEffect,
}

/// What a taint does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaintEffect {
    /// New pods stay away.
    NoSchedule,
    /// New pods stay away where possible.
    PreferNoSchedule,
    /// Running pods leave too.
    NoExecute,
}

/// A kind of control plane log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClusterLog {
    /// Requests to the API server.
    Api,
    /// Who did what.
    Audit,
    /// Who signed in.
    Authenticator,
    /// Controllers.
    ControllerManager,
    /// Scheduler.
    Scheduler,
}

/// What a cluster has on AWS alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterAws {
    /// EKS Auto Mode: AWS runs nodes, load balancers and disks; node groups are then optional.
    pub auto_mode: bool,
    /// Extended support after a version's standard support has ended, at extra cost.
    pub extended_support: bool,
}

impl Cluster {
    pub(crate) fn check(&self, _: &mut crate::spec::Checker<'_>) {}
}
