//! Databases with many rows, made fast: one row of each kind through the store, the others as its copies in SQL.
//!
//! The copies take every column of the model that they do not set themselves, so that a column that the schema gets
//! later needs no change here. Ids are numbered and look like UUIDv7 of an earlier time: what a row makes comes after them.

use std::fmt;

use alethia_domain::{
    component::{ComponentKind, ComponentRef},
    ids::{RunnerId, SpecId, ZoneId},
    lifecycle::JobType,
    spec::{self, Provider},
    stage::Stage,
};
use alethia_store::{
    Store, components, identities,
    jobs::{self, NewJob},
    revisions::NewRevision,
    runners::{self, NewRunner},
    specs, zones,
};
use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    figure::count,
    ground::{Kind, Scene},
};

/// How many rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size {
    pub(crate) specs: u32,
    /// Jobs that are over, spread over all Specs.
    pub(crate) finished: u32,
    /// Jobs that wait, at most one a Spec.
    pub(crate) queued: u32,
}

/// Zones that the Specs are spread over.
pub(crate) const ZONES: u32 = 20;
/// Rows that one statement makes.
const BATCH: u32 = 50_000;

/// Kinds of ids, for the numbered ones.
const ZONE: u32 = 1;
const SPEC: u32 = 2;
const COMPONENT: u32 = 3;
const FINISHED: u32 = 4;
const QUEUED: u32 = 5;

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [specs, finished, queued] = [self.specs, self.finished, self.queued].map(count);
        write!(f, "{specs} Specs, {finished} finished and {queued} queued jobs")
    }
}

/// The id of a Spec by its number, below [`Size::specs`].
pub(crate) fn spec_id(number: u32) -> SpecId {
    SpecId(numbered(SPEC, number))
}

/// The id of a finished job by its number, below [`Size::finished`].
pub(crate) fn finished_job(number: u32) -> Uuid {
    numbered(FINISHED, number)
}

fn numbered(kind: u32, number: u32) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | u128::from(kind) << 96 | u128::from(number))
}

/// A small document, as its author wrote it.
fn document() -> Value {
    json!({
        "apiVersion": "alethia/v1", "kind": "Spec", "zone": "default", "name": "model", "stage": "development",
        "cloud": { "provider": "aws", "region": "eu-central-1", "identity": "sandbox" },
        "queues": [{ "name": "orders" }, { "name": "mails" }],
    })
}

/// The same with every default filled in, as a job keeps it.
fn resolved() -> Result<Value> {
    let document = spec::resolve(&document()).map_err(|problems| anyhow!("{problems:?}"))?;
    Ok(serde_json::to_value(document)?)
}

/// A PLAN of a Spec.
pub(crate) async fn plan_of(store: &Store, spec_id: SpecId) -> Result<NewJob> {
    Ok(NewJob {
        job_type: JobType::Plan,
        spec_id,
        revision: 1,
        snapshot: resolved()?,
        snapshot_hash: "0".repeat(64),
        identity_id: identities::by_name(store, identities::SANDBOX).await?.id,
        plan_job_id: None,
        retry_of: None,
        destroy: false,
        required_labels: Vec::new(),
        assigned_runner_id: None,
        former_status: None,
        author: "owner".to_owned(),
    })
}

/// A Runner without labels.
pub(crate) async fn runner(store: &Store, name: &str) -> Result<RunnerId> {
    let new = NewRunner { name: name.to_owned(), labels: Vec::new(), token_hash: format!("of {name}") };
    let tx = store.begin().await?;
    let runner = runners::insert(&tx, &new, now()).await?;
    tx.commit().await?;
    Ok(runner.id)
}

/// The time, as exact as both databases keep it.
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// Fills an empty database.
pub(crate) async fn fill(scene: &Scene, size: Size) -> Result<()> {
    let store = Store::open(&scene.config()?, now()).await?;
    let model = Model::make(&store).await?;
    store.close().await;
    let mut options = ConnectOptions::new(&scene.database);
    options.max_connections(1).sqlx_logging(false);
    let connection = Database::connect(options).await?;
    let filler = Filler { connection, kind: scene.kind, size };
    filler.fill(&model).await?;
    Ok(filler.connection.close().await?)
}

