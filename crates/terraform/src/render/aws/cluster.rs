//! The variables of the cluster module.

use alethia_domain::{
    access::CloudAccess,
    catalog::aws::{machines_for, nearest_machine},
    component::{
        Admin, AdminPolicy, Architecture, CapacityType, Cluster, ClusterLog, NodeGroup, Taint, TaintEffect,
    },
    naming::{Naming, ResourceName},
};
use serde_json::{Map, Value, json};

use super::retention;

pub(super) fn variables(cluster: &Cluster, own: &CloudAccess, naming: &Naming) -> Value {
    let name = naming.resource(ResourceName::EksCluster, None);
    let aws = cluster.aws.as_ref();
    json!({
        "name": name,
        "log_group": format!("/aws/eks/{name}/cluster"),
        "role": naming.resource(ResourceName::IamRole, Some("cluster")),
        "node_role": naming.resource(ResourceName::IamRole, Some("nodes")),
        "auto_node_role": naming.resource(ResourceName::IamRole, Some("auto-nodes")),
        "volume_role": naming.resource(ResourceName::IamRole, Some("volumes")),
        "key_alias": naming.resource(ResourceName::KmsAlias, Some("cluster")),
        "version": cluster.version,
        "support_type": if aws.is_some_and(|aws| aws.extended_support) { "EXTENDED" } else { "STANDARD" },
        "service_cidr": cluster.service_cidr,
        "public_endpoint": cluster.endpoint.public,
        "allowed_cidrs": cluster.endpoint.allowed_cidrs,
        "access": access(&cluster.admins, own),
        "logs": cluster.logs.iter().map(|log| log_name(*log)).collect::<Vec<_>>(),
        "log_retention_days": retention::days(cluster.log_retention),
        "deletion_protection": cluster.deletion_protection,
        "auto_mode": aws.is_some_and(|aws| aws.auto_mode),
        "node_groups": node_groups(&cluster.node_groups, naming),
    })
}

/// Who may do what, by principal: AWS keeps one entry for each, and makes that of the role that makes the cluster.
fn access(admins: &[Admin], own: &CloudAccess) -> Value {
    let entry =
        |admin: &Admin| json!({ "policy": policy_name(admin.policy), "namespaces": admin.namespaces });
    let others = admins.iter().filter(|admin| !is_own(&admin.principal, own));
    Value::Object(others.map(|admin| (admin.principal.clone(), entry(admin))).collect())
}

fn is_own(principal: &str, own: &CloudAccess) -> bool {
    match own {
        CloudAccess::Sandbox => false,
        CloudAccess::Aws { role_arn, .. } => role_arn.as_deref() == Some(principal),
    }
}

/// The access policies of EKS by their own names.
const fn policy_name(policy: AdminPolicy) -> &'static str {
    match policy {
        AdminPolicy::ClusterAdmin => "AmazonEKSClusterAdminPolicy",
        AdminPolicy::Admin => "AmazonEKSAdminPolicy",
        AdminPolicy::Edit => "AmazonEKSEditPolicy",
        AdminPolicy::View => "AmazonEKSViewPolicy",
    }
}

const fn log_name(log: ClusterLog) -> &'static str {
    match log {
        ClusterLog::Api => "api",
        ClusterLog::Audit => "audit",
        ClusterLog::Authenticator => "authenticator",
        ClusterLog::ControllerManager => "controllerManager",
        ClusterLog::Scheduler => "scheduler",
    }
}

fn node_groups(groups: &[NodeGroup], naming: &Naming) -> Value {
    let entries = groups.iter().map(|group| (group.name.clone(), node_group(group, naming)));
    Value::Object(entries.collect::<Map<_, _>>())
}

fn node_group(group: &NodeGroup, naming: &Naming) -> Value {
    let instance_types = instance_types(group);
    let ami_type = ami_type(group.architecture, instance_types.iter().any(|name| has_nvidia(name)));
    json!({
        "name": naming.resource(ResourceName::NodeGroup, Some(&group.name)),
        "launch_template": naming.resource(ResourceName::LaunchTemplate, Some(&group.name)),
        "instance_types": instance_types,
        "ami_type": ami_type,
        "capacity_type": match group.capacity {
            CapacityType::OnDemand => "ON_DEMAND",
            CapacityType::Spot => "SPOT",
        },
        "min": group.nodes.min,
        "desired": group.nodes.desired,
        "max": group.nodes.max,
        "disk_gib": group.disk.gibibytes(),
        "labels": group.labels,
        "taints": group.taints.iter().map(taint).collect::<Vec<_>>(),
    })
}

/// The machine types asked for by name, or those that have exactly the size, or the nearest that is larger.
///
/// Without a name on-demand groups take one type, so that all nodes are equal; spot groups take all that fit, so that
/// there is always one to be had.
fn instance_types(group: &NodeGroup) -> Vec<String> {
    let (Some(vcpus), Some(memory)) = (group.vcpus, group.memory) else {
        return group.instance_types.clone();
    };
    let fitting = machines_for(vcpus, memory, group.architecture);
    let taken = match group.capacity {
        CapacityType::OnDemand => 1,
        CapacityType::Spot => MOST_INSTANCE_TYPES,
    };
    let names: Vec<String> = fitting.iter().take(taken).map(|machine| machine.name.to_owned()).collect();
    if names.is_empty() {
        vec![nearest_machine(vcpus, memory, group.architecture).name.to_owned()]
    } else {
        names
    }
}

/// More than this EKS does not take for one group.
const MOST_INSTANCE_TYPES: usize = 20;

/// The image of the nodes: the one with drivers where there are graphics processors.
const fn ami_type(architecture: Architecture, nvidia: bool) -> &'static str {
    match (architecture, nvidia) {
        (Architecture::X86_64, false) => "AL2023_x86_64_STANDARD",
        (Architecture::X86_64, true) => "AL2023_x86_64_NVIDIA",
        (Architecture::Arm64, false) => "AL2023_ARM_64_STANDARD",
        (Architecture::Arm64, true) => "AL2023_ARM_64_NVIDIA",
    }
}

/// Whether a machine type has graphics processors of NVIDIA, by the rules of EC2's names; those of `g4ad` are AMD's.
fn has_nvidia(machine: &str) -> bool {
    let family = machine.split('.').next().unwrap_or_default();
    let letters = family.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default();
    matches!(letters, "g" | "gr" | "p") && family != "g4ad"
}

fn taint(taint: &Taint) -> Value {
    let effect = match taint.effect {
        TaintEffect::NoSchedule => "NO_SCHEDULE",
        TaintEffect::PreferNoSchedule => "PREFER_NO_SCHEDULE",
        TaintEffect::NoExecute => "NO_EXECUTE",
    };
    json!({ "key": taint.key, "value": taint.value, "effect": effect })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_with_graphics_processors_have_drivers() {
        for (machine, expected) in [
            ("g6.xlarge", "AL2023_x86_64_NVIDIA"),
            ("gr6.4xlarge", "AL2023_x86_64_NVIDIA"),
            ("p5.48xlarge", "AL2023_x86_64_NVIDIA"),
            ("g4ad.xlarge", "AL2023_x86_64_STANDARD"),
            ("m7g.large", "AL2023_x86_64_STANDARD"),
        ] {
            assert_eq!(ami_type(Architecture::X86_64, has_nvidia(machine)), expected, "{machine}");
        }
    }
}
