//! The Kubernetes cluster: version, API endpoint, who may enter, logs.

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    CapacityType, IPV4_RANGE, NodeGroup, label,
    network::{PRIVATE_RANGES, check_host_bits},
};
use crate::{
    catalog::aws,
    quantity::Span,
    spec::{Checker, Finding, is_arn, repeated},
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
            let offered = versions.iter().filter(|known| known.extended_until >= aws::AS_OF);
            let words: Vec<&str> = offered.map(|known| known.version).collect();
            let finding =
                Finding::new("version", format!("{:?} is no version that EKS offers", self.version));
            return at.refuse(finding.allowed(words.join(", ")));
        };
        if known.extended_until < aws::AS_OF {
            let message = format!("all support of {} ended on {}", known.version, known.extended_until);
            let hint = format!("take {}", aws::KUBERNETES_DEFAULT);
            return at.refuse(Finding::new("version", message).hint(hint));
        }
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
            let usual: Ipv4Net = "172.20.0.0/16".parse().expect("it is a range");
            let other = if overlap(network.cidr, usual) { "10.100.0.0/16" } else { "172.20.0.0/16" };
            let hint = format!("take a range outside of it, such as {other}");
            at.refuse(Finding::new("service_cidr", message).hint(hint));
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

fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other) || other.contains(&one)
}