/// What is copied.
struct Model {
    zone: ZoneId,
    spec: SpecId,
    job: Uuid,
    runner: RunnerId,
}

impl Model {
    async fn make(store: &Store) -> Result<Self> {
        let runner = runner(store, "model").await?;
        let revision = NewRevision {
            stage: Stage::Development,
            provider: Provider::Aws,
            region: "eu-central-1".to_owned(),
            identity_id: identities::by_name(store, identities::SANDBOX).await?.id,
            document: document(),
            hash: "0".repeat(64),
            author: "owner".to_owned(),
            message: None,
        };
        let tx = store.begin().await?;
        let zone = zones::insert(&tx, "model", None, now()).await?;
        let spec = specs::insert(&tx, zone.id, "model", &revision, now()).await?;
        let queue = |name| ComponentRef::named(ComponentKind::Queue, name);
        components::sync(&tx, spec, &[queue("orders"), queue("mails")], now()).await?;
        tx.commit().await?;
        let job = plan_of(store, spec).await?;
        let tx = store.begin().await?;
        let job = jobs::insert(&tx, &job, now()).await?;
        tx.commit().await?;
        Ok(Self { zone: zone.id, spec, job: job.0, runner })
    }
}

struct Filler {
    connection: DatabaseConnection,
    kind: Kind,
    size: Size,
}

impl Filler {
    async fn fill(&self, model: &Model) -> Result<()> {
        match self.kind {
            Kind::Postgres => self.run("SET synchronous_commit = off").await?,
            Kind::Sqlite => self.run("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000").await?,
        }
        self.places(model).await?;
        self.jobs(model).await?;
        self.run(&format!("DELETE FROM provision_jobs WHERE id = {}", self.literal(model.job))).await?;
        match self.kind {
            Kind::Postgres => self.run("VACUUM (ANALYZE)").await?,
            Kind::Sqlite => self.run("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)").await?,
        }
        // What comes next shall not pay for what was written here.
        if self.kind == Kind::Postgres { self.run("CHECKPOINT").await } else { Ok(()) }
    }

    /// Zones, Specs, their Revisions and components.
    async fn places(&self, model: &Model) -> Result<()> {
        let (zone, spec) = (self.literal(model.zone.0), self.literal(model.spec.0));
        let own = [("id", self.id(ZONE, "i")), ("name", "'zone-' || i".to_owned())];
        self.copy("zones", &format!("id = {zone}"), ZONES, &own).await?;
        let specs = self.size.specs;
        let own = [
            ("id", self.id(SPEC, "i")),
            ("zone_id", self.id(ZONE, &zone_of("i"))),
            ("name", "'spec-' || i".to_owned()),
        ];
        self.copy("specs", &format!("id = {spec}"), specs, &own).await?;
        let own = [("spec_id", self.id(SPEC, "i"))];
        self.copy("spec_revisions", &format!("spec_id = {spec}"), specs, &own).await?;
        for (number, name) in ["orders", "mails"].into_iter().enumerate() {
            let own =
                [("id", self.id(COMPONENT, &format!("(i * 2 + {number})"))), ("spec_id", self.id(SPEC, "i"))];
            self.copy("components", &format!("spec_id = {spec} AND name = '{name}'"), specs, &own).await?;
        }
        Ok(())
    }

