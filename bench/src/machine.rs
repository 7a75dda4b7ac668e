//! Facts about the machine that figures depend on, without anything that names the machine or its owner.

use std::{
    fs::{self, File},
    io::{Seek, Write},
    path::Path,
    time::Instant,
};

use anyhow::Result;
use sea_orm::{ConnectionTrait, Database, Statement};

use crate::{
    ground::{Ground, Kind},
    sample::Latencies,
};

/// One fact a line, name and value.
pub(crate) async fn facts(ground: &Ground) -> Result<Vec<(&'static str, String)>> {
    let cores = std::thread::available_parallelism()?.to_string();
    let (model, memory) = (field("/proc/cpuinfo", "model name"), field("/proc/meminfo", "MemTotal"));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    Ok(vec![
        ("cores", cores),
        ("processor", model),
        ("memory", memory),
        ("load before the first row, 1 minute", load),
        ("a write of 8 KB made durable (fdatasync)", durable_write(&ground.folder()?)?),
        ("PostgreSQL", version(ground, Kind::Postgres, "SHOW server_version").await?),
        ("SQLite", version(ground, Kind::Sqlite, "SELECT sqlite_version()").await?),
    ])
}

fn field(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let value = line.map(|line| line.trim_start_matches([' ', '\t', ':']).trim_end().to_owned());
    value.unwrap_or_else(|| "unknown".to_owned())
}

/// What every commit waits for at least.
fn durable_write(folder: &Path) -> Result<String> {
    let mut file = File::create(folder.join("durable"))?;
    let mut latencies = Latencies::default();
    for _ in 0..300 {
        file.rewind()?;
        let start = Instant::now();
        file.write_all(&[7; 8192])?;
        file.sync_data()?;
        latencies.since(start);
    }
    Ok(format!("p50 {:.2} ms, p99 {:.2} ms", latencies.p50(), latencies.p99()))
}

async fn version(ground: &Ground, kind: Kind, sql: &str) -> Result<String> {
    let scene = ground.empty(kind).await?;
    let url = match kind {
        Kind::Postgres => scene.database.clone(),
        Kind::Sqlite => format!("{}?mode=rwc", scene.database),
    };
    let connection = Database::connect(&url).await?;
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await?;
    let version = row.map(|row| row.try_get_by_index::<String>(0)).transpose()?;
    connection.close().await?;
    ground.remove(scene).await?;
    Ok(version.unwrap_or_default())
}
