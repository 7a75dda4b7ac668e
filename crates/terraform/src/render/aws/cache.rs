//! The variables of the cache module.

use alethia_domain::{
    catalog::aws::cache_node_for,
    component::{Cache, CacheEngine},
    naming::{Naming, ResourceName},
};
use serde_json::{Value, json};

pub(super) fn variables(cache: &Cache, naming: &Naming) -> Value {
    let name = |kind: ResourceName| naming.resource(kind, Some(&cache.name));
    json!({
        "name": name(ResourceName::ReplicationGroup),
        "subnet_group": name(ResourceName::CacheSubnetGroup),
        "parameter_group": naming.resource(ResourceName::CacheParameterGroup, Some(&with_version(cache))),
        "security_group": naming.resource(ResourceName::SecurityGroup, Some(&format!("cache--{}", cache.name))),
        "key_alias": naming.resource(ResourceName::KmsAlias, Some(&format!("cache--{}", cache.name))),
        "users": users(cache, naming),
        "engine": match cache.engine {
            CacheEngine::Valkey => "valkey",
            CacheEngine::Redis => "redis",
        },
        "engine_version": cache.version,
        "family": family(cache),
        "node_type": node_type(cache),
        "nodes": cache.nodes,
        "multi_zone": cache.multi_zone,
        "snapshot_retention_days": cache.snapshot_retention.days(),
        "maintenance_window": cache.aws.as_ref().and_then(|aws| aws.maintenance_window.as_deref()),
    })
}

/// Who may sign in: one user with tokens of IAM, and for Redis the default user, shut out. `None` before Redis 7, which
/// knows no IAM.
fn users(cache: &Cache, naming: &Naming) -> Option<Value> {
    let modern = cache.engine == CacheEngine::Valkey || major(cache) >= 7;
    let default = match cache.engine {
        CacheEngine::Valkey => None,
        CacheEngine::Redis => {
            Some(naming.resource(ResourceName::CacheUser, Some(&format!("{}--default", cache.name))))
        }
    };
    modern.then(|| {
        json!({
            "group": naming.resource(ResourceName::CacheUserGroup, Some(&cache.name)),
            "application": naming.resource(ResourceName::CacheUser, Some(&cache.name)),
            "default": default,
        })
    })
}

/// Parameter groups belong to one version: at an upgrade the next one must stand beside the last.
fn with_version(cache: &Cache) -> String {
    format!("{}--{}", cache.name, cache.version)
}

fn family(cache: &Cache) -> String {
    match (cache.engine, major(cache)) {
        (CacheEngine::Valkey, major) => format!("valkey{major}"),
        (CacheEngine::Redis, 6) => "redis6.x".to_owned(),
        (CacheEngine::Redis, major) => format!("redis{major}"),
    }
}

fn major(cache: &Cache) -> u32 {
    cache.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default()
}

/// The node type asked for by name, or the cheapest with enough memory; AWS refuses what is in no catalog.
fn node_type(cache: &Cache) -> Option<&str> {
    let by_memory = || cache.memory.and_then(cache_node_for).map(|node| node.name);
    cache.node_type.as_deref().or_else(by_memory)
}
