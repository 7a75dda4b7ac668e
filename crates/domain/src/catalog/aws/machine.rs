//! Machine types of EC2 and node types of ElastiCache.

use crate::{component::Architecture, quantity::Size};

/// A machine type for nodes of a cluster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Machine {
    /// AWS's name of it.
    pub name: &'static str,
    /// Virtual CPUs.
    pub vcpus: u16,
    /// Memory.
    pub memory: Size,
    /// Processor architecture.
    pub architecture: Architecture,
    /// Graphics processors.
    pub gpus: u8,
    /// Whether it earns and spends CPU credits instead of always having its CPUs.
    pub burstable: bool,
    /// US dollars an hour, on demand, Linux, us-east-1.
    pub hourly: f64,
}

/// A node type for caches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CacheNode {
    /// AWS's name of it.
    pub name: &'static str,
    /// Memory for data.
    pub memory: Size,
    /// US dollars an hour with Redis, us-east-1; Valkey costs a fifth less.
    pub hourly: f64,
}

const X86: Architecture = Architecture::X86_64;
const ARM: Architecture = Architecture::Arm64;

const MACHINES: [Machine; 70] = [
    burstable("t4g.small", 2, 2, ARM, 0.0168),
    burstable("t4g.medium", 2, 4, ARM, 0.0336),
    burstable("t4g.large", 2, 8, ARM, 0.0672),
    burstable("t4g.xlarge", 4, 16, ARM, 0.1344),
    burstable("t4g.2xlarge", 8, 32, ARM, 0.2688),
    burstable("t3a.medium", 2, 4, X86, 0.0376),
    burstable("t3a.large", 2, 8, X86, 0.0752),
    burstable("t3a.xlarge", 4, 16, X86, 0.1504),
    burstable("t3.small", 2, 2, X86, 0.0208),
    burstable("t3.medium", 2, 4, X86, 0.0416),
    burstable("t3.large", 2, 8, X86, 0.0832),
    burstable("t3.xlarge", 4, 16, X86, 0.1664),
    burstable("t3.2xlarge", 8, 32, X86, 0.3328),
    steady("c7g.large", 2, 4, ARM, 0.0725),
    steady("c7g.xlarge", 4, 8, ARM, 0.145),
    steady("c7g.2xlarge", 8, 16, ARM, 0.29),
    steady("c7g.4xlarge", 16, 32, ARM, 0.58),
    steady("c7g.8xlarge", 32, 64, ARM, 1.16),
    steady("c7g.16xlarge", 64, 128, ARM, 2.32),
    steady("m7g.large", 2, 8, ARM, 0.0816),
    steady("m7g.xlarge", 4, 16, ARM, 0.1632),
    steady("m7g.2xlarge", 8, 32, ARM, 0.3264),
    steady("m7g.4xlarge", 16, 64, ARM, 0.6528),
    steady("m7g.8xlarge", 32, 128, ARM, 1.3056),
    steady("m7g.16xlarge", 64, 256, ARM, 2.6112),
    steady("r7g.large", 2, 16, ARM, 0.1071),
    steady("r7g.xlarge", 4, 32, ARM, 0.2142),
    steady("r7g.2xlarge", 8, 64, ARM, 0.4284),
    steady("r7g.4xlarge", 16, 128, ARM, 0.8568),
    steady("r7g.8xlarge", 32, 256, ARM, 1.7136),
    steady("r7g.16xlarge", 64, 512, ARM, 3.4272),
    steady("c5.large", 2, 4, X86, 0.085),
    steady("c5.xlarge", 4, 8, X86, 0.17),
    steady("c6i.large", 2, 4, X86, 0.085),
    steady("c6i.xlarge", 4, 8, X86, 0.17),
    steady("c6i.2xlarge", 8, 16, X86, 0.34),
    steady("c6i.4xlarge", 16, 32, X86, 0.68),
    steady("c7i.large", 2, 4, X86, 0.0893),
    steady("c7i.xlarge", 4, 8, X86, 0.1785),
    steady("c7i.2xlarge", 8, 16, X86, 0.357),
    steady("c7i.4xlarge", 16, 32, X86, 0.714),
    steady("c7i.8xlarge", 32, 64, X86, 1.428),
    steady("m5a.large", 2, 8, X86, 0.086),
    steady("m5a.xlarge", 4, 16, X86, 0.172),
    steady("m5a.2xlarge", 8, 32, X86, 0.344),
    steady("m5a.4xlarge", 16, 64, X86, 0.688),
    steady("m5.large", 2, 8, X86, 0.096),
    steady("m5.xlarge", 4, 16, X86, 0.192),
    steady("m6i.large", 2, 8, X86, 0.096),
    steady("m6i.xlarge", 4, 16, X86, 0.192),
    steady("m6i.2xlarge", 8, 32, X86, 0.384),
    steady("m6i.4xlarge", 16, 64, X86, 0.768),
    steady("m7i.large", 2, 8, X86, 0.1008),
    steady("m7i.xlarge", 4, 16, X86, 0.2016),
    steady("m7i.2xlarge", 8, 32, X86, 0.4032),
    steady("m7i.4xlarge", 16, 64, X86, 0.8064),
    steady("m7i.8xlarge", 32, 128, X86, 1.6128),
    steady("m7i.16xlarge", 64, 256, X86, 3.2256),
    steady("r5.large", 2, 16, X86, 0.126),
    steady("r5.xlarge", 4, 32, X86, 0.252),
    steady("r6i.large", 2, 16, X86, 0.126),
    steady("r6i.xlarge", 4, 32, X86, 0.252),
    steady("r7i.2xlarge", 8, 64, X86, 0.5292),
    steady("r7i.4xlarge", 16, 128, X86, 1.0584),
    steady("r7i.8xlarge", 32, 256, X86, 2.1168),
    gpu("g4dn.xlarge", 4, 16, 1, 0.526),
    gpu("g5.xlarge", 4, 16, 1, 1.006),
    gpu("g6.xlarge", 4, 16, 1, 0.8048),
    gpu("g6.2xlarge", 8, 32, 1, 0.9776),
    gpu("g6.12xlarge", 48, 192, 4, 4.6016),
];

