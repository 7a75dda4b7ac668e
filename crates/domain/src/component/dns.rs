//! The public DNS zone with its certificate and firewall.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::{Checker, Finding, is_arn};

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
    pub(crate) fn check(&self, at: &mut Checker<'_>) {
        match (self.zone, &self.zone_id) {
            (DnsZone::Existing, None) => {
                let finding = Finding::new("zone_id", "`zone_id` is missing: which zone is it?");
                at.refuse(finding.hint("name the id of the zone, or write `zone: create`"));
            }
            (DnsZone::Create, Some(_)) => {
                let finding = Finding::new("zone_id", "a zone that is made has no id yet");
                at.refuse(finding.hint("write `zone: existing`, or remove it"));
            }
            (DnsZone::Existing, Some(id)) if !is_zone_id(id) => {
                let finding = Finding::new("zone_id", format!("{id:?} is no id of a Route 53 zone"));
                at.refuse(finding.allowed("an id such as Z0123456789ABCDEFGHIJ"));
            }
            (DnsZone::Create, None) | (DnsZone::Existing, Some(_)) => {}
        }
        if self.certificate.enabled && self.domain.len() > 64 {
            let finding = Finding::new("domain", format!("{:?} is too long for a certificate", self.domain));
            at.refuse(
                finding.allowed("at most 64 characters").hint("or write `enabled: false` under certificate"),
            );
        }
        self.waf.check(at);
    }
}

impl Waf {
    fn check(&self, at: &mut Checker<'_>) {
        let attach_to = self.aws.as_ref().map(|aws| aws.attach_to.as_slice()).unwrap_or_default();
        if !self.enabled && !attach_to.is_empty() {
            let finding = Finding::new("waf.aws.attach_to", "there is no firewall to attach");
            at.refuse(finding.hint("write `enabled: true` under waf, or remove it"));
        }
        at.no_repeats("waf.aws.attach_to", attach_to);
        for (index, arn) in attach_to.iter().enumerate() {
            if !is_protectable(arn) {
                let finding = Finding::new(
                    format!("waf.aws.attach_to[{index}]"),
                    format!("{arn:?} can't be protected"),
                );
                at.refuse(
                    finding.allowed(
                        "ARNs of application load balancers, API stages and user pools of the region",
                    ),
                );
            }
        }
    }
}

fn is_zone_id(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    (6..=32).contains(&text.len()) && text.starts_with('Z') && text.chars().all(allowed)
}

fn is_protectable(arn: &str) -> bool {
    is_arn(arn, "elasticloadbalancing", "loadbalancer/app/")
        || is_arn(arn, "apigateway", "/restapis/")
        || is_arn(arn, "cognito-idp", "userpool/")
}
