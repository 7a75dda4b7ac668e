//! A store of its own for each test, with the few things that most tests need in it.

use std::collections::HashMap;

use alethia_domain::{
    component::{ComponentKind, ComponentRef},
    ids::{RunnerId, SpecId, ZoneId},
    lifecycle::JobType,
    spec::Provider,
    stage::Stage,
};
use alethia_store::{
    Store, StoreConfig, identities,
    jobs::{self, Fence, NewJob},
    queue::{Claimant, Claimed, Claims},
    revisions::NewRevision,
    runners::{self, NewRunner},
    seal::Keyring,
    specs, zones,
};
use alethia_testkit::postgres::Postgres;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use tempfile::TempDir;

/// A store and a clock that stands still.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) config: StoreConfig,
    pub(crate) folder: TempDir,
    pub(crate) now: DateTime<Utc>,
}

pub(crate) const LEASE: TimeDelta = TimeDelta::seconds(30);

/// Makes two tests of each function: one on SQLite, one on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::fixture::World::sqlite().await).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::fixture::World::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both;

impl World {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig::in_folder(folder.path()).unwrap();
        Self::open(config, folder).await
    }

    pub(crate) async fn postgres() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            database_url: Postgres::shared().unwrap().create_database().unwrap(),
            blobs_url: folder.path().join("blobs").display().to_string(),
            keyring: Keyring::new(&[[9; 32]]).unwrap(),
        };
        Self::open(config, folder).await
    }

    async fn open(config: StoreConfig, folder: TempDir) -> Self {
        let now = "2026-03-01T12:00:00.123456Z".parse().unwrap();
        let store = Store::open(&config, now).await.unwrap();
        Self { store, config, folder, now }
    }

    pub(crate) fn after(&self, seconds: i64) -> DateTime<Utc> {
        self.now + TimeDelta::seconds(seconds)
    }

    pub(crate) async fn zone(&self, name: &str) -> ZoneId {
        let tx = self.store.begin().await.unwrap();
        let zone = zones::insert(&tx, name, None, self.now).await.unwrap();
        tx.commit().await.unwrap();
        zone.id
    }

    /// A Spec in the Zone `default`.
    pub(crate) async fn spec(&self, name: &str) -> SpecId {
        let zone = zones::by_name(&self.store, zones::DEFAULT).await.unwrap();
        self.spec_in(zone.id, name).await
    }

    pub(crate) async fn spec_in(&self, zone: ZoneId, name: &str) -> SpecId {
        let revision = self.revision(1).await;
        let tx = self.store.begin().await.unwrap();
        let id = specs::insert(&tx, zone, name, &revision, self.now).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    pub(crate) async fn revision(&self, size: u32) -> NewRevision {
        NewRevision {
            stage: Stage::Production,
            provider: Provider::Aws,
            region: "eu-central-1".to_owned(),
            identity_id: identities::by_name(&self.store, identities::SANDBOX).await.unwrap().id,
            document: json!({"zone": "default", "apiVersion": "alethia/v1", "size": size}),
            hash: format!("hash-{size}"),
            author: "ada".to_owned(),
            message: Some("why".to_owned()),
        }
    }

    pub(crate) async fn runner(&self, name: &str, labels: &[&str]) -> RunnerId {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        let new = NewRunner { name: name.to_owned(), labels, token_hash: format!("runner-{name}") };
        let tx = self.store.begin().await.unwrap();
        let runner = runners::insert(&tx, &new, self.now).await.unwrap();
        tx.commit().await.unwrap();
        runner.id
    }

    pub(crate) async fn job(&self, spec: SpecId, job_type: JobType) -> alethia_domain::ids::JobId {
        let new = self.new_job(spec, job_type).await;
        self.insert(&new).await.unwrap()
    }

    pub(crate) async fn insert(&self, new: &NewJob) -> alethia_store::Result<alethia_domain::ids::JobId> {
        let tx = self.store.begin().await?;
        let id = jobs::insert(&tx, new, self.now).await?;
        tx.commit().await?;
        Ok(id)
    }

    pub(crate) async fn new_job(&self, spec_id: SpecId, job_type: JobType) -> NewJob {
        NewJob {
            job_type,
            spec_id,
            revision: 1,
            snapshot: json!({"zone": "default", "a": 1}),
            snapshot_hash: "snapshot".to_owned(),
            identity_id: identities::by_name(&self.store, identities::SANDBOX).await.unwrap().id,
            plan_job_id: None,
            retry_of: None,
            destroy: false,
            required_labels: Vec::new(),
            assigned_runner_id: None,
            former_status: None,
            author: "ada".to_owned(),
        }
    }

    pub(crate) async fn claim(&self, runner: RunnerId) -> Option<Claimed> {
        self.claim_at(runner, &[], self.now).await
    }

    pub(crate) async fn claim_at(
        &self,
        runner_id: RunnerId,
        labels: &[&str],
        now: DateTime<Utc>,
    ) -> Option<Claimed> {
        let claimant = claimant(runner_id, labels);
        Claims::default().next(&self.store, claimant, LEASE, now).await.unwrap().job()
    }

    /// A job of this type that a Runner has started.
    pub(crate) async fn started(&self, spec: SpecId, job_type: JobType) -> Fence {
        let name = format!("r{}", &uuid::Uuid::now_v7().simple().to_string()[20..]);
        let runner = self.runner(&name, &[]).await;
        self.job(spec, job_type).await;
        let fence = self.claim(runner).await.unwrap().fence;
        self.start(fence).await;
        fence
    }

    pub(crate) async fn start(&self, fence: Fence) {
        let tx = self.store.begin().await.unwrap();
        jobs::start(&tx, fence, LEASE, self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(crate) async fn finish(&self, fence: Fence, end: &jobs::End) -> alethia_store::Result<()> {
        let tx = self.store.begin().await?;
        jobs::finish(&tx, fence, end, self.now).await?;
        tx.commit().await
    }

    /// Every blob's bytes, by path, after what no row names was removed.
    pub(crate) async fn needed_blobs(&self) -> HashMap<std::path::PathBuf, Vec<u8>> {
        alethia_store::blobs::sweep(&self.store, self.now).await.unwrap();
        alethia_store::blobs::sweep(&self.store, self.after(25 * 3600)).await.unwrap();
        self.blobs()
    }

    /// A key file with the key of this world.
    pub(crate) fn key(&self) -> std::path::PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.folder.path().join("key");
        if !path.exists() {
            std::fs::write(&path, format!("{}CQk=\n", "CQkJ".repeat(10))).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        path
    }

    /// Every blob's bytes, by path.
    pub(crate) fn blobs(&self) -> HashMap<std::path::PathBuf, Vec<u8>> {
        let mut folders = vec![self.folder.path().join("blobs")];
        let mut blobs = HashMap::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    blobs.insert(path.clone(), std::fs::read(path).unwrap());
                }
            }
        }
        blobs
    }
}

/// Somebody who asks for a job, with a token that nobody else has.
pub(crate) fn claimant(runner_id: RunnerId, labels: &[&str]) -> Claimant {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    Claimant { runner_id, name: "a".to_owned(), labels, token_hash: uuid::Uuid::now_v7().to_string() }
}

pub(crate) fn network() -> ComponentRef {
    ComponentRef::singleton(ComponentKind::Network)
}

pub(crate) fn database(name: &str) -> ComponentRef {
    ComponentRef::named(ComponentKind::Database, name)
}