const CACHE_NODES: [CacheNode; 18] = [
    cache("cache.t4g.micro", 512, 0.016),
    cache("cache.t4g.small", 1403, 0.032),
    cache("cache.t4g.medium", 3164, 0.065),
    cache("cache.t3.micro", 512, 0.017),
    cache("cache.t3.small", 1403, 0.034),
    cache("cache.t3.medium", 3164, 0.068),
    cache("cache.m7g.large", 6528, 0.158),
    cache("cache.m7g.xlarge", 13_230, 0.316),
    cache("cache.m7g.2xlarge", 26_624, 0.632),
    cache("cache.r7g.large", 13_383, 0.219),
    cache("cache.r7g.xlarge", 26_951, 0.437),
    cache("cache.r7g.2xlarge", 54_108, 0.874),
    cache("cache.r7g.4xlarge", 108_400, 1.749),
    cache("cache.r7g.8xlarge", 214_600, 3.498),
    cache("cache.r7g.12xlarge", 325_600, 5.247),
    cache("cache.r7g.16xlarge", 429_200, 6.981),
    cache("cache.r6g.large", 13_383, 0.206),
    cache("cache.r6g.xlarge", 26_951, 0.411),
];

const fn burstable(
    name: &'static str,
    vcpus: u16,
    gib: u64,
    architecture: Architecture,
    hourly: f64,
) -> Machine {
    Machine { burstable: true, ..steady(name, vcpus, gib, architecture, hourly) }
}

const fn steady(
    name: &'static str,
    vcpus: u16,
    gib: u64,
    architecture: Architecture,
    hourly: f64,
) -> Machine {
    let memory = Size::from_mebibytes(gib << 10);
    Machine { name, vcpus, memory, architecture, gpus: 0, burstable: false, hourly }
}

const fn gpu(name: &'static str, vcpus: u16, gib: u64, gpus: u8, hourly: f64) -> Machine {
    Machine { gpus, ..steady(name, vcpus, gib, X86, hourly) }
}

const fn cache(name: &'static str, mebibytes: u64, hourly: f64) -> CacheNode {
    CacheNode { name, memory: Size::from_mebibytes(mebibytes), hourly }
}

/// Every machine type in the catalog.
pub fn machines() -> &'static [Machine] {
    &MACHINES
}

/// The machine type of that name.
pub fn machine(name: &str) -> Option<&'static Machine> {
    MACHINES.iter().find(|machine| machine.name == name)
}

