//! Several Consoles on one database: any of them answers, and each hears of what another one did.

use std::time::Duration;

use alethia_api::{
    client::{RunnerClient, StreamItem},
    logs::LogChunk,
    runner::AppendLogs,
    runners::NewRunner,
};
use alethia_domain::lifecycle::JobType;
use alethia_server::{Config, Server, StartError};

use crate::support::{Console, claim_request, document, success};

/// Well below the slow poll: only the doorbell is that fast.
const SOON: Duration = Duration::from_secs(3);

#[tokio::test]
async fn what_one_console_does_wakes_runners_and_streams_of_the_other() {
    let (one, other) = Console::two().await;
    let new = NewRunner { name: "runner".to_owned(), labels: Vec::new() };
    let registered = one.client.register_runner(&new).await.unwrap();
    let runner = RunnerClient::new(&other.server.url(), &registered.token).unwrap();
    let spec = one.put(document(&["orders"])).await.spec.id;
    let waiting = runner.clone();
    let claim = tokio::spawn(async move { waiting.claim(&claim_request(30)).await });
    let job = one.create_job(spec, JobType::Deploy).await;
    let claim = tokio::time::timeout(SOON, claim).await.unwrap().unwrap().unwrap().unwrap();
    assert_eq!(claim.job_id, job.id);

    let attempt = runner.job(&claim);
    attempt.start().await.unwrap();
    let mut stream = one.client.follow_job(job.id, None);
    let at = chrono::Utc::now();
    let chunk = LogChunk { attempt: 1, sequence: 1, at, text: "a line\n".to_owned() };
    attempt.append_logs(&AppendLogs { chunks: vec![chunk] }).await.unwrap();
    let line = async { while !matches!(stream.next().await.unwrap().unwrap(), StreamItem::Log(_)) {} };
    tokio::time::timeout(SOON, line).await.unwrap();
    attempt.finish(&success()).await.unwrap();
    let end = async { while stream.next().await.unwrap().is_some() {} };
    tokio::time::timeout(SOON, end).await.unwrap();
    other.server.shutdown().await;
    one.server.shutdown().await;
}

#[tokio::test]
async fn each_console_has_an_owner_and_both_are_known_to_both() {
    let (one, other) = Console::two().await;
    assert_ne!(one.server.owner_token(), other.server.owner_token());
    let foreign = alethia_api::client::Client::new(&one.server.url(), other.server.owner_token()).unwrap();
    assert_eq!(foreign.tokens(&Default::default()).await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn a_console_with_another_key_does_not_start_on_the_same_database() {
    let database = alethia_testkit::postgres::Postgres::shared().unwrap().create_database().unwrap();
    let first = Console::with(|config| config.database = database.clone()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::new(folder.path());
    config.database = database;
    let Err(StartError::Store(error)) = Server::start(config).await else { panic!("it started") };
    assert!(error.to_string().contains("copy the key file"), "{error}");
    first.server.shutdown().await;
}
