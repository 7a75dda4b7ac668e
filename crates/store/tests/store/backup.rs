//! A backup taken while jobs run gives back an equal platform, in either database.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use alethia_domain::lifecycle::{JobStatus, JobType};
use alethia_store::{
    Store, StoreConfig,
    backup::{self, Summary, Target},
    events, jobs,
    seal::{KeyFile, Keyring},
    specs, states,
};
use alethia_testkit::postgres::Postgres;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    fixture::{World, on_both},
    platform,
};

on_both!(
    a_restored_platform_is_equal_in_both_databases,
    a_backup_is_taken_while_jobs_run,
    what_was_under_way_is_not_done_again,
    a_backup_that_was_cut_off_or_changed_is_refused,
    a_restore_needs_the_key_and_an_empty_database,
    a_backup_shows_nothing_that_is_sealed,
);

async fn a_restored_platform_is_equal_in_both_databases(world: World) {
    platform::seed(&world.store, world.now).await;
    let before = platform::portrait(&world.store, world.now).await;
    let (file, taken) = take(&world, "one").await;
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let rows = dump(&file).await;
    for place in [Place::sqlite(&world), Place::postgres(&world)] {
        let (summary, cancelled) = place.restore(&file, &world).await.unwrap();
        assert_eq!((&summary, cancelled.len()), (&taken, 1));
        let store = place.open(&world).await;
        let after = platform::portrait(&store, world.now).await;
        for part in ["zones", "identities", "tokens", "setting", "answer"] {
            assert_eq!(after[part], before[part], "{part}");
        }
        platform::must_include(&without_active(&after), &without_active(&before));

        let again = place.folder.path().join("again.backup");
        backup::create(&store, &again, None, world.now, &|_| {}).await.unwrap();
        must_hold(&dump(&again).await, &rows);
        let newest = events::latest(&store).await.unwrap();
        assert!(newest > 1_000_000, "numbers go on far above those of the lost platform");
        store.close().await;
    }
}

async fn a_backup_is_taken_while_jobs_run(world: World) {
    platform::seed(&world.store, world.now).await;
    let spec = world.spec("written").await;
    let fence = world.started(spec, JobType::Deploy).await;
    let store = world.store.clone();
    let (now, stop) = (world.now, std::sync::Arc::new(AtomicBool::new(false)));
    let told = stop.clone();
    let writer = tokio::spawn(async move {
        let mut serial = 0;
        while !told.load(Ordering::Relaxed) {
            serial += 1;
            let content = platform::state(serial);
            let write = states::Write { spec_id: spec, fence, lock_id: None, content: content.as_bytes() };
            states::write(&store, write, now).await.unwrap();
        }
        serial
    });
    while states::current(&world.store, spec).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    let (file, _) = take(&world, "busy").await;
    stop.store(true, Ordering::Relaxed);
    let written = writer.await.unwrap();

    let place = Place::sqlite(&world);
    place.restore(&file, &world).await.unwrap();
    let restored = place.open(&world).await;
    let newest = states::current(&restored, spec).await.unwrap().unwrap().serial;
    assert!((1..=written).contains(&newest));
    for serial in 1..=newest {
        let (_, content) = states::read_version(&restored, spec, serial).await.unwrap();
        assert_eq!(content.as_ref(), platform::state(serial).as_bytes());
    }
}

async fn what_was_under_way_is_not_done_again(world: World) {
    platform::seed(&world.store, world.now).await;
    let (file, _) = take(&world, "one").await;
    let place = Place::postgres(&world);
    let (_, cancelled) = place.restore(&file, &world).await.unwrap();
    let store = place.open(&world).await;
    let job = jobs::get(&store, cancelled[0]).await.unwrap();
    assert_eq!(
        (job.job_type, job.status, job.spec.as_str()),
        (JobType::Deploy, JobStatus::Cancelled, "waiting")
    );
    let spec = specs::get(&store, job.spec_id).await.unwrap();
    assert_eq!(spec.status.as_str(), "DRAFT");
    let lost = alethia_store::queue::expired(&store, world.after(1), 50).await.unwrap();
    assert_eq!(lost.len(), 2, "their leases were over when the backup was taken");

    let blue = alethia_store::runners::by_name(&store, "blue").await.unwrap().id;
    let fence = platform::claim(&store, blue, world.after(1)).await.unwrap();
    assert_eq!(jobs::get(&store, fence.job_id).await.unwrap().job_type, JobType::Plan, "a PLAN may run");
    platform::write_state_of(&store, fence, world.now).await;
}

