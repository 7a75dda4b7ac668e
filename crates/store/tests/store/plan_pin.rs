//! The claim stays quick when the table is large: it walks the line of waiting jobs and looks at nothing else.
//!
//! Pinned by what the databases say they did, not by a clock.

use alethia_domain::{
    ids::SpecId,
    lifecycle::{JobStatus, JobType},
};
use alethia_store::{
    identities,
    jobs::{self, JobFilter},
    logs,
};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

use crate::fixture::{World, on_both};

on_both!(
    a_claim_reads_the_line_and_not_the_table,
    a_claim_reads_the_line_also_with_the_statistics_of_an_empty_table,
    lists_of_jobs_read_those_that_fit_and_not_the_table
);

/// A Runner that no job is assigned to.
const NOBODY: &str = "00000000000000000000000000000000";

async fn a_claim_reads_the_line_and_not_the_table(world: World) {
    for number in 0..20 {
        let spec = world.spec(&format!("spec-{number}")).await;
        world.job(spec, JobType::Plan).await;
    }
    let connection = connect(&world).await;
    fill(&connection).await;
    connection.execute_unprepared("ANALYZE").await.unwrap();
    let plan = plan_of_a_claim(&connection).await;
    assert!(
        !plan.contains("Seq Scan on provision_jobs") && !plan.contains("SCAN a") && !plan.contains("SCAN b"),
        "{plan}"
    );
    for column in ["plan_job_id", "retry_of"] {
        let nobody = id(connection.get_database_backend(), NOBODY);
        let sql = format!("SELECT id FROM provision_jobs WHERE {column} = {nobody}");
        let plan = explain(&connection, &sql).await;
        assert!(
            !plan.contains("Seq Scan") && !plan.contains("SCAN"),
            "a deleted job reads every job:\n{plan}"
        );
    }
    let users = identities::USERS.replace("$1", &id(connection.get_database_backend(), NOBODY));
    let plan = explain(&connection, &users).await;
    for index in ["specs_by_identity", "provision_jobs_of_spec"] {
        assert!(plan.contains(index), "{index} is not in the plan of {users}:\n{plan}");
    }
    let runner = world.runner("a", &[]).await;
    for _ in 0..20 {
        world.claim(runner).await.unwrap();
    }
    assert_eq!(world.claim(runner).await, None);
}

async fn a_claim_reads_the_line_also_with_the_statistics_of_an_empty_table(world: World) {
    let connection = connect(&world).await;
    connection.execute_unprepared("ANALYZE").await.unwrap();
    for number in 0..20 {
        let spec = world.spec(&format!("spec-{number}")).await;
        world.job(spec, JobType::Plan).await;
    }
    let plan = plan_of_a_claim(&connection).await;
    assert!(!plan.contains("Bitmap"), "{plan}");
}

/// SQLite has no statistics: nobody makes them.
async fn lists_of_jobs_read_those_that_fit_and_not_the_table(world: World) {
    for number in 0..20 {
        let spec = world.spec(&format!("spec-{number}")).await;
        world.job(spec, JobType::Plan).await;
    }
    let connection = connect(&world).await;
    let backend = connection.get_database_backend();
    fill(&connection).await;
    if backend == DbBackend::Postgres {
        connection.execute_unprepared("RESET ALL; ANALYZE").await.unwrap();
    }
    let list = |spec_id: Option<SpecId>, status| {
        jobs::list_sql(backend, JobFilter { spec_id, status: Some(status) })
            .replace("$1", &id(backend, "ffffffffffffffffffffffffffffffff"))
            .replace("$2", "51")
            .replace("$3", &id(backend, NOBODY))
    };
    let some = Some(SpecId::generate());
    for (sql, index) in [
        (list(None, JobStatus::Queued), "provision_jobs_waiting"),
        (list(None, JobStatus::Claimed), "provision_jobs_one_active"),
        (list(None, JobStatus::Processing), "provision_jobs_one_active"),
        (list(None, JobStatus::Failed), "provision_jobs_ended"),
        (list(some, JobStatus::Success), "provision_jobs_by_spec"),
        (jobs::active_sql(backend), "provision_jobs_one_active"),
        (logs::to_compact_sql(backend).replace("$1", "50"), "provision_jobs_to_compact"),
    ] {
        let plan = explain(&connection, &sql).await;
        assert!(plan.contains(index), "{index} is not in the plan of {sql}:\n{plan}");
    }
}

/// An id as a literal.
fn id(backend: DbBackend, digits: &str) -> String {
    if backend == DbBackend::Postgres { format!("'{digits}'::uuid") } else { format!("x'{digits}'") }
}

