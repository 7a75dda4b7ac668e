//! What rows stand on: a folder on a real disk, a PostgreSQL that keeps its promises, databases with many rows in them.
//!
//! Everything is made when the first row asks for it and goes with the value. Data lies on the disk and not in memory:
//! a commit that costs nothing would be measured wrong. A seeded database is made once a run and copied for each scene,
//! so that every run of a row begins from the same bytes.

use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Instant,
};

use alethia_store::{StoreConfig, seal::Keyring};
use alethia_testkit::postgres::Postgres;
use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, Database};
use tempfile::TempDir;
use tokio::sync::{Mutex, OnceCell};

use crate::seed::{self, Size};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Postgres,
    Sqlite,
}

/// A database, and the key that opens what is sealed in it.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) kind: Kind,
    pub(crate) database: String,
    pub(crate) key: PathBuf,
    pub(crate) folder: PathBuf,
}

/// What rows stand on.
pub(crate) struct Ground {
    /// Fewer and shorter runs.
    pub(crate) quick: bool,
    started: Instant,
    postgres: OnceCell<Server>,
    seeded: Mutex<BTreeMap<(Kind, Size), Scene>>,
    scenes: AtomicU32,
    folder: TempDir,
}

struct Server {
    postgres: Postgres,
    /// A database to give orders from.
    orders: String,
}

impl Kind {
    pub(crate) const BOTH: [Self; 2] = [Self::Postgres, Self::Sqlite];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
        }
    }
}

impl Ground {
    /// A folder beside the build.
    pub(crate) fn prepare(quick: bool) -> Result<Self> {
        let parent = target()?.join("bench");
        fs::create_dir_all(&parent).with_context(|| format!("failed to make {}", parent.display()))?;
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(parent)?;
        Ok(Self {
            quick,
            started: Instant::now(),
            postgres: OnceCell::new(),
            seeded: Mutex::default(),
            scenes: AtomicU32::new(0),
            folder,
        })
    }

    /// Tells a person who waits what goes on.
    pub(crate) fn say(&self, what: &str) {
        let seconds = self.started.elapsed().as_secs();
        eprintln!("[{:02}:{:02}] {what}", seconds / 60, seconds % 60);
    }

    /// How often something is done: so often, or that in a quick run.
    pub(crate) fn times(&self, usual: usize, quick: usize) -> usize {
        if self.quick { quick } else { usual }
    }

    /// A new folder for a row.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        let folder = self.folder.path().join(self.number().to_string());
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    /// An empty database.
    pub(crate) async fn empty(&self, kind: Kind) -> Result<Scene> {
        let folder = self.folder()?;
        let database = match kind {
            Kind::Postgres => self.server().await?.postgres.create_database()?,
            Kind::Sqlite => sqlite_url(&folder),
        };
        Ok(Scene { kind, database, key: folder.join("master-key"), folder })
    }

    /// A database with so many rows, as if nobody had used it yet.
    pub(crate) async fn seeded(&self, kind: Kind, size: Size) -> Result<Scene> {
        let mut seeded = self.seeded.lock().await;
        let original = match seeded.get(&(kind, size)) {
            Some(scene) => scene.clone(),
            None => {
                self.say(&format!("filling {} with {size}", kind.as_str()));
                let scene = self.empty(kind).await?;
                seed::fill(&scene, size).await?;
                seeded.insert((kind, size), scene.clone());
                scene
            }
        };
        self.copy(&original).await
    }

    /// Takes a scene away that no row needs any more: its rows are many.
    pub(crate) async fn remove(&self, scene: Scene) -> Result<()> {
        if scene.kind == Kind::Postgres {
            let name = database_name(&scene.database)?;
            self.order(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
        }
        fs::remove_dir_all(&scene.folder).context("failed to remove a folder of the run")
    }

    async fn copy(&self, original: &Scene) -> Result<Scene> {
        let folder = self.folder()?;
        let key = folder.join("master-key");
        fs::copy(&original.key, &key)?;
        let database = match original.kind {
            Kind::Postgres => {
                let (from, to) = (database_name(&original.database)?, format!("copy_{}", self.number()));
                self.order(&format!("CREATE DATABASE {to} TEMPLATE {from} STRATEGY FILE_COPY")).await?;
                original.database.replace(&format!("/{from}?"), &format!("/{to}?"))
            }
            Kind::Sqlite => {
                fs::copy(original.folder.join("alethia.db"), folder.join("alethia.db"))?;
                fs::File::open(folder.join("alethia.db"))?.sync_all()?;
                sqlite_url(&folder)
            }
        };
        Ok(Scene { kind: original.kind, database, key, folder })
    }

    async fn order(&self, sql: &str) -> Result<()> {
        let connection = Database::connect(&self.server().await?.orders).await?;
        connection.execute_unprepared(sql).await.with_context(|| sql.to_owned())?;
        Ok(connection.close().await?)
    }

    async fn server(&self) -> Result<&Server> {
        let server = self.postgres.get_or_try_init(async || {
            let postgres = Postgres::durable(&disk()?)?;
            let orders = postgres.create_database()?;
            anyhow::Ok(Server { postgres, orders })
        });
        server.await
    }

    fn number(&self) -> u32 {
        self.scenes.fetch_add(1, Ordering::Relaxed)
    }
}

impl Scene {
    /// What a store is opened with.
    pub(crate) fn config(&self) -> Result<StoreConfig> {
        Ok(StoreConfig {
            database_url: self.database.clone(),
            blobs_url: self.folder.join("blobs").display().to_string(),
            keyring: Keyring::from_file(&self.key)?,
        })
    }
}

/// Cargo's target folder: this program lies one folder below it.
pub(crate) fn target() -> Result<PathBuf> {
    let program = env::current_exe().context("failed to find this program")?;
    let target = program.ancestors().nth(2).context("this program lies in no target folder")?;
    Ok(target.to_owned())
}

/// Where the server's account can keep its data: in the target folder, or else in the folder for large files.
fn disk() -> Result<PathBuf> {
    let target = target()?;
    let is_open =
        |folder: &Path| folder.metadata().is_ok_and(|found| found.permissions().mode() & 0o001 != 0);
    Ok(if target.ancestors().all(is_open) { target.join("bench") } else { PathBuf::from("/var/tmp") })
}

fn sqlite_url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("alethia.db").display())
}

fn database_name(url: &str) -> Result<&str> {
    let path = url.split('?').next().unwrap_or_default();
    path.rsplit('/').next().context("the database has no name")
}
