//! A pool of equal nodes: what machines, how many, who may be scheduled on them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::label;
use crate::{
    catalog::aws,
    quantity::Size,
    spec::{Checker, Finding, place},
};

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
    /// How many an apply asks for; an autoscaler may move the number between two applies.
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

impl NodeGroup {
    /// The path is that of the node group in its cluster.
    pub(super) fn check(&self, path: &str, at: &mut Checker<'_>) {
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
            let path = format!("{path}.taints[{index}]");
            label::check(&path, &taint.key, &taint.value, at);
            if self.taints[..index]
                .iter()
                .any(|other| (&other.key, other.effect) == (&taint.key, taint.effect))
            {
                at.refuse(Finding::new(path, "the same taint is there twice").hint("remove one of them"));
            }
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