/// The architecture of a machine type, by the catalog or by the rules of EC2's names: `m8g.large` is ARM, because a `g`
/// follows the generation. None for what is no such name.
pub fn architecture_of(name: &str) -> Option<Architecture> {
    if let Some(known) = machine(name) {
        return Some(known.architecture);
    }
    let (family, size) = name.split_once('.')?;
    let is_word = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let generation = family.find(|c: char| c.is_ascii_digit())?;
    if generation == 0 || !is_word(family) || !is_word(size) {
        return None;
    }
    let traits = family[generation..].trim_start_matches(|c: char| c.is_ascii_digit());
    Some(if family == "a1" || traits.starts_with('g') { ARM } else { X86 })
}

/// Machine types without graphics processors that have exactly that size, cheapest first.
pub fn machines_for(vcpus: u16, memory: Size, architecture: Architecture) -> Vec<&'static Machine> {
    let mut fitting: Vec<_> =
        plain(architecture).filter(|machine| machine.vcpus == vcpus && machine.memory == memory).collect();
    fitting.sort_by(|one, other| one.hourly.total_cmp(&other.hourly));
    fitting
}

/// The cheapest machine type that is at least that large; the largest where none is.
pub fn nearest_machine(vcpus: u16, memory: Size, architecture: Architecture) -> &'static Machine {
    let by_price = |one: &&Machine, other: &&Machine| one.hourly.total_cmp(&other.hourly);
    plain(architecture)
        .filter(|machine| machine.vcpus >= vcpus && machine.memory >= memory)
        .min_by(by_price)
        .or_else(|| plain(architecture).max_by(by_price))
        .expect("the catalog has machines of each architecture")
}

/// Every cache node type in the catalog.
pub fn cache_nodes() -> &'static [CacheNode] {
    &CACHE_NODES
}

/// The cache node type of that name.
pub fn cache_node(name: &str) -> Option<&'static CacheNode> {
    CACHE_NODES.iter().find(|node| node.name == name)
}

/// The cheapest cache node type with at least that much memory.
pub fn cache_node_for(memory: Size) -> Option<&'static CacheNode> {
    let large_enough = CACHE_NODES.iter().filter(|node| node.memory >= memory);
    large_enough.min_by(|one, other| one.hourly.total_cmp(&other.hourly))
}

fn plain(architecture: Architecture) -> impl Iterator<Item = &'static Machine> {
    MACHINES.iter().filter(move |machine| machine.architecture == architecture && machine.gpus == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gib(count: u64) -> Size {
        Size::from_mebibytes(count << 10)
    }

    #[test]
    fn machines_are_found_by_size_cheapest_first() {
        let names = |found: Vec<&Machine>| found.iter().map(|machine| machine.name).collect::<Vec<_>>();
        assert_eq!(names(machines_for(4, gib(16), ARM)), ["t4g.xlarge", "m7g.xlarge"]);
        assert!(machines_for(3, gib(7), X86).is_empty());
        assert_eq!(nearest_machine(3, gib(7), X86).name, "t3a.xlarge");
        assert_eq!(nearest_machine(500, gib(7), ARM).name, "r7g.16xlarge");
    }

    #[test]
    fn caches_get_the_cheapest_node_that_is_large_enough() {
        assert_eq!(cache_node_for(gib(1)).unwrap().name, "cache.t4g.small");
        assert_eq!(cache_node_for(gib(12)).unwrap().name, "cache.r6g.large");
        assert_eq!(cache_node_for(gib(4096)), None);
    }

    #[test]
    fn names_that_are_not_in_the_catalog_say_their_architecture() {
        for name in ["m8g.large", "c7gn.xlarge", "a1.medium", "g5g.xlarge", "x2gd.medium"] {
            assert_eq!(architecture_of(name), Some(ARM), "{name}");
        }
        for name in ["m8i.large", "p5.48xlarge", "g6e.xlarge", "c7a.metal-48xl", "t3.medium"] {
            assert_eq!(architecture_of(name), Some(X86), "{name}");
        }
        for name in ["", "large", "m5", "m5.", ".large", "M5.large", "cache.t3.micro"] {
            assert_eq!(architecture_of(name), None, "{name}");
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = MACHINES.iter().map(|machine| machine.name).collect();
        names.extend(CACHE_NODES.iter().map(|node| node.name));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
