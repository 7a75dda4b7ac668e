//! Keys are replaced while Consoles run, and nothing is unreadable meanwhile.

use std::{fs, path::PathBuf};

use alethia_domain::{ids::SpecId, lifecycle::JobType};
use alethia_store::{
    Conflict, Store, StoreConfig, StoreError, blobs,
    jobs::Fence,
    keys::{self, Console, SealingKey},
    seal::{KeyFile, Keyring},
    states::{self, Write},
};
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    fixture::{World, on_both},
    platform,
};

on_both!(
    a_key_is_replaced_while_consoles_write_and_read,
    a_kill_in_the_middle_costs_nothing,
    a_key_seals_only_when_every_console_knows_it,
    a_console_that_missed_it_all_loses_nothing,
    a_store_does_not_open_without_its_keys,
);

async fn a_key_is_replaced_while_consoles_write_and_read(world: World) {
    let (spec, fence) = writing(&world).await;
    platform::seed(&world.store, world.now).await;
    let (one, two) = (Member::join(&world, "one").await, Member::join(&world, "two").await);
    let before = portrait(&one.store, world.now).await;
    let old = one.config.keyring.sealing();
    let new = one.file().add().unwrap();
    fs::copy(&one.key, &two.key).unwrap();
    two.refresh(world.now).await.unwrap();
    one.rotate(&new, world.now).await.unwrap();

    let writer = tokio::spawn(write_states(two.store.clone(), spec, fence, world.now));
    let stop = CancellationToken::new();
    let (first, second) = tokio::join!(keys::reseal(&one.store, &stop), keys::reseal(&two.store, &stop));
    assert_eq!((first.unwrap().failed, second.unwrap().failed), (0, 0));
    assert_eq!(portrait(&two.store, world.now).await, before);
    writer.await.unwrap();
    two.refresh(world.now).await.unwrap();
    while one.key(&old, world.now).await.seals > 0 {
        keys::reseal(&one.store, &stop).await.unwrap();
    }

    let tx = one.store.begin().await.unwrap();
    keys::remove(&tx, &old).await.unwrap();
    tx.commit().await.unwrap();
    one.file().remove(&old).unwrap();
    let alone = StoreConfig { keyring: Keyring::from_file(&one.key).unwrap(), ..one.config.clone() };
    assert_eq!(alone.keyring.ids(), std::slice::from_ref(&new));
    let alone = Store::open(&alone, world.now).await.unwrap();
    assert_eq!(portrait(&alone, world.now).await, before);
    assert_eq!(states::read(&alone, spec).await.unwrap().unwrap().0.serial, 20);

    let blobs_before = world.blobs().len();
    assert_eq!(
        blobs::sweep(&alone, world.now).await.unwrap(),
        0,
        "whoever read a row before still finds its blob"
    );
    assert!(blobs::sweep(&alone, world.after(25 * 3600)).await.unwrap() > 0);
    assert!(world.blobs().len() < blobs_before);
    assert_eq!(portrait(&alone, world.now).await, before);
}

async fn a_kill_in_the_middle_costs_nothing(world: World) {
    platform::seed(&world.store, world.now).await;
    let one = Member::join(&world, "one").await;
    let before = portrait(&one.store, world.now).await;
    let old = one.config.keyring.sealing();
    let new = one.file().add().unwrap();
    one.rotate(&new, world.now).await.unwrap();
    let all = one.key(&old, world.now).await.seals;
    let mut left = all;
    while left > 0 {
        let store = one.store.clone();
        let pass = tokio::spawn(async move { keys::reseal(&store, &CancellationToken::new()).await });
        while one.key(&old, world.now).await.seals == left && !pass.is_finished() {
            tokio::task::yield_now().await;
        }
        pass.abort();
        let _ = pass.await;
        assert_eq!(portrait(&one.store, world.now).await, before);
        left = one.key(&old, world.now).await.seals;
    }
    assert_eq!(one.key(&new, world.now).await.seals, all);
}

const FOLDER: &str = "ALETHIA_TEST_SEALS_IN";

/// The process that is killed.
#[tokio::test]
async fn seals_again_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let config = StoreConfig::in_folder(folder.as_ref()).unwrap();
    let store = Store::open(&config, DateTime::UNIX_EPOCH).await.unwrap();
    keys::reseal(&store, &CancellationToken::new()).await.unwrap();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_it_seals_again_costs_nothing() {
    let world = World::sqlite().await;
    let (spec, fence) = writing(&world).await;
    write_states(world.store.clone(), spec, fence, world.now).await;
    platform::seed(&world.store, world.now).await;
    let one = Member::join(&world, "one").await;
    let before = platform::portrait(&one.store, world.now).await;
    let old = one.config.keyring.sealing();
    let new = one.file().add().unwrap();
    one.rotate(&new, world.now).await.unwrap();
    fs::copy(&one.key, world.folder.path().join("key")).unwrap();
    let all = one.key(&old, world.now).await.seals;
    for part in [4, 2] {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "keys::seals_again_until_it_is_killed"])
            .env(FOLDER, world.folder.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        while one.key(&old, world.now).await.seals > all - all / part && child.try_wait().unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(platform::portrait(&one.store, world.now).await, before);
    }
    keys::reseal(&one.store, &CancellationToken::new()).await.unwrap();
    assert_eq!((one.key(&old, world.now).await.seals, one.key(&new, world.now).await.seals), (0, all));
    assert_eq!(platform::portrait(&one.store, world.now).await, before);
}

