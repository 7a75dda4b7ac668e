//! The Kubernetes cluster: version, API endpoint, who may enter, node groups.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    IPV4_RANGE, label,
    network::{PRIVATE_RANGES, check_host_bits},
};
use crate::{
    catalog::aws,
    quantity::{Size, Span},
    spec::{Checker, Finding, is_arn, place, repeated},
    stage::Stage,
};

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
    pub(crate) fn check(&self, at: &mut Checker<'_>) {
        at.needs_network("a cluster");
        self.check_version(at);
        self.endpoint.check(at);
        self.check_service_range(at);
        for (index, admin) in self.admins.iter().enumerate() {
            admin.check(&format!("admins[{index}]"), at);
        }
        for (index, name) in repeated(self.admins.iter().map(|admin| admin.principal.as_str())) {
            let message = format!("{name:?} is there twice");
            at.refuse(Finding::new(format!("admins[{index}].principal"), message).hint("remove one of them"));
        }
        self.check_node_groups(at);
        self.check_logs(at);
    }

    fn auto_mode(&self) -> bool {
        self.aws.as_ref().is_some_and(|aws| aws.auto_mode)
    }

    fn check_version(&self, at: &mut Checker<'_>) {
        let versions = aws::kubernetes_versions();
        let Some(known) = versions.iter().find(|known| known.version == self.version) else {
            let words: Vec<&str> = versions.iter().map(|known| known.version).collect();
            let finding =
                Finding::new("version", format!("{:?} is no version that EKS offers", self.version));
            return at.refuse(finding.allowed(words.join(", ")));
        };
        let extended = self.aws.as_ref().is_some_and(|aws| aws.extended_support);
        if known.standard_until < aws::AS_OF && !extended {
            let message =
                format!("the standard support of {} ended on {}", known.version, known.standard_until);
            let hint = format!(
                "take {}, or write `extended_support: true` under aws and pay for it",
                aws::KUBERNETES_DEFAULT
            );
            at.refuse(Finding::new("version", message).hint(hint));
        }
    }

    fn check_service_range(&self, at: &mut Checker<'_>) {
        let range = self.service_cidr;
        let private = &PRIVATE_RANGES[..3];
        if !private.iter().any(|private| private.contains(&range)) {
            let allowed = "a part of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16";
            at.refuse(Finding::new("service_cidr", format!("{range} is not private")).allowed(allowed));
        }
        if !(12..=24).contains(&range.prefix_len()) {
            at.refuse(
                Finding::new("service_cidr", format!("{range} has the wrong size")).allowed("/12 to /24"),
            );
        }
        check_host_bits("service_cidr", range, at);
        let network = at.document().network.as_ref().filter(|network| network.enabled);
        if let Some(network) = network.filter(|network| overlap(network.cidr, range)) {
            let message = format!("{range} overlaps with the network's {}", network.cidr);
            at.refuse(
                Finding::new("service_cidr", message)
                    .hint("take a range outside of it, such as 172.20.0.0/16"),
            );
        }
    }

    fn check_node_groups(&self, at: &mut Checker<'_>) {
        for (index, group) in self.node_groups.iter().enumerate() {
            group.check(&format!("node_groups[{index}]"), at);
        }
        for (index, name) in repeated(self.node_groups.iter().map(|group| group.name.as_str())) {
            let message = format!("{name:?} is taken: another node group has it");
            at.refuse(Finding::new(format!("node_groups[{index}].name"), message));
        }
        if self.auto_mode() {
            return;
        }
        if self.node_groups.is_empty() {
            let finding = Finding::new("node_groups", "a cluster without nodes runs nothing");
            return at.refuse(finding.hint("add a node group, or write `auto_mode: true` under aws"));
        }
        let lasting = self.node_groups.iter().filter(|group| group.capacity == CapacityType::OnDemand);
        if at.document().stage == Stage::Production && lasting.map(|group| group.nodes.min).sum::<u16>() < 2 {
            let message = "production needs at least two nodes that the cloud may not take back";
            let hint = "raise nodes.min of a group with `capacity: on_demand`";
            at.refuse(Finding::new("node_groups", message).hint(hint));
        }
    }

    fn check_logs(&self, at: &mut Checker<'_>) {
        at.log_retention("log_retention", self.log_retention);
        for (index, log) in self.logs.iter().enumerate() {
            if self.logs[..index].contains(log) {
                at.refuse(
                    Finding::new(format!("logs[{index}]"), "is there twice").hint("remove one of them"),
                );
            }
        }
    }
}

