//! Streams: everything once, in order, also when they are broken off anywhere.

use std::time::Duration;

use alethia_api::{
    client::StreamItem,
    logs::LogChunk,
    problem::Code,
    runner::{AppendLogs, ReportProgress},
};
use alethia_domain::{
    event::EventChange,
    ids::JobId,
    lifecycle::{JobStatus, JobType},
};
use futures::StreamExt;
use reqwest::Method;

use crate::support::{Console, Taken, document, problem, success, take_and_start};

async fn log(taken: &Taken, sequence: u64) {
    let at = chrono::Utc::now();
    let chunk = LogChunk { attempt: 1, sequence, at, text: format!("line {sequence}\n") };
    taken.job.append_logs(&AppendLogs { chunks: vec![chunk] }).await.unwrap();
}

async fn progress(taken: &Taken, done: u32) {
    let report = ReportProgress { step: "apply".to_owned(), done, total: 3, components: Vec::new() };
    taken.job.report_progress(&report).await.unwrap();
}

/// All that is left, each with the id after it.
async fn follow(console: &Console, job: JobId, after: Option<String>) -> Vec<(String, StreamItem)> {
    let mut stream = console.client.follow_job(job, after);
    let mut items = Vec::new();
    while let Some(item) = stream.next().await.unwrap() {
        items.push((stream.last_event_id().unwrap().to_owned(), item));
    }
    items
}

async fn a_finished_job(console: &Console) -> JobId {
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let job = console.create_job(spec, JobType::Deploy).await;
    let taken = take_and_start(&runner).await;
    for round in 1..=3 {
        log(&taken, u64::from(round)).await;
        progress(&taken, round).await;
    }
    taken.job.finish(&success()).await.unwrap();
    job.id
}

#[tokio::test]
async fn a_job_is_followed_live_to_its_end() {
    let console = Console::start().await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let job = console.create_job(spec, JobType::Deploy).await;
    let mut stream = console.client.follow_job(job.id, None);
    let first = stream.next().await.unwrap().unwrap();
    let StreamItem::Change(first) = first else { panic!("{first:?}") };
    assert!(matches!(first.change, EventChange::JobChanged { status: JobStatus::Queued, .. }));
    let taken = take_and_start(&runner).await;
    log(&taken, 1).await;
    let mut saw_line = false;
    while !saw_line {
        let item = stream.next().await.unwrap().expect("the job goes on");
        saw_line = matches!(&item, StreamItem::Log(chunk) if chunk.text == "line 1\n");
    }
    taken.job.finish(&success()).await.unwrap();
    let mut last = None;
    while let Some(item) = stream.next().await.unwrap() {
        last = Some(item);
    }
    let Some(StreamItem::Change(last)) = last else { panic!("{last:?}") };
    assert!(matches!(last.change, EventChange::JobChanged { status: JobStatus::Success, .. }), "{last:?}");
}

#[tokio::test]
async fn a_stream_goes_on_after_any_message_without_gap_or_double() {
    let console = Console::start().await;
    let job = a_finished_job(&console).await;
    let all = follow(&console, job, None).await;
    let lines = all.iter().filter(|(_, item)| matches!(item, StreamItem::Log(_))).count();
    assert_eq!(lines, 3);
    for (index, (id, _)) in all.iter().enumerate() {
        let rest = follow(&console, job, Some(id.clone())).await;
        assert_eq!(rest, all[index + 1..], "after {id}");
    }
}

#[tokio::test]
async fn a_stream_tells_things_in_the_order_in_which_they_happened() {
    let console = Console::start().await;
    let job = a_finished_job(&console).await;
    let all = follow(&console, job, None).await;
    let times: Vec<_> = all
        .iter()
        .map(|(_, item)| match item {
            StreamItem::Change(event) => event.at,
            StreamItem::Log(chunk) => chunk.at,
        })
        .collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[tokio::test]
async fn the_stream_of_everything_begins_now_and_resumes_after_any_event() {
    let console = Console::start().await;
    console.put(document(&["orders"])).await;
    let response = console.request(Method::GET, "/events").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let spec = console.put(document(&["orders", "mails"])).await.spec.id;
    let mut bytes = response.bytes_stream();
    let mut text = String::new();
    while !text.contains("revision_added") {
        text += std::str::from_utf8(&bytes.next().await.unwrap().unwrap()).unwrap();
    }
    assert!(text.contains(&spec.to_string()));
    assert!(text.contains("\"revision\":2"), "{text}");
    assert!(!text.contains("\"revision\":1"), "{text}");
    let from_start = console.request(Method::GET, "/events").header("last-event-id", "0");
    let mut bytes = from_start.send().await.unwrap().bytes_stream();
    let first = bytes.next().await.unwrap().unwrap();
    assert!(std::str::from_utf8(&first).unwrap().contains("id: 1."));
    let wrong = console.request(Method::GET, "/events").header("last-event-id", "x");
    assert_eq!(problem(wrong).await.code, Code::Invalid);
}

#[tokio::test]
async fn only_so_many_streams_are_open_at_once() {
    let console = Console::with(|config| config.limits.streams = 1).await;
    let open = console.request(Method::GET, "/events").send().await.unwrap();
    let second = problem(console.request(Method::GET, "/events")).await;
    assert_eq!(second.code, Code::Unavailable);
    let metrics = console.open_request(Method::GET, "/metrics").bearer_auth(console.server.owner_token());
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("alethia_open_streams 1"), "{metrics}");
    drop(open);
}

#[tokio::test]
async fn a_console_that_ends_ends_its_streams() {
    let console = Console::start().await;
    let response = console.request(Method::GET, "/events").send().await.unwrap();
    let Console { server, .. } = console;
    server.shutdown().await;
    let rest: Vec<_> = response.bytes_stream().collect().await;
    assert!(rest.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_stream_ends_after_its_time_and_a_client_goes_on_where_it_was() {
    let console = Console::with(|config| config.limits.stream_time = Duration::from_millis(300)).await;
    let spec = console.put(document(&["orders"])).await.spec.id;
    let runner = console.runner().await;
    let job = console.create_job(spec, JobType::Deploy).await;
    let stream = console.request(Method::GET, &format!("/jobs/{}/stream", job.id)).send().await.unwrap();
    let told = tokio::time::timeout(Duration::from_secs(3), stream.text()).await.expect("it ends").unwrap();
    assert!(told.contains("event: change") && !told.contains("event: end"), "{told}");
    let mut following = console.client.follow_job(job.id, None);
    following.next().await.unwrap().unwrap();
    let silence = tokio::time::timeout(Duration::from_millis(700), following.next()).await;
    assert!(silence.is_err(), "nothing is told twice");
    take_and_start(&runner).await.job.finish(&success()).await.unwrap();
    let mut statuses = Vec::new();
    while let Some(item) = following.next().await.unwrap() {
        if let StreamItem::Change(event) = item
            && let EventChange::JobChanged { status, .. } = event.change
        {
            statuses.push(status);
        }
    }
    assert_eq!(statuses, [JobStatus::Claimed, JobStatus::Processing, JobStatus::Success]);
}
