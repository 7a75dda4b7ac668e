//! What was committed stays, whoever else writes at the same time and however the process ends.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::Arc,
};

use alethia_store::{PageRequest, Store, StoreConfig, zones};
use tokio::task::JoinSet;

use crate::fixture::{World, on_both};

on_both!(
    those_that_fail_beside_others_cost_them_nothing,
    a_transaction_in_which_a_statement_failed_is_not_said_to_be_kept
);

async fn those_that_fail_beside_others_cost_them_nothing(world: World) {
    let world = Arc::new(world);
    let mut writers = JoinSet::new();
    for number in 0..40 {
        let world = world.clone();
        writers.spawn(async move {
            let tx = world.store.begin().await.unwrap();
            let name = format!("zone-{number}");
            zones::insert(&tx, &name, None, world.now).await.unwrap();
            match number % 4 {
                0 => drop(tx),
                1 => {
                    drop(zones::insert(&tx, zones::DEFAULT, None, world.now).await.unwrap_err());
                    drop(tx);
                }
                _ => {
                    tx.commit().await.unwrap();
                    assert!(zones::by_name(&world.store, &name).await.is_ok(), "{name} is there at once");
                }
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    assert_eq!(numbers(&world.store).await, (0..40).filter(|number| number % 4 > 1).collect());
}

async fn a_transaction_in_which_a_statement_failed_is_not_said_to_be_kept(world: World) {
    let tx = world.store.begin().await.unwrap();
    zones::insert(&tx, "zone-1", None, world.now).await.unwrap();
    assert!(zones::insert(&tx, zones::DEFAULT, None, world.now).await.is_err(), "it is there already");
    assert!(zones::insert(&tx, "zone-2", None, world.now).await.is_err(), "the transaction is over");
    assert!(zones::by_name(&tx, "zone-1").await.is_err(), "the transaction is over");
    assert!(tx.commit().await.is_err());
    assert!(numbers(&world.store).await.is_empty());
}

async fn numbers(store: &Store) -> BTreeSet<u32> {
    let page = zones::list(store, PageRequest::first(200)).await.unwrap();
    page.items.iter().filter_map(|zone| zone.name.strip_prefix("zone-")?.parse().ok()).collect()
}

const FOLDER: &str = "ALETHIA_TEST_KILLED_IN";

/// The process that is killed: eight writers share groups and say what was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let config = StoreConfig::in_folder(folder.as_ref()).unwrap();
    let now = chrono::DateTime::UNIX_EPOCH;
    let store = Store::open(&config, now).await.unwrap();
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let store = store.clone();
        writers.spawn(async move {
            for number in 0.. {
                let tx = store.begin().await.unwrap();
                let name = format!("zone-{}", writer * 1_000_000 + number);
                zones::insert(&tx, &name, None, now).await.unwrap();
                tx.commit().await.unwrap();
                println!("kept {name}");
            }
        });
    }
    writers.join_all().await;
}

#[tokio::test]
async fn a_killed_process_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "commits::writes_until_it_is_killed", "--nocapture"])
        .env(FOLDER, &data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let kept: Vec<String> = lines
        .filter_map(|line| line.split_once("kept ").map(|(_, name)| name.to_owned()))
        .take(300)
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(kept.len(), 300, "the writers came far enough");
    let store =
        Store::open(&StoreConfig::in_folder(&data).unwrap(), chrono::DateTime::UNIX_EPOCH).await.unwrap();
    for name in kept {
        assert!(zones::by_name(&store, &name).await.is_ok(), "{name} was acknowledged");
    }
    store.close().await;
}
