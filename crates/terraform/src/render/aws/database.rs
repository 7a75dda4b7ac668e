//! The variables of the database module.

use alethia_domain::{
    catalog::aws::database_version,
    component::{Database, DatabaseEngine},
    naming::{Naming, ResourceName},
};
use serde_json::{Value, json};

pub(super) fn variables(database: &Database, naming: &Naming) -> Value {
    let name = |kind: ResourceName| naming.resource(kind, Some(&database.name));
    let aws = database.aws.as_ref();
    json!({
        "name": name(ResourceName::RdsCluster),
        "instances": instances(database, naming),
        "subnet_group": name(ResourceName::DbSubnetGroup),
        "parameter_group": name(ResourceName::DbParameterGroup),
        "security_group": name(ResourceName::SecurityGroup),
        "final_snapshot": name(ResourceName::DbFinalSnapshot),
        "key_alias": naming.resource(ResourceName::KmsAlias, Some(&format!("database--{}", database.name))),
        "engine": engine(database.engine),
        "engine_version": database.version,
        "family": family(database),
        "parameters": parameters(database.engine),
        "log_exports": log_exports(database.engine),
        "database_name": database.database_name,
        "username": database.username,
        "port": database.port,
        "min_capacity": database.capacity.min,
        "max_capacity": database.capacity.max,
        "auto_pause_seconds": aws.and_then(|aws| aws.auto_pause).map(|pause| pause.seconds()),
        "backup_retention_days": database.backups.retention.days(),
        "backup_window": database.backups.window,
        "iam_auth": database.iam_auth,
        "deletion_protection": database.deletion_protection,
        "performance_insights": aws.is_some_and(|aws| aws.performance_insights),
        "data_api": aws.is_some_and(|aws| aws.data_api),
    })
}

/// The names of the instances: the writer first, then the readers.
fn instances(database: &Database, naming: &Naming) -> Vec<String> {
    let part = |number: u8| format!("{}--{number}", database.name);
    let numbers = 1..=database.replicas.saturating_add(1);
    numbers.map(|number| naming.resource(ResourceName::RdsInstance, Some(&part(number)))).collect()
}

const fn engine(engine: DatabaseEngine) -> &'static str {
    match engine {
        DatabaseEngine::PostgreSql => "aurora-postgresql",
        DatabaseEngine::MySql => "aurora-mysql",
    }
}

/// The family of parameter groups: from the catalog, or by AWS's own rule for versions that it does not know yet.
fn family(database: &Database) -> String {
    match database_version(database.engine, &database.version) {
        Some(known) => known.family.to_owned(),
        None => format!("{}{}", engine(database.engine), database.version),
    }
}

/// What every database of an engine is told: connections without TLS are refused.
fn parameters(engine: DatabaseEngine) -> Value {
    match engine {
        DatabaseEngine::PostgreSql => json!({ "rds.force_ssl": "1", "log_min_duration_statement": "1000" }),
        DatabaseEngine::MySql => {
            json!({ "require_secure_transport": "ON", "slow_query_log": "1", "long_query_time": "1" })
        }
    }
}

const fn log_exports(engine: DatabaseEngine) -> &'static [&'static str] {
    match engine {
        DatabaseEngine::PostgreSql => &["postgresql"],
        DatabaseEngine::MySql => &["audit", "error", "slowquery"],
    }
}