    async fn jobs(&self, model: &Model) -> Result<()> {
        let Size { specs, finished, queued } = self.size;
        let job = format!("id = {}", self.literal(model.job));
        let spec = format!("(i % {specs})");
        let own = [
            ("id", self.id(FINISHED, "i")),
            ("spec_id", self.id(SPEC, &spec)),
            ("zone_id", self.id(ZONE, &zone_of(&spec))),
            ("status", ended("i")),
            ("attempt", "1".to_owned()),
            ("runner_id", self.literal(model.runner.0)),
            ("step", "'report'".to_owned()),
            ("started_at", "created_at".to_owned()),
            ("finished_at", "created_at".to_owned()),
            ("logs_archived", "TRUE".to_owned()),
        ];
        self.copy("provision_jobs", &job, finished, &own).await?;
        let spec = format!("(i * {})", (specs / queued.max(1)).max(1));
        let own = [
            ("id", self.id(QUEUED, "i")),
            ("spec_id", self.id(SPEC, &spec)),
            ("zone_id", self.id(ZONE, &zone_of(&spec))),
            ("turn", format!("i / {ZONES}")),
        ];
        self.copy("provision_jobs", &job, queued, &own).await
    }

    /// Copies the rows of `table` where `model` holds, `count` times; `i` counts from 0.
    async fn copy(&self, table: &str, model: &str, count: u32, own: &[(&str, String)]) -> Result<()> {
        let columns = self.columns(table).await?;
        let of = |column: &String| {
            let own = own.iter().find(|(name, _)| name == column);
            own.map_or_else(|| column.clone(), |(_, expression)| expression.clone())
        };
        let (names, values) = (columns.join(", "), columns.iter().map(of).collect::<Vec<_>>().join(", "));
        for first in (0..count).step_by(BATCH as usize) {
            let numbers = self.numbers(first, (first + BATCH).min(count));
            let sql = format!(
                "INSERT INTO {table} ({names}) SELECT {values} FROM {numbers}, \
                 (SELECT * FROM {table} WHERE {model}) model"
            );
            self.run(&sql).await?;
        }
        Ok(())
    }

    async fn columns(&self, table: &str) -> Result<Vec<String>> {
        let sql = match self.kind {
            Kind::Postgres => format!(
                "SELECT column_name::text FROM information_schema.columns WHERE table_schema = 'public' \
                 AND table_name = '{table}' ORDER BY ordinal_position"
            ),
            Kind::Sqlite => format!("SELECT name FROM pragma_table_info('{table}')"),
        };
        let backend = match self.kind {
            Kind::Postgres => DbBackend::Postgres,
            Kind::Sqlite => DbBackend::Sqlite,
        };
        let rows = self.connection.query_all_raw(Statement::from_string(backend, sql)).await?;
        Ok(rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<_, _>>()?)
    }

    async fn run(&self, sql: &str) -> Result<()> {
        self.connection.execute_unprepared(sql).await.with_context(|| sql.to_owned()).map(|_| ())
    }

    fn numbers(&self, from: u32, to: u32) -> String {
        match self.kind {
            Kind::Postgres => format!("generate_series({from}, {}) AS n(i)", to - 1),
            Kind::Sqlite => format!(
                "(WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {to}) \
                 SELECT i FROM n) n"
            ),
        }
    }

    /// The numbered id, as SQL.
    fn id(&self, kind: u32, number: &str) -> String {
        match self.kind {
            Kind::Postgres => {
                format!("('0190{kind:04x}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid")
            }
            Kind::Sqlite => format!("unhex('0190{kind:04x}000070008000' || printf('%012x', {number}))"),
        }
    }

    fn literal(&self, id: Uuid) -> String {
        match self.kind {
            Kind::Postgres => format!("'{id}'::uuid"),
            Kind::Sqlite => format!("X'{}'", id.simple()),
        }
    }
}

/// How a finished job ended: most of them well.
fn ended(number: &str) -> String {
    format!(
        "CASE WHEN {number} % 1000 = 0 THEN 'CANCELLED' WHEN {number} % 50 = 0 THEN 'FAILED' ELSE 'SUCCESS' END"
    )
}

/// Number of the Zone that a Spec is in. Neighbours share one, so that Specs at equal distances do not.
fn zone_of(spec: &str) -> String {
    format!("({spec} / 7 % {ZONES})")
}