impl Endpoint {
    fn check(&self, at: &mut Checker<'_>) {
        if self.public && self.allowed_cidrs.is_empty() {
            let message = "a public endpoint has to say who may reach it";
            let finding = Finding::new("endpoint.allowed_cidrs", message);
            at.refuse(
                finding.hint("name your own ranges, such as [203.0.113.0/24], or write `public: false`"),
            );
        }
        if !self.public && !self.allowed_cidrs.is_empty() {
            let message = "ranges have no effect on an endpoint that is not public";
            at.refuse(
                Finding::new("endpoint.allowed_cidrs", message).hint("write `public: true`, or remove them"),
            );
        }
        for (index, range) in self.allowed_cidrs.iter().enumerate() {
            let path = format!("endpoint.allowed_cidrs[{index}]");
            check_host_bits(&path, *range, at);
            if PRIVATE_RANGES.iter().any(|private| private.contains(range)) {
                let finding =
                    Finding::new(&path, format!("{range} is private, and a public endpoint never sees it"));
                at.refuse(
                    finding
                        .allowed("public ranges")
                        .hint("private ranges reach the endpoint inside the network"),
                );
            }
            if range.prefix_len() == 0 && at.document().stage == Stage::Production {
                let finding = Finding::new(&path, format!("{range} opens production to everybody"));
                at.refuse(
                    finding.hint("name the ranges of your offices, VPN or Runners, or write `public: false`"),
                );
            }
        }
    }
}

impl Admin {
    fn check(&self, path: &str, at: &mut Checker<'_>) {
        let is_principal = is_arn(&self.principal, "iam", "role/") || is_arn(&self.principal, "iam", "user/");
        if !is_principal {
            let finding = Finding::new(
                format!("{path}.principal"),
                format!("{:?} is no IAM role or user", self.principal),
            );
            at.refuse(finding.allowed("an ARN such as arn:aws:iam::111122223333:role/name"));
        }
        for (index, namespace) in self.namespaces.iter().enumerate() {
            if !label::is_name(namespace) {
                let finding = Finding::new(
                    format!("{path}.namespaces[{index}]"),
                    format!("{namespace:?} is no namespace"),
                );
                at.refuse(finding.allowed("1 to 63 lower-case letters, digits and hyphens"));
            }
        }
        if self.policy == AdminPolicy::ClusterAdmin && !self.namespaces.is_empty() {
            let finding =
                Finding::new(format!("{path}.namespaces"), "cluster_admin is for the whole cluster");
            at.refuse(finding.hint("write `policy: admin`, or remove the namespaces"));
        }
    }
}

impl NodeGroup {
    fn check(&self, path: &str, at: &mut Checker<'_>) {
        if self.instance_types.is_empty() {
            self.check_size(path, at);
        } else {
            self.check_instance_types(path, at);
        }
        self.nodes.check(path, at);
        at.size(&format!("{path}.disk"), self.disk, "20GiB", "16TiB");
        for (key, value) in &self.labels {
            label::check(&place::field(&format!("{path}.labels"), key), key, value, at);
        }
        for (index, taint) in self.taints.iter().enumerate() {
            label::check(&format!("{path}.taints[{index}]"), &taint.key, &taint.value, at);
        }
    }

    fn check_size(&self, path: &str, at: &mut Checker<'_>) {
        let (Some(vcpus), Some(memory)) = (self.vcpus, self.memory) else {
            let finding = Finding::new(path, "a node group says vcpus and memory, or instance_types");
            return at.refuse(finding.hint("for example `vcpus: 2` and `memory: 8GiB`"));
        };
        if aws::machines_for(vcpus, memory, self.architecture).is_empty() {
            let architecture = self.architecture.as_str();
            let nearest = aws::nearest_machine(vcpus, memory, self.architecture);
            let message = format!("no {architecture} machine type has {vcpus} vCPUs and {memory}");
            let hint =
                format!("the nearest has {} vCPUs and {} ({})", nearest.vcpus, nearest.memory, nearest.name);
            at.refuse(Finding::new(format!("{path}.vcpus"), message).hint(hint));
        }
    }

    fn check_instance_types(&self, path: &str, at: &mut Checker<'_>) {
        if self.vcpus.is_some() || self.memory.is_some() {
            let message = "instance_types and vcpus with memory exclude each other";
            at.refuse(Finding::new(format!("{path}.instance_types"), message).hint("remove one of them"));
        }
        at.no_repeats(&format!("{path}.instance_types"), &self.instance_types);
        for (index, name) in self.instance_types.iter().enumerate() {
            let path = format!("{path}.instance_types[{index}]");
            match aws::architecture_of(name) {
                None => {
                    let known: Vec<&str> = aws::machines().iter().map(|machine| machine.name).collect();
                    at.refuse(Finding::unknown_name(path, name, "machine type", &known));
                }
                Some(architecture) if architecture != self.architecture => {
                    let (is, wanted) = (architecture.as_str(), self.architecture.as_str());
                    let finding = Finding::new(path, format!("{name} is {is}, the node group is {wanted}"));
                    at.refuse(finding.hint(format!(
                        "write `architecture: {is}`, or take machine types of one architecture"
                    )));
                }
                Some(_) => {}
            }
        }
    }
}

impl NodeCount {
    fn check(&self, path: &str, at: &mut Checker<'_>) {
        let Self { min, desired, max } = *self;
        if min > max {
            let finding =
                Finding::new(format!("{path}.nodes.min"), format!("{min} is more than the maximum of {max}"));
            at.refuse(finding.allowed(format!("0 to {max}")));
        } else if !(min..=max).contains(&desired) {
            let finding =
                Finding::new(format!("{path}.nodes.desired"), format!("{desired} is outside of its bounds"));
            at.refuse(finding.allowed(format!("{min} to {max}")));
        }
    }
}

impl Architecture {
    /// The word in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }
}

fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other) || other.contains(&one)
}
