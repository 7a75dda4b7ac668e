//! The public DNS zone with its certificate and firewall.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The public DNS zone of the environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    /// Whether anything of it is made.
    pub enabled: bool,
    /// Domain name of the environment.
    #[schemars(regex(pattern = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$"), length(max = 253))]
    pub domain: String,
    /// Whether the zone is made or exists already.
    pub zone: DnsZone,
    /// Id of the zone at the cloud; needed when it exists already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub zone_id: Option<String>,
    /// Certificate for the domain.
    pub certificate: Certificate,
    /// Web application firewall for the environment's load balancers.
    pub waf: Waf,
}

/// Where the zone comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DnsZone {
    /// Made with the environment.
    Create,
    /// There already; `zone_id` names it.
    Existing,
}

/// Certificate for the domain, proved through its zone and renewed by the cloud.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Whether a certificate is made.
    pub enabled: bool,
    /// Also for every name directly below the domain.
    pub wildcard: bool,
}

/// Web application firewall.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waf {
    /// Whether a firewall is made.
    pub enabled: bool,
    /// Block what matches, or only count it.
    pub mode: WafMode,
    /// Requests one address may make in five minutes.
    #[schemars(range(min = 100, max = 2_000_000_000))]
    pub rate_limit: u32,
    /// What only AWS has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<WafAws>,
}

/// What the firewall does with a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WafMode {
    /// Refuse the request.
    Block,
    /// Let it through and count it.
    Count,
}

/// What a firewall has on AWS alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WafAws {
    /// ARNs of load balancers, API stages or user pools that it protects, beside those of the cluster.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub attach_to: Vec<String>,
}

impl Dns {
    pub(crate) fn check(&self, _: &mut crate::spec::Checker<'_>) {}
}
