//! The variables of the network module.

use alethia_domain::{
    component::{Nat, Network, VpcEndpoint},
    naming::{Naming, ResourceName},
    network::subnets,
};
use serde_json::{Value, json};

use super::retention;

pub(super) fn variables(network: &Network, naming: &Naming) -> Value {
    let subnets = subnets(network.cidr, network.availability_zones);
    let endpoints = network.aws.iter().flat_map(|aws| &aws.interface_endpoints);
    json!({
        "name": naming.resource(ResourceName::Vpc, None),
        "cidr": network.cidr,
        "private_subnets": subnets.private,
        "public_subnets": subnets.public,
        "database_subnets": subnets.database,
        "nat": nat(network.nat),
        "flow_logs": network.flow_logs.map(|kept| json!({
            "log_group": format!("/aws/vpc/{}", naming.resource(ResourceName::LogGroup, Some("flow-logs"))),
            "role": naming.resource(ResourceName::IamRole, Some("flow-logs")),
            "retention_days": retention::days(kept),
        })),
        "endpoint_security_group": naming.resource(ResourceName::SecurityGroup, Some("endpoints")),
        "interface_endpoints": endpoints.flat_map(|endpoint| services(*endpoint)).collect::<Vec<_>>(),
    })
}

const fn nat(nat: Nat) -> &'static str {
    match nat {
        Nat::None => "none",
        Nat::Single => "single",
        Nat::PerZone => "per_zone",
    }
}

/// The services behind an endpoint, as AWS names them.
const fn services(endpoint: VpcEndpoint) -> &'static [&'static str] {
    match endpoint {
        VpcEndpoint::Ecr => &["ecr.api", "ecr.dkr"],
        VpcEndpoint::Sts => &["sts"],
        VpcEndpoint::Secretsmanager => &["secretsmanager"],
        VpcEndpoint::Logs => &["logs"],
        VpcEndpoint::Sqs => &["sqs"],
        VpcEndpoint::Sns => &["sns"],
        VpcEndpoint::Kms => &["kms"],
    }
}
