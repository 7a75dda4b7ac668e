//! A database that goes away: nobody waits for it, nothing is lost, and everything goes on once it is back.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use alethia_api::{client::ClientError, logs::LogChunk, problem::Code, runner::AppendLogs};
use alethia_domain::lifecycle::{JobStatus, JobType};
use alethia_server::{Config, Server, StartError};
use alethia_testkit::postgres::{Postgres, Shutdown};
use futures::StreamExt;
use reqwest::{Method, Response, StatusCode};

use crate::support::{Console, Taken, document, eventually, success, take, take_and_start};

/// An answer that did not wait for anything.
const AT_ONCE: Duration = Duration::from_millis(800);

/// A server of its own: the others of this process go on.
async fn console_on(server: &Postgres) -> (Console, String) {
    let database = server.create_database().unwrap();
    let console = Console::with(|config| config.database = database.clone()).await;
    (console, database)
}

async fn status(console: &Console, path: &str) -> StatusCode {
    console.open_request(Method::GET, path).send().await.unwrap().status()
}

/// Waits until requests are turned away, then looks how.
async fn is_turned_away(console: &Console) {
    let zones = || console.request(Method::GET, "/zones").send();
    eventually(|| async { zones().await.unwrap().status() == StatusCode::SERVICE_UNAVAILABLE }).await;
    let began = Instant::now();
    let answer = zones().await.unwrap();
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(status(console, "/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(status(console, "/healthz").await, StatusCode::OK);
}

/// As a Runner does: again and again while the Console is out of order, and only then.
async fn log(taken: &Taken, sequence: u64) {
    let (at, text) = (chrono::Utc::now(), format!("line {sequence}\n"));
    let logs = AppendLogs { chunks: vec![LogChunk { attempt: 1, sequence, at, text }] };
    eventually(|| async {
        match taken.job.append_logs(&logs).await {
            Ok(()) => true,
            Err(error) if error.is_transient() => false,
            Err(error) => panic!("{error:?}"),
        }
    })
    .await;
}

/// Reads on until the text is there.
async fn read_until(
    stream: &mut (impl StreamExt<Item = reqwest::Result<axum::body::Bytes>> + Unpin),
    told: &mut String,
    text: &str,
) {
    let reading = async {
        while !told.contains(text) {
            let part = stream.next().await.expect("the stream stays open").unwrap();
            *told += std::str::from_utf8(&part).unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.expect("it is told in time");
}

async fn stream_of(console: &Console, taken: &Taken) -> Response {
    console.request(Method::GET, &format!("/jobs/{}/stream", taken.claim.job_id)).send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_and_its_stream_go_on_after_the_database_was_away() {
    let server = Postgres::start().unwrap();
    let (console, _) = console_on(&server).await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let job = console.create_job(spec, JobType::Deploy).await;
    let taken = take_and_start(&runner).await;
    let (mut stream, mut told) = (stream_of(&console, &taken).await.bytes_stream(), String::new());
    log(&taken, 1).await;
    read_until(&mut stream, &mut told, "line 1").await;

    server.stop(Shutdown::Fast).unwrap();
    is_turned_away(&console).await;
    let lost = taken.job.heartbeat(&Default::default()).await;
    assert!(matches!(lost, Err(ClientError::Refused(problem)) if problem.code == Code::Unavailable));
    server.start_again().unwrap();

    log(&taken, 2).await;
    read_until(&mut stream, &mut told, "line 2").await;
    taken.job.heartbeat(&Default::default()).await.unwrap();
    eventually(|| async { status(&console, "/readyz").await == StatusCode::OK }).await;
    taken.job.finish(&success()).await.unwrap();
    read_until(&mut stream, &mut told, "event: end").await;
    for once in ["line 1", "line 2", "\"status\":\"SUCCESS\""] {
        assert_eq!(told.matches(once).count(), 1, "{once} in {told}");
    }
    assert_eq!(console.job(job.id).await.status, JobStatus::Success);
    console.create_job(spec, JobType::Plan).await;
    take(&runner).await;
    console.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runner_that_stays_silent_after_the_database_is_back_is_known_as_lost_one_lease_later() {
    let server = Postgres::start().unwrap();
    let database = server.create_database().unwrap();
    let console = Console::with(|config| {
        config.database = database;
        config.lease = Duration::from_millis(1500);
    });
    let console = console.await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let job = console.create_job(spec, JobType::Deploy).await;
    let lost = take_and_start(&console.runner().await).await;
    server.stop(Shutdown::Fast).unwrap();
    is_turned_away(&console).await;
    eventually(|| async { chrono::Utc::now() > lost.claim.lease_expires_at }).await;
    server.start_again().unwrap();
    let back = Instant::now();
    eventually(|| async { console.job(job.id).await.status == JobStatus::Failed }).await;
    assert!(back.elapsed() > console.server.app().config.lease, "it was given one lease to be heard of");
    console.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_does_not_answer_is_taken_for_one_that_is_away() {
    let server = Postgres::start().unwrap();
    let (console, database) = console_on(&server).await;
    let frozen = Frozen::all_of(&database);
    is_turned_away(&console).await;
    drop(frozen);
    eventually(|| async { status(&console, "/readyz").await == StatusCode::OK }).await;
    console.put(document(&["orders"])).await;
    console.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_waits_at_its_start_for_a_database_that_is_not_there_yet() {
    let server = Postgres::start().unwrap();
    let database = server.create_database().unwrap();
    server.stop(Shutdown::Fast).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new(folder.path());
    config.database = database;
    config.database_wait = Duration::from_millis(10);
    let Err(StartError::Store(_)) = Server::start(config.clone()).await else { panic!("it started") };
    config.database_wait = Duration::from_secs(30);
    let starting = tokio::spawn(Server::start(config));
    server.start_again().unwrap();
    starting.await.unwrap().unwrap().shutdown().await;
}

#[tokio::test]
async fn a_database_that_will_never_be_there_is_not_waited_for() {
    let database = Postgres::shared().unwrap().create_database().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new(folder.path());
    config.database = database.replace("/test_", "/nowhere_");
    let began = Instant::now();
    let Err(StartError::Store(_)) = Server::start(config).await else { panic!("it started") };
    assert!(began.elapsed() < Duration::from_secs(10));
}

/// A server that stands still, until this is dropped.
struct Frozen(Vec<String>);

impl Frozen {
    fn all_of(database: &str) -> Self {
        let folder = PathBuf::from(database.split_once("host=").unwrap().1);
        let main = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
        let main = main.lines().next().unwrap().to_owned();
        let children = Path::new("/proc").join(&main).join("task").join(&main).join("children");
        let mut processes: Vec<String> =
            fs::read_to_string(children).unwrap().split_whitespace().map(str::to_owned).collect();
        processes.push(main);
        signal("-STOP", &processes);
        Self(processes)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        signal("-CONT", &self.0);
    }
}

fn signal(signal: &str, processes: &[String]) {
    Command::new("kill").arg(signal).args(processes).status().unwrap();
}
