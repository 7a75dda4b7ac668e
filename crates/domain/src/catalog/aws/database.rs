//! Engine versions of Aurora, and of ElastiCache by their own numbers.

use crate::component::{CacheEngine, DatabaseEngine};

/// A version of a database engine, as documents write it and as Aurora calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseVersion {
    /// Which engine.
    pub engine: DatabaseEngine,
    /// As documents write it.
    pub version: &'static str,
    /// As Aurora writes it; minor versions follow by themselves.
    pub aurora: &'static str,
    /// Family of its parameter groups.
    pub family: &'static str,
}

const VERSIONS: [DatabaseVersion; 5] = [
    postgresql("14", "14.15", "aurora-postgresql14"),
    postgresql("15", "15.10", "aurora-postgresql15"),
    postgresql("16", "16.6", "aurora-postgresql16"),
    postgresql("17", "17.4", "aurora-postgresql17"),
    DatabaseVersion {
        engine: DatabaseEngine::MySql,
        version: "8.0",
        aurora: "8.0.mysql_aurora.3.08.2",
        family: "aurora-mysql8.0",
    },
];

const fn postgresql(version: &'static str, aurora: &'static str, family: &'static str) -> DatabaseVersion {
    DatabaseVersion { engine: DatabaseEngine::PostgreSql, version, aurora, family }
}

/// The versions of an engine, oldest first.
pub fn database_versions(engine: DatabaseEngine) -> Vec<&'static DatabaseVersion> {
    VERSIONS.iter().filter(|known| known.engine == engine).collect()
}

/// A version of an engine by the name documents use.
pub fn database_version(engine: DatabaseEngine, version: &str) -> Option<&'static DatabaseVersion> {
    VERSIONS.iter().find(|known| known.engine == engine && known.version == version)
}

/// The versions of a cache engine, oldest first.
pub const fn cache_versions(engine: CacheEngine) -> &'static [&'static str] {
    match engine {
        CacheEngine::Valkey => &["7.2", "8.0", "8.1"],
        CacheEngine::Redis => &["6.2", "7.0", "7.1"],
    }
}
