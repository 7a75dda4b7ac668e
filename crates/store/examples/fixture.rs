//! Keeps a platform as the code of this release writes it, for the tests of upgrades: `cargo xtask fixture`.
//!
//! Into the folder that is named: for each database its dump as SQL, its blobs, and the portrait that later code must
//! still see; and the key that both are sealed with. Needs `sqlite3`, `pg_dump` and a PostgreSQL.

#![expect(clippy::unwrap_used, reason = "shared with tests: what can't go on says so by panicking")]

#[path = "../tests/store/platform/mod.rs"]
mod platform;

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use alethia_store::{Store, StoreConfig, seal::Keyring};
use alethia_testkit::postgres::Postgres;
use chrono::{DateTime, Utc};

/// 32 bytes that open nothing but fixtures.
const KEY: &str = "Zml4dHVyZXMgb2YgYWxldGhpYSwgbm8gcmVhbCBrZXk=";

#[tokio::main]
async fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("name a folder for the fixture"));
    fs::create_dir_all(&folder).expect("the folder can be made");
    let key = folder.join("key");
    fs::write(&key, format!("{KEY}\n")).expect("the key can be written");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("the key can be made private");

    let scratch = tempfile::tempdir().expect("there is a folder for temporary files");
    let file = scratch.path().join("alethia.db");
    make(&folder, "sqlite", format!("sqlite://{}", file.display())).await;
    dump(&folder, "sqlite", Command::new("sqlite3").arg(&file).arg(".dump"));

    let url = Postgres::shared().and_then(Postgres::create_database).expect("there is a PostgreSQL");
    make(&folder, "postgres", url.clone()).await;
    let mut pg_dump = Command::new("pg_dump");
    dump(&folder, "postgres", pg_dump.args(["--inserts", "--no-owner", "--no-privileges", "--dbname", &url]));
}

async fn make(folder: &Path, database: &str, url: String) {
    let config = StoreConfig {
        database_url: url,
        blobs_url: folder.join(database).join("blobs").display().to_string(),
        keyring: Keyring::from_file(&folder.join("key")).expect("the key was just written"),
    };
    let now: DateTime<Utc> = "2026-03-01T12:00:00.123456Z".parse().expect("it is a time");
    let store = Store::open(&config, now).await.expect("the store opens");
    platform::seed(&store, now).await;
    let portrait = platform::portrait(&store, now).await;
    let text = serde_json::to_string(&portrait).expect("a portrait is JSON");
    fs::write(folder.join(database).join("portrait.json"), text + "\n").expect("the portrait can be written");
    store.close().await;
}

/// Lines that only `psql` understands are left out.
fn dump(folder: &Path, database: &str, command: &mut Command) {
    let output = command.output().expect("the program that dumps is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("a dump is text");
    let lines = text.lines().filter(|line| !line.starts_with('\\') && !line.starts_with("--"));
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    fs::write(folder.join(database).join("dump.sql"), lines.join("\n") + "\n").expect("it can be written");
}