async fn a_key_seals_only_when_every_console_knows_it(world: World) {
    let (one, two) = (Member::join(&world, "one").await, Member::join(&world, "two").await);
    let old = one.config.keyring.sealing();
    let new = one.file().add().unwrap();
    one.refresh(world.now).await.unwrap();
    let waiting = one.key(&new, world.now).await;
    assert_eq!((waiting.is_current, waiting.used_since, waiting.seals), (false, None, 0));
    assert_eq!((waiting.known_by, waiting.unknown_to), (vec!["one".to_owned()], vec!["two".to_owned()]));
    let refused = one.rotate(&new, world.now).await.unwrap_err();
    let told = Conflict::KeyUnknown { key: new.clone(), consoles: "two".to_owned() };
    assert!(matches!(refused, StoreError::Conflict(conflict) if conflict == told));
    let unknown = two.rotate(&new, world.now).await.unwrap_err();
    assert!(matches!(unknown, StoreError::NotFound { .. }), "{unknown}");
    assert_eq!(one.config.keyring.sealing(), old);

    keys::leave(&two.store, "two").await.unwrap();
    one.rotate(&new, world.now).await.unwrap();
    assert!(one.key(&new, world.now).await.is_current);
    let in_use = remove(&one.store, &new).await.unwrap_err();
    assert!(matches!(in_use, StoreError::Conflict(Conflict::KeyInUse { .. })), "{in_use}");
    let late = two.refresh(world.now).await.unwrap_err().to_string();
    assert!(late.contains(&new) && late.contains("key file"), "{late}");
}

/// It stood still from before the change until the old key was removed. What it would seal with that key is refused.
async fn a_console_that_missed_it_all_loses_nothing(world: World) {
    let (one, late) = (Member::join(&world, "one").await, Member::join(&world, "late").await);
    let (spec, fence) = writing(&world).await;
    let old = one.config.keyring.sealing();
    let new = one.file().add().unwrap();
    let much_later = world.after(3600);
    one.rotate(&new, much_later).await.unwrap();
    keys::reseal(&one.store, &CancellationToken::new()).await.unwrap();
    remove(&one.store, &old).await.unwrap();

    let content = platform::state(1);
    let write = Write { spec_id: spec, fence, lock_id: None, content: content.as_bytes() };
    states::write(&late.store, write, much_later).await.unwrap_err();
    assert!(states::read(&one.store, spec).await.unwrap().is_none());
    fs::copy(&one.key, &late.key).unwrap();
    late.refresh(much_later).await.unwrap();
    states::write(&late.store, write, much_later).await.unwrap();
    assert_eq!(states::read(&one.store, spec).await.unwrap().unwrap().1.as_ref(), content.as_bytes());
}

async fn a_store_does_not_open_without_its_keys(world: World) {
    let other = StoreConfig { keyring: Keyring::new(&[[5; 32]]).unwrap(), ..world.config.clone() };
    let refused = Store::open(&other, world.now).await.map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains(&world.config.keyring.sealing()) && refused.contains("key file"), "{refused}");
}

/// A Console with a key file of its own.
struct Member {
    name: &'static str,
    key: PathBuf,
    config: StoreConfig,
    store: Store,
}

impl Member {
    async fn join(world: &World, name: &'static str) -> Self {
        let key = world.folder.path().join(format!("{name}.key"));
        fs::copy(world.key(), &key).unwrap();
        let config = StoreConfig { keyring: Keyring::from_file(&key).unwrap(), ..world.config.clone() };
        let store = Store::open(&config, world.now).await.unwrap();
        let member = Self { name, key, config, store };
        member.refresh(world.now).await.unwrap();
        member
    }

    fn file(&self) -> KeyFile {
        KeyFile::new(&self.key)
    }

    async fn refresh(&self, now: DateTime<Utc>) -> alethia_store::Result<()> {
        keys::refresh(&self.store, Console { name: self.name, version: "0" }, now).await
    }

    async fn rotate(&self, id: &str, now: DateTime<Utc>) -> alethia_store::Result<()> {
        self.refresh(now).await?;
        let tx = self.store.begin().await?;
        keys::rotate(&tx, id, now).await?;
        tx.commit().await?;
        self.refresh(now).await
    }

    async fn key(&self, id: &str, now: DateTime<Utc>) -> SealingKey {
        let keys = keys::list(&self.store, now).await.unwrap().keys;
        keys.into_iter().find(|key| key.id == id).unwrap()
    }
}

async fn remove(store: &Store, id: &str) -> alethia_store::Result<()> {
    let tx = store.begin().await?;
    keys::remove(&tx, id).await?;
    tx.commit().await
}

/// A DEPLOY that runs.
async fn writing(world: &World) -> (SpecId, Fence) {
    let spec = world.spec("written").await;
    (spec, world.started(spec, JobType::Deploy).await)
}

/// It writes its state again and again, and reads it back each time.
async fn write_states(store: Store, spec_id: SpecId, fence: Fence, now: DateTime<Utc>) {
    for serial in 1..=20 {
        let content = platform::state(serial);
        let write = Write { spec_id, fence, lock_id: None, content: content.as_bytes() };
        states::write(&store, write, now).await.unwrap();
        let (_, read) = states::read(&store, spec_id).await.unwrap().unwrap();
        assert_eq!(read.as_ref(), content.as_bytes());
    }
}

/// All but the Spec that is written to.
async fn portrait(store: &Store, now: DateTime<Utc>) -> Value {
    let mut portrait = platform::portrait(store, now).await;
    let specs = portrait["specs"].as_array_mut().unwrap();
    specs.retain(|spec| spec["name"] != "written");
    portrait
}
