use std::net::Ipv4Addr;

use alethia_domain::lifecycle::JobType;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_util::task::AbortOnDropHandle;

use super::*;
use crate::test_console::{Mood, TestConsole, claim_of};

/// What Terraform knows of its state backend.
#[derive(Clone)]
pub(crate) struct Way {
    pub address: String,
    pub user: String,
    pub password: String,
}

impl Way {
    /// Makes a call as Terraform does; status and body.
    pub(crate) async fn call(&self, method: &str, query: &str, body: &str) -> (u16, String) {
        let (host, path) = self.address.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let basic = BASE64_STANDARD.encode(format!("{}:{}", self.user, self.password));
        let length = body.len();
        let request = format!(
            "{method} /{path}{query} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {basic}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn calls(&self, method: &'static str, query: &'static str) -> JoinHandle<(u16, String)> {
        let way = self.clone();
        tokio::spawn(async move { way.call(method, query, "{}").await })
    }
}

/// A front in this process.
struct Open {
    way: Way,
    hurry: CancellationToken,
    _serving: AbortOnDropHandle<io::Result<()>>,
}

fn open(console: &str) -> Open {
    let backend = Backend::of(&claim_of(JobType::Deploy), console);
    let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let [(_, address), .., (_, user), (_, password), _] = backend.variables(door.local_addr().unwrap());
    let (way, hurry) = (Way { address, user, password }, CancellationToken::new());
    let told = hurry.clone();
    let serving = tokio::spawn(async move { serve(door, &backend, told).await });
    Open { way, hurry, _serving: AbortOnDropHandle::new(serving) }
}

/// A write that comes while the Console is so is asked again, and kept once when the Console is well.
async fn is_written_once_well(mood: Mood) {
    let console = TestConsole::start().await;
    let front = open(&console.address);
    console.set(|received| received.state_lock = Some("one".to_owned()));
    console.set(|received| received.mood = mood);
    let write = front.way.calls("POST", "?ID=one");
    console.until("it is asked again", |received| received.state_calls > 1).await;
    console.set(|received| received.mood = Mood::Well);
    assert_eq!(write.await.unwrap().0, 204);
    assert_eq!(console.received().states.len(), 1);
}

#[tokio::test]
async fn what_the_console_says_goes_back_as_it_came() {
    let console = TestConsole::start().await;
    let front = open(&console.address);
    assert_eq!(front.way.call("LOCK", "", r#"{"ID":"one"}"#).await.0, 204);
    let held = front.way.call("LOCK", "", r#"{"ID":"two"}"#).await;
    assert_eq!(held, (423, r#"{"ID":"one"}"#.to_owned()));
    assert_eq!(front.way.call("POST", "?ID=one", r#"{"serial":1}"#).await.0, 204);
    assert_eq!(console.received().states, [("one".to_owned(), r#"{"serial":1}"#.into())]);
    assert_eq!(front.way.call("UNLOCK", "", r#"{"ID":"one"}"#).await.0, 204);
    console.set(|received| received.attempt_over_for_state = true);
    let (status, body) = front.way.call("POST", "?ID=one", "{}").await;
    assert!(status == 409 && body.contains("lease_lost"), "{status} {body}");
}

#[tokio::test]
async fn a_write_waits_for_a_console_that_is_away() {
    is_written_once_well(Mood::Unavailable).await;
}

#[tokio::test]
async fn once_terraform_is_to_end_a_console_that_is_away_is_not_waited_for() {
    let console = TestConsole::start().await;
    let front = open(&console.address);
    console.set(|received| received.mood = Mood::Unavailable);
    let write = front.way.calls("POST", "?ID=one");
    console.until("it is asked", |received| received.state_calls > 0).await;
    front.hurry.cancel();
    assert_eq!(write.await.unwrap().0, 503);
    console.set(|received| received.state_lock = Some("one".to_owned()));
    console.set(|received| received.mood = Mood::Well);
    assert_eq!(front.way.call("POST", "?ID=one", "{}").await.0, 204, "it is tried once all the same");
}

#[tokio::test]
async fn once_terraform_is_to_end_a_console_that_is_silent_is_not_asked_again() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let front = open(&format!("http://{}", silent.local_addr().unwrap()));
    front.hurry.cancel();
    assert_eq!(front.way.call("POST", "?ID=one", "{}").await.0, 503);
    let begun = Instant::now();
    assert_eq!(front.way.call("POST", "?ID=one", "{}").await.0, 503);
    assert!(begun.elapsed() < LAST_TRY, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_console_that_was_silent_is_asked_again_after_a_while() {
    let console = TestConsole::start().await;
    let backend = Backend::of(&claim_of(JobType::Deploy), &console.address);
    let hurry = CancellationToken::new();
    hurry.cancel();
    let mut call = Request::new(Bytes::from_static(br#"{"ID":"one"}"#));
    *call.method_mut() = Method::from_bytes(b"LOCK").unwrap();
    let mut desk = Desk::of(&backend, hurry).unwrap();
    desk.silent_since = Mutex::new(Some(Instant::now()));
    assert!(desk.persist(&call).await.is_none());
    desk.silent_since = Mutex::new(Some(Instant::now() - SILENCE));
    assert_eq!(desk.persist(&call).await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_read_does_not_wait_for_a_console_that_fails() {
    let console = TestConsole::start().await;
    let front = open(&console.address);
    console.set(|received| received.mood = Mood::Failing);
    assert_eq!(front.way.call("GET", "", "").await.0, 500);
    assert_eq!(console.received().state_calls, 1);
}

#[tokio::test]
async fn a_write_is_tried_again_at_a_console_that_fails() {
    is_written_once_well(Mood::Failing).await;
}

#[tokio::test]
async fn a_write_is_not_tried_for_ever_at_a_console_that_fails() {
    let console = TestConsole::start().await;
    let front = open(&console.address);
    console.set(|received| received.mood = Mood::Failing);
    let write = front.way.calls("POST", "?ID=one");
    console.until("it is asked", |received| received.state_calls > 0).await;
    assert_eq!(write.await.unwrap().0, 500);
    assert!(console.received().state_calls > 1);
}

#[tokio::test]
async fn more_connections_than_terraform_needs_are_refused() {
    let console = TestConsole::start().await;
    let front = open(&console.address);
    let host = front.way.address.strip_prefix("http://").unwrap().split_once('/').unwrap().0;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        held.push(TcpStream::connect(host).await.unwrap());
    }
    let mut refused = TcpStream::connect(host).await.unwrap();
    assert!(matches!(refused.read(&mut [0]).await, Ok(0) | Err(_)), "it is closed");
}

#[tokio::test]
async fn who_does_not_have_the_password_is_not_heard() {
    let console = TestConsole::start().await;
    let front = open(&console.address);
    let stranger = Way { password: "guessed".to_owned(), ..front.way.clone() };
    assert_eq!(stranger.call("GET", "", "").await.0, 401);
    let token = Way { password: claim_of(JobType::Deploy).job_token, ..front.way };
    assert_eq!(token.call("GET", "", "").await.0, 401);
    assert_eq!(console.received().state_calls, 0);
}
