//! The private network: address range, zones, way out.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::IPV4_RANGE;
use crate::{
    network,
    quantity::Span,
    spec::{Checker, Finding},
};

/// The private network that the cluster, databases and caches live in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Whether the network is made at all.
    pub enabled: bool,
    /// Private IPv4 range of the network, from /16 to /20.
    #[schemars(with = "String", regex(pattern = IPV4_RANGE))]
    pub cidr: Ipv4Net,
    /// Over how many availability zones it spreads.
    #[schemars(range(min = 2, max = 3))]
    pub availability_zones: u8,
    /// How private subnets reach the internet.
    pub nat: Nat,
    /// How long flow logs are kept; absent means that none are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow_logs: Option<Span>,
    /// What only AWS has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<NetworkAws>,
}

/// The way from private subnets to the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nat {
    /// No way out.
    None,
    /// One gateway for all zones: cheap, and gone with its zone.
    Single,
    /// One gateway in each zone.
    PerZone,
}

/// What a network has on AWS alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkAws {
    /// Interface endpoints that keep traffic to AWS services inside the network.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub interface_endpoints: Vec<VpcEndpoint>,
}

/// An AWS service that can be reached through an interface endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VpcEndpoint {
    /// Image registry: API and image layers.
    Ecr,
    /// Tokens for roles.
    Sts,
    /// Secret values.
    Secretsmanager,
    /// Log groups.
    Logs,
    /// Queues.
    Sqs,
    /// Topics.
    Sns,
    /// Keys.
    Kms,
}

impl Network {
    pub(crate) fn check(&self, at: &mut Checker<'_>) {
        check_private_range("cidr", self.cidr, at);
        let prefixes = network::LARGEST_PREFIX..=network::SMALLEST_PREFIX;
        if !prefixes.contains(&self.cidr.prefix_len()) {
            let hint = "the subnets of three zones and their pods have to fit in";
            at.refuse(
                Finding::new("cidr", format!("{} has the wrong size", self.cidr))
                    .allowed("/16 to /20")
                    .hint(hint),
            );
        }
        if let Some(region) = at.region().filter(|region| region.zones < self.availability_zones) {
            let message = format!("{} has only {} zones for new accounts", region.code, region.zones);
            at.refuse(Finding::new("availability_zones", message).allowed(region.zones.to_string()));
        }
        if let Some(retention) = self.flow_logs {
            at.log_retention("flow_logs", retention);
        }
        let endpoints = self.aws.as_ref().map(|aws| aws.interface_endpoints.as_slice()).unwrap_or_default();
        for (index, endpoint) in endpoints.iter().enumerate() {
            if endpoints[..index].contains(endpoint) {
                let finding = Finding::new(format!("aws.interface_endpoints[{index}]"), "is there twice");
                at.refuse(finding.hint("remove one of them"));
            }
        }
        if self.nat == Nat::None && at.document().cluster.as_ref().is_some_and(|cluster| cluster.enabled) {
            let message = "none leaves the nodes of the cluster without a way to the internet";
            at.refuse(Finding::new("nat", message).allowed("single, per_zone"));
        }
    }
}

/// Refuses a range that is not private, or that has bits beyond its prefix.
pub(super) fn check_private_range(path: &str, range: Ipv4Net, at: &mut Checker<'_>) {
    if !PRIVATE_RANGES.iter().any(|private| private.contains(&range)) {
        let allowed = "a part of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10";
        at.refuse(Finding::new(path, format!("{range} is not private")).allowed(allowed));
    }
    check_host_bits(path, range, at);
}

/// Refuses a range that has bits beyond its prefix.
pub(super) fn check_host_bits(path: &str, range: Ipv4Net, at: &mut Checker<'_>) {
    if range != range.trunc() {
        let message = format!("{range} has bits set beyond its prefix");
        at.refuse(Finding::new(path, message).hint(format!("write {}", range.trunc())));
    }
}

/// RFC 1918, and the shared address space of RFC 6598.
pub(super) const PRIVATE_RANGES: [Ipv4Net; 4] = [
    Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10),
];
