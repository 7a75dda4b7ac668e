//! What earlier releases wrote is read and carried on by the code of today.
//!
//! `tests/releases/` has a folder for each release, made by that release's own `cargo xtask fixture`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use alethia_domain::lifecycle::JobStatus;
use alethia_store::{
    Store, StoreConfig,
    jobs::{self, End, Fence},
    keys, runners,
    seal::Keyring,
};
use alethia_testkit::postgres::Postgres;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, Database};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{
    fixture::{World, on_both},
    platform,
};

on_both!(a_platform_of_today_can_be_kept);

/// What a release left: a database, blobs and a key in a folder of their own.
struct Left {
    config: StoreConfig,
    portrait: Value,
    now: DateTime<Utc>,
    _folder: TempDir,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_release_wrote_is_read_and_carried_on() {
    for left in everything_left().await {
        let store = Store::open(&left.config, left.now).await.unwrap();
        let portrait = platform::portrait(&store, left.now).await;
        platform::must_include(&portrait, &left.portrait);
        carry_on(&store, left.now).await;
        seal_again(&store, left.now).await;
        store.close().await;
        let again = Store::open(&left.config, left.now).await.unwrap();
        again.ping().await.unwrap();
        again.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_consoles_that_upgrade_at_once_both_start() {
    for left in everything_left().await {
        let (one, two) =
            tokio::join!(Store::open(&left.config, left.now), Store::open(&left.config, left.now));
        let (one, two) = (one.unwrap(), two.unwrap());
        platform::must_include(&platform::portrait(&two, left.now).await, &left.portrait);
        one.close().await;
        two.close().await;
    }
}

/// Keys are noted for what was sealed before they were.
async fn seal_again(store: &Store, now: DateTime<Utc>) {
    let before = keys::list(store, now).await.unwrap();
    let done = keys::reseal(store, &CancellationToken::new()).await.unwrap();
    assert_eq!((done.done, done.failed), (before.unnoted, 0));
    let after = keys::list(store, now).await.unwrap();
    assert_eq!((after.unnoted, after.keys[0].seals), (0, before.keys[0].seals + before.unnoted));
}

/// What `cargo xtask fixture` would keep for the next release.
async fn a_platform_of_today_can_be_kept(world: World) {
    platform::seed(&world.store, world.now).await;
    let portrait = platform::portrait(&world.store, world.now).await;
    world.store.clone().close().await;
    let again = Store::open(&world.config, world.now).await.unwrap();
    platform::must_include(&platform::portrait(&again, world.now).await, &portrait);
    carry_on(&again, world.now).await;
}

/// Jobs that waited are claimed and ended, and a new state follows the old ones.
async fn carry_on(store: &Store, seeded: DateTime<Utc>) {
    let now = seeded + TimeDelta::hours(1);
    let blue = runners::by_name(store, "blue").await.unwrap().id;
    let mut ended = 0;
    while let Some(fence) = platform::claim(store, blue, now).await {
        run(store, fence, now).await;
        ended += 1;
    }
    assert_eq!(ended, 3, "a PLAN that was lost once, a DEPLOY with a PLAN behind it");
}

async fn run(store: &Store, fence: Fence, now: DateTime<Utc>) {
    platform::write_state_of(store, fence, now).await;
    let tx = store.begin().await.unwrap();
    jobs::start(&tx, fence, TimeDelta::minutes(1), now).await.unwrap();
    jobs::finish(&tx, fence, &End::Success, now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(jobs::get(store, fence.job_id).await.unwrap().status, JobStatus::Success);
}

async fn everything_left() -> Vec<Left> {
    let releases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/releases");
    let mut left = Vec::new();
    for release in fs::read_dir(releases).unwrap() {
        let release = release.unwrap().path();
        left.push(load(&release, "sqlite").await);
        left.push(load(&release, "postgres").await);
    }
    assert!(left.len() >= 2);
    left
}

async fn load(release: &Path, database: &str) -> Left {
    let folder = tempfile::tempdir().unwrap();
    let url = match database {
        "sqlite" => format!("sqlite://{}?mode=rwc", folder.path().join("alethia.db").display()),
        _ => Postgres::shared().unwrap().create_database().unwrap(),
    };
    let dump = fs::read_to_string(release.join(database).join("dump.sql")).unwrap();
    let connection = Database::connect(&url).await.unwrap();
    connection.execute_unprepared(&dump).await.unwrap();
    connection.close().await.unwrap();
    let blobs = folder.path().join("blobs");
    copy(&release.join(database).join("blobs"), &blobs);
    let portrait = fs::read_to_string(release.join(database).join("portrait.json")).unwrap();
    let config = StoreConfig {
        database_url: url.trim_end_matches("?mode=rwc").to_owned(),
        blobs_url: blobs.display().to_string(),
        keyring: Keyring::from_file(&private_copy(&release.join("key"), folder.path())).unwrap(),
    };
    let now = "2026-03-01T12:00:00.123456Z".parse().unwrap();
    Left { config, portrait: serde_json::from_str(&portrait).unwrap(), now, _folder: folder }
}

/// Whoever checked the fixtures out made the key readable for others.
fn private_copy(key: &Path, folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let copy = folder.join("key");
    fs::copy(key, &copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o600)).unwrap();
    copy
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
