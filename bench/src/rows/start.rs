//! From the start of the process to the first answer that the Console is ready, on a data folder that is there.

use std::{
    net::TcpListener,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use rustix::process::{Signal, kill_process};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use crate::{
    console,
    figure::{Figure, Reach},
    ground::{Ground, Kind, Scene},
    sample::Latencies,
};

const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn measure(ground: &Ground) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let scene = ground.empty(kind).await?;
        let first = start(&scene).await?;
        let mut later = Latencies::default();
        for _ in 0..ground.times(20, 5) {
            later.add(start(&scene).await?);
        }
        let what = format!("start of `alethia serve` to ready, {}", kind.as_str());
        figures.extend(Figure::percentiles(&what, Reach::AtMost(150.0), Reach::Told, &[later]));
        let first = vec![first.as_secs_f64() * 1000.0];
        figures.push(Figure::new(
            format!("{what}, the first of all (it makes its folder)"),
            Reach::Told,
            "ms",
            first,
        ));
        ground.remove(scene).await?;
    }
    Ok(figures)
}

async fn start(scene: &Scene) -> Result<Duration> {
    // A port that is free now; nobody else takes it in the moment until the Console does.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let mut command = console::alethia()?;
    command.args(["serve", "--listen", &address, "--database", &scene.database]);
    command.arg("--data-dir").arg(console::data(scene).await?);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn()?;
    while !is_ready(&address).await {
        if start.elapsed() > PATIENCE {
            bail!("the Console was not ready in time");
        }
        sleep(Duration::from_millis(1)).await;
    }
    let took = start.elapsed();
    kill_process(console::pid(&child)?, Signal::TERM)?;
    child.wait().await?;
    Ok(took)
}

async fn is_ready(address: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address).await else { return false };
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let mut answer = Vec::new();
    stream.write_all(request.as_bytes()).await.is_ok()
        && stream.read_to_end(&mut answer).await.is_ok()
        && answer.starts_with(b"HTTP/1.1 200")
}
