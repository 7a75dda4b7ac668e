//! The variables of the database module.

use alethia_domain::{
    catalog::aws::database_version,
    component::{Database, DatabaseEngine},
    naming::{Naming, ResourceName},
    stage::Stage,
};
use serde_json::{Value, json};

pub(super) fn variables(database: &Database, stage: Stage, naming: &Naming) -> Value {
    let name = |kind: ResourceName| naming.resource(kind, Some(&database.name));
    let aws = database.aws.as_ref();
    json!({
        "name": name(ResourceName::RdsCluster),
        "instances": instances(database, naming),
        "subnet_group": name(ResourceName::DbSubnetGroup),
        "parameter_group": naming.resource(ResourceName::DbParameterGroup, Some(&with_version(database))),
        "security_group": naming.resource(ResourceName::SecurityGroup, Some(&format!("database--{}", database.name))),
        "final_snapshot": keeps_final_snapshot(database, stage).then(|| name(ResourceName::DbFinalSnapshot)),
        "engine": engine(database.engine),
        "engine_version": database.version,
        "family": family(database),
        "parameters": parameters(database.engine),
        "log_groups": log_groups(database, naming),
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
        DatabaseEngine::PostgreSql => {
            json!({ "rds.force_ssl": "1", "log_statement": "ddl", "log_min_duration_statement": "1000" })
        }
        DatabaseEngine::MySql => {
            json!({ "require_secure_transport": "ON", "slow_query_log": "1", "long_query_time": "1" })
        }
    }
}

/// The log groups that RDS writes to, by log: their names are RDS's own.
fn log_groups(database: &Database, naming: &Naming) -> Value {
    let cluster = naming.resource(ResourceName::RdsCluster, Some(&database.name));
    let logs: &[&str] = match database.engine {
        DatabaseEngine::PostgreSql => &["postgresql"],
        DatabaseEngine::MySql => &["error", "slowquery"],
    };
    let group = |log: &&str| ((*log).to_owned(), json!(format!("/aws/rds/cluster/{cluster}/{log}")));
    Value::Object(logs.iter().map(group).collect())
}

/// Parameter groups belong to one version: at an upgrade the next one must stand beside the last.
fn with_version(database: &Database) -> String {
    format!("{}--{}", database.name, database.version)
}

/// A last snapshot is kept of everything but development: protection is off by the time a database is deleted, so it
/// can't decide alone.
fn keeps_final_snapshot(database: &Database, stage: Stage) -> bool {
    database.deletion_protection || stage != Stage::Development
}