async fn a_backup_that_was_cut_off_or_changed_is_refused(world: World) {
    platform::seed(&world.store, world.now).await;
    let (file, _) = take(&world, "one").await;
    let whole = fs::read(&file).unwrap();
    let keyring = Some(&world.config.keyring);
    assert!(backup::verify(&file, keyring, &|_| {}).await.unwrap().opened.unwrap() > 5);
    let other = world.folder.path().join("damaged");
    let damage = |content: &[u8]| fs::write(&other, content).unwrap();
    damage(&whole[..whole.len() / 2]);
    assert!(backup::verify(&other, None, &|_| {}).await.is_err());
    let original = zstd::decode_all(whole.as_slice()).unwrap();
    for place in (0..whole.len()).step_by(whole.len() / 40) {
        let mut changed = whole.clone();
        changed[place] ^= 0x10;
        damage(&changed);
        // A few bits of a compressed file mean nothing, or the same.
        let is_same = zstd::decode_all(changed.as_slice()).is_ok_and(|content| content == original);
        let verified = backup::verify(&other, keyring, &|_| {}).await;
        assert!(verified.is_err() || is_same, "byte {place} of {}", whole.len());
    }
    damage(b"something else");
    let error = backup::verify(&other, None, &|_| {}).await.unwrap_err().to_string();
    assert!(error.contains("backup"), "{error}");
    let place = Place::sqlite(&world);
    damage(&whole[..whole.len() - 10]);
    assert!(place.restore(&other, &world).await.is_err());
    assert!(
        !place.folder.path().join("alethia.db").exists(),
        "nothing is begun before it is known to be whole"
    );
    let again = backup::create(&world.store, &file, None, world.now, &|_| {}).await.unwrap_err().to_string();
    assert!(again.contains("there already"), "{again}");
}

async fn a_restore_needs_the_key_and_an_empty_database(world: World) {
    platform::seed(&world.store, world.now).await;
    let (file, _) = take(&world, "one").await;
    let place = Place::sqlite(&world);
    fs::remove_file(place.key()).unwrap();
    let refused = place.restore(&file, &world).await.unwrap_err().to_string();
    assert!(refused.contains(&world.config.keyring.sealing()) && refused.contains("key file"), "{refused}");

    let with_key = world.folder.path().join("with-key.backup");
    let key = KeyFile::new(&world.key());
    backup::create(&world.store, &with_key, Some(&key), world.now, &|_| {}).await.unwrap();
    place.restore(&with_key, &world).await.unwrap();
    assert_eq!(fs::metadata(place.key()).unwrap().permissions().mode() & 0o777, 0o600);
    let store = place.open(&world).await;
    platform::portrait(&store, world.now).await;
    store.close().await;
    let refused = place.restore(&with_key, &world).await.unwrap_err().to_string();
    assert!(refused.contains("not empty"), "{refused}");
}

async fn a_backup_shows_nothing_that_is_sealed(world: World) {
    platform::seed(&world.store, world.now).await;
    let (file, _) = take(&world, "one").await;
    let content = zstd::decode_all(fs::File::open(&file).unwrap()).unwrap();
    let holds = |text: &str| content.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("a_setting"), "rows are plain");
    assert!(!holds("a plan file, sealed") && !holds("shown once") && !holds("terraform_version"));
    assert!(!holds(fs::read_to_string(world.key()).unwrap().trim()), "the key is not in it");
}

/// An empty place for a platform, with the key of a world.
struct Place {
    target: Target,
    folder: TempDir,
}

