//! The private network: address range, zones, way out.

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::IPV4_RANGE;
use crate::quantity::Span;

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
    pub(crate) fn check(&self, _: &mut crate::spec::Checker<'_>) {}
}