/// Both statements of a claim.
async fn plan_of_a_claim(connection: &DatabaseConnection) -> String {
    let backend = connection.get_database_backend();
    let mut plan = explain(connection, &heads(backend)).await;
    plan += &explain(connection, &take(backend)).await;
    for expected in expected_parts(backend) {
        assert!(plan.contains(expected), "{expected} is not in the plan:\n{plan}");
    }
    plan
}

fn expected_parts(backend: DbBackend) -> [&'static str; 5] {
    match backend {
        DbBackend::Postgres => [
            "Index Scan using provision_jobs_line on provision_jobs j",
            "using provision_jobs_of_spec on provision_jobs a",
            "using provision_jobs_one_active on provision_jobs b",
            "using provision_jobs_one_active on provision_jobs o",
            "Index Scan using provision_jobs_pkey on provision_jobs j",
        ],
        _ => [
            "SCAN j USING INDEX provision_jobs_line",
            "SEARCH a USING INDEX provision_jobs_of_spec (spec_id=? AND id<?)",
            "SEARCH b USING INDEX provision_jobs_one_active (spec_id=?)",
            "SCAN o USING INDEX provision_jobs_one_active",
            "SEARCH j USING INDEX sqlite_autoindex_provision_jobs_1 (id=?)",
        ],
    }
}

/// 200,000 jobs that are over, and 8,000 that wait behind the heads of their lines for a label that nobody has.
async fn fill(connection: &DatabaseConnection) {
    let columns = "zone_id, spec_id, job_type, status, priority, turn, revision, snapshot, snapshot_hash, \
        identity_id, destroy, required_labels, attempt, cancel_requested, done, total, author, created_at";
    let numbers = match connection.get_database_backend() {
        DbBackend::Postgres => "generate_series(1, 10000) AS n(i)",
        _ => {
            "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT i FROM n) n"
        }
    };
    for (status, prefix, copies) in [("SUCCESS", "00000000", 10_000), ("QUEUED", "ffffffff", 400)] {
        let id = match connection.get_database_backend() {
            DbBackend::Postgres => {
                format!("('{prefix}-0000-7fff-8fff-' || lpad(to_hex(row_number() OVER ()), 12, '0'))::uuid")
            }
            _ => format!("unhex('{prefix}00007fff8fff' || printf('%012x', row_number() OVER ()))"),
        };
        let copied = columns.replace("status", &format!("'{status}'")).replace("turn", "turn + i");
        let sql = format!(
            "INSERT INTO provision_jobs (id, {columns}) SELECT {id}, {copied} FROM provision_jobs, {numbers} \
             WHERE i <= {copies} AND status = 'QUEUED'"
        );
        connection.execute_unprepared(&sql).await.unwrap();
    }
}

/// One connection that plans as those that claim.
async fn connect(world: &World) -> DatabaseConnection {
    let mut options = ConnectOptions::new(&world.config.database_url);
    options.max_connections(1);
    let connection = Database::connect(options).await.unwrap();
    if connection.get_database_backend() == DbBackend::Postgres {
        connection.execute_unprepared(alethia_store::queue::CLAIM_SETTINGS).await.unwrap();
    }
    connection
}

/// The heads for two Runners.
fn heads(backend: DbBackend) -> String {
    alethia_store::queue::heads_sql(backend, 2)
        .replace("$1", "'[]'")
        .replace("$2", "'2026-03-01T12:00:00Z'")
        .replace("$3", &id(backend, NOBODY))
        .replace("$4", &id(backend, NOBODY))
}

/// Two jobs are given to them.
fn take(backend: DbBackend) -> String {
    let mut sql = alethia_store::queue::take_sql(backend, 2);
    for (number, value) in (1..).zip([NOBODY, NOBODY, "token", NOBODY, NOBODY, "other"]) {
        let value = if value == NOBODY { id(backend, value) } else { format!("'{value}'") };
        sql = sql.replace(&format!("${number}"), &value);
    }
    // The planner does not know what is bound.
    sql.replace("$7", "(SELECT 'QUEUED')")
        .replace("$8", "'2026-03-01T12:00:30Z'")
        .replace("$9", "'2026-03-01T12:00:00Z'")
}

async fn explain(connection: &DatabaseConnection, sql: &str) -> String {
    let (explain, column) = match connection.get_database_backend() {
        DbBackend::Postgres => ("EXPLAIN", 0),
        _ => ("EXPLAIN QUERY PLAN", 3),
    };
    let statement = Statement::from_string(connection.get_database_backend(), format!("{explain} {sql}"));
    let rows = connection.query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index::<String>(column).unwrap() + "\n").collect()
}