impl Place {
    fn sqlite(world: &World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("alethia.db").display());
        Self::at(world, folder, url)
    }

    fn postgres(world: &World) -> Self {
        let url = Postgres::shared().unwrap().create_database().unwrap();
        Self::at(world, tempfile::tempdir().unwrap(), url)
    }

    fn at(world: &World, folder: TempDir, database_url: String) -> Self {
        let key = folder.path().join("master-key");
        fs::copy(world.key(), &key).unwrap();
        let blobs_url = folder.path().join("blobs").display().to_string();
        Self { target: Target { database_url, blobs_url, key: KeyFile::new(&key) }, folder }
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("master-key")
    }

    async fn restore(
        &self,
        file: &Path,
        world: &World,
    ) -> alethia_store::Result<(Summary, Vec<alethia_domain::ids::JobId>)> {
        backup::restore(file, &self.target, world.now, &|_| {}).await
    }

    async fn open(&self, world: &World) -> Store {
        let config = StoreConfig {
            database_url: self.target.database_url.clone(),
            blobs_url: self.target.blobs_url.clone(),
            keyring: Keyring::from_file(&self.key()).unwrap(),
        };
        Store::open(&config, world.now).await.unwrap()
    }
}

async fn take(world: &World, name: &str) -> (PathBuf, Summary) {
    let file = world.folder.path().join(format!("{name}.backup"));
    let attached = Store::attach(&world.config).await.unwrap();
    let summary = backup::create(&attached, &file, None, world.now, &|_| {}).await.unwrap();
    attached.close().await;
    assert_eq!(backup::verify(&file, None, &|_| {}).await.unwrap(), summary);
    (file, summary)
}

/// Every row of a backup, by table.
async fn dump(file: &Path) -> BTreeMap<String, Vec<Value>> {
    let content = zstd::decode_all(fs::File::open(file).unwrap()).unwrap();
    let mut tables: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for entry in tar::Archive::new(content.as_slice()).entries().unwrap() {
        let entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        if let Some(table) = path.strip_prefix("tables/").and_then(|path| path.split('/').next()) {
            let lines = std::io::read_to_string(entry).unwrap();
            let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap());
            tables.entry(table.to_owned()).or_default().extend(lines);
        }
    }
    tables
}

/// All rows are there and the same, but for what a restore ends: attempts and their leases, a DEPLOY that waited.
fn must_hold(after: &BTreeMap<String, Vec<Value>>, before: &BTreeMap<String, Vec<Value>>) {
    assert!(before.keys().all(|table| after.contains_key(table)));
    for (table, rows) in before {
        for row in rows {
            let (mut row, was_open) = (row.clone(), row.get("ended_at").is_none());
            let ended = table == "job_attempts" && was_open;
            let moved = (table == "provision_jobs" && row["status"] != "SUCCESS") || table == "specs";
            let found = after[table].iter().any(|other| {
                let mut other = other.clone();
                for fields in [&mut row, &mut other].map(|row| row.as_object_mut().unwrap()) {
                    if ended {
                        fields.remove("ended_at");
                    }
                    if moved {
                        for field in [
                            "status",
                            "status_reason",
                            "lease_expires_at",
                            "not_before",
                            "finished_at",
                            "updated_at",
                        ] {
                            fields.remove(field);
                        }
                    }
                }
                other == row
            });
            assert!(found, "{table}: {row}");
        }
    }
}

/// What a restore leaves alone.
fn without_active(portrait: &Value) -> Value {
    let mut portrait = portrait.clone();
    let fields = portrait.as_object_mut().unwrap();
    for changed in ["audit", "events"] {
        fields.remove(changed);
    }
    let quiet = |spec: &Value| spec != "waiting" && spec != "busy" && spec != "claimed";
    fields["specs"].as_array_mut().unwrap().retain(|spec| quiet(&spec["name"]));
    fields["jobs"].as_array_mut().unwrap().retain(|job| quiet(&job["spec"]));
    portrait
}
