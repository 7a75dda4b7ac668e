//! The variables of the DNS module.

use alethia_domain::{
    component::{Dns, DnsZone, Waf, WafMode},
    naming::{Naming, ResourceName},
};
use serde_json::{Value, json};

pub(super) fn variables(dns: &Dns, naming: &Naming) -> Value {
    let existing_zone_id = match dns.zone {
        DnsZone::Create => None,
        DnsZone::Existing => dns.zone_id.as_deref(),
    };
    let certificate = dns.certificate.enabled.then(|| json!({ "wildcard": dns.certificate.wildcard }));
    json!({
        "domain": dns.domain,
        "create_zone": dns.zone == DnsZone::Create,
        "existing_zone_id": existing_zone_id,
        "certificate": certificate,
        "waf": dns.waf.enabled.then(|| waf(&dns.waf, naming)),
    })
}

fn waf(waf: &Waf, naming: &Naming) -> Value {
    let name = naming.resource(ResourceName::WafWebAcl, None);
    json!({
        "name": name,
        "log_group": format!("aws-waf-logs-{name}"),
        "block": waf.mode == WafMode::Block,
        "rate_limit": waf.rate_limit,
        "attach_to": waf.aws.iter().flat_map(|aws| &aws.attach_to).collect::<Vec<_>>(),
    })
}
