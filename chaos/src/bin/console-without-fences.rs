//! A Console with a planted bug: it takes what an attempt writes after its end. The harness's own test runs it, and must
//! notice. It understands what `alethia serve` is given in a run; nothing else of the platform can be told to be like this.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use alethia_server::{Config, Server};
use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Be a Console
    Serve {
        #[arg(long, env = "ALETHIA_LISTEN")]
        listen: SocketAddr,
        #[arg(long)]
        database: String,
        #[arg(long)]
        blobs: String,
        #[arg(long)]
        lease: u64,
        #[arg(long)]
        data_dir: PathBuf,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let Command::Serve { listen, database, blobs, lease, data_dir } = Arguments::parse().command;
    let announcement = data_dir.join("console.json");
    let config =
        Config { listen, database, blobs, lease: Duration::from_secs(lease), ..Config::new(data_dir) };
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let server = Server::start_without_fences(config).await?;
    let told = serde_json::json!({ "address": server.url() });
    std::fs::write(&announcement, told.to_string()).context("the address can't be told")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    server.shutdown().await;
    Ok(())
}
