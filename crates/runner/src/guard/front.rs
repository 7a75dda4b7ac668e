//! The front of the state: what Terraform takes for its state backend. It passes every call on to the Console.
//!
//! A Console may be away just when Terraform writes its state. Terraform itself must not wait for it: it would be killed with
//! the lease while it waits, and what it made would be forgotten. So the front has the patience: it asks again until there is
//! an answer or Terraform is to end. From then on each call has one last try, and a Console that is silent gets no other for
//! a while: Terraform hears 503 and leaves its state behind in time. A Console that is there and fails is not waited for: a
//! write has a few tries, then Terraform hears of it.
//!
//! It stands in the guard and not in the Runner, so that a Runner that is killed or frozen does not take the way to the state
//! with it. What must stay true: a definite answer goes back as it came; only who has the password of the job is
//! heard, on loopback; Terraform never sees the job token.

use std::{
    convert::Infallible,
    fmt, io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use alethia_api::{
    client::{ClientError, JobClient},
    runner::Claim,
};
use alethia_domain::{
    ids::{JobId, SpecId},
    plan::sha256_hex,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, RETRY_AFTER},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::{Deserialize, Serialize};
use tokio::{
    runtime,
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{retry::jittered, shelf};

/// Name of the user of the state backend.
const USER: &str = "job";
/// What is passed on of the headers, either way.
const PASSED_ON: [HeaderName; 2] = [CONTENT_TYPE, HeaderName::from_static("content-md5")];
/// Pause before a call is made again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Longest that the Console's wish for a pause is obeyed.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long the Console has to answer once Terraform is to end.
const LAST_TRY: Duration = Duration::from_secs(2);
/// How long a Console that did not do so is taken as silent.
const SILENCE: Duration = Duration::from_secs(10);
/// What is answered where the Console is away, or has no time for a call.
const ABSENT: [StatusCode; 5] = [
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];
/// How long a write is tried again at a Console that fails.
const FAULT_PATIENCE: Duration = Duration::from_secs(10);
/// Most connections at a time; Terraform needs one or two.
const CONNECTIONS: usize = 64;
/// How long a connection may take until the head of a request is there. Terraform keeps one idle for 90 s: it must be the
/// one to close it, and not find it closed as it writes.
const HEAD_TIME: Duration = Duration::from_secs(120);
/// Pause after an accept that failed, as when file descriptors are used up.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The state of one attempt's Spec, and the two ways to it: the Console's and Terraform's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Backend {
    console: String,
    job: JobId,
    spec: SpecId,
    token: String,
    password: String,
}

/// A front that is open for as long as this process lives.
#[derive(Debug)]
pub(super) struct Front {
    hurry: CancellationToken,
}

impl Backend {
    /// The one of an attempt, at the Console with this address.
    pub(crate) fn of(claim: &Claim, console: &str) -> Self {
        Self {
            console: console.to_owned(),
            job: claim.job_id,
            spec: claim.spec_id,
            token: claim.job_token.clone(),
            password: Uuid::new_v4().simple().to_string(),
        }
    }

    /// What must not show.
    pub(crate) fn secrets(&self) -> [String; 3] {
        [self.token.clone(), self.password.clone(), self.basic()]
    }

    /// What tells Terraform where its state is. It never tries again: it must leave its state behind when it is refused.
    pub(crate) fn variables(&self, front: SocketAddr) -> [(&'static str, String); 9] {
        let address = format!("http://{front}/state");
        [
            ("TF_HTTP_ADDRESS", address.clone()),
            ("TF_HTTP_UPDATE_METHOD", "POST".to_owned()),
            ("TF_HTTP_LOCK_ADDRESS", address.clone()),
            ("TF_HTTP_LOCK_METHOD", "LOCK".to_owned()),
            ("TF_HTTP_UNLOCK_ADDRESS", address),
            ("TF_HTTP_UNLOCK_METHOD", "UNLOCK".to_owned()),
            ("TF_HTTP_USERNAME", USER.to_owned()),
            ("TF_HTTP_PASSWORD", self.password.clone()),
            ("TF_HTTP_RETRY_MAX", "0".to_owned()),
        ]
    }

    fn basic(&self) -> String {
        BASE64_STANDARD.encode(format!("{USER}:{}", self.password))
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend")
            .field("console", &self.console)
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

impl Front {
    /// Opens it behind this door, in a thread that ends with the process.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub(super) fn open(door: TcpListener, backend: Backend) -> io::Result<Self> {
        let hurry = CancellationToken::new();
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let told = hurry.clone();
        // A front that can't go on closes its door, and Terraform hears so at once.
        let serve = move || runtime.block_on(serve(door, &backend, told));
        thread::Builder::new().name("front".to_owned()).spawn(serve)?;
        Ok(Self { hurry })
    }

    /// Terraform is to end: nothing is waited for any more.
    pub(super) fn hurry(&self) {
        self.hurry.cancel();
    }

    #[cfg(test)]
    pub(super) fn is_in_a_hurry(&self) -> bool {
        self.hurry.is_cancelled()
    }
}

/// Answers until the runtime ends.
pub(super) async fn serve(door: TcpListener, backend: &Backend, hurry: CancellationToken) -> io::Result<()> {
    door.set_nonblocking(true)?;
    let door = tokio::net::TcpListener::from_std(door)?;
    let desk = Arc::new(Desk::of(backend, hurry).map_err(io::Error::other)?);
    let mut connections = JoinSet::new();
    loop {
        let Ok((connection, _)) = door.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        if connections.len() >= CONNECTIONS {
            continue;
        }
        let desk = Arc::clone(&desk);
        let answer = service_fn(move |request| Arc::clone(&desk).answer(request));
        // How a connection ends is Terraform's business.
        connections.spawn(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME)
                .serve_connection(TokioIo::new(connection), answer),
        );
    }
}

/// Who answers.
struct Desk {
    client: JobClient,
    spec: SpecId,
    /// Digest of the header that opens the door: how long a comparison of digests takes tells nobody anything.
    authorization: String,
    /// Cancelled once Terraform is to end.
    hurry: CancellationToken,
    /// When the Console did not answer in time though Terraform is to end.
    silent_since: Mutex<Option<Instant>>,
}

impl Desk {
    fn of(backend: &Backend, hurry: CancellationToken) -> Result<Self, ClientError> {
        Ok(Self {
            client: JobClient::new(&backend.console, backend.job, &backend.token)?,
            spec: backend.spec,
            authorization: sha256_hex(format!("Basic {}", backend.basic()).as_bytes()),
            hurry,
            silent_since: Mutex::new(None),
        })
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        if !self.is_known(request.headers()) {
            return Ok(refusal(StatusCode::UNAUTHORIZED));
        }
        let answer = match received(request).await {
            Ok(call) => self.persist(&call).await,
            Err(status) => return Ok(refusal(status)),
        };
        let Some(answer) = answer else { return Ok(refusal(StatusCode::SERVICE_UNAVAILABLE)) };
        let (parts, body) = answer.into_parts();
        let mut passed_on = Response::new(Full::new(body));
        *passed_on.status_mut() = parts.status;
        *passed_on.headers_mut() = headers(&parts.headers);
        Ok(passed_on)
    }

    fn is_known(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(AUTHORIZATION);
        shown.is_some_and(|shown| sha256_hex(shown.as_bytes()) == self.authorization)
    }

    /// Asks the Console until it knows an answer or Terraform is to end; `None` when it could not be reached then.
    async fn persist(&self, call: &Request<Bytes>) -> Option<Response<Bytes>> {
        let (mut pause, mut failing_since) = (FIRST_PAUSE, None);
        loop {
            let answer = self.ask(call).await;
            let is_waited_for = match answer.as_ref().map(Response::status) {
                None => true,
                Some(status) if ABSENT.contains(&status) => true,
                Some(status) if status.is_server_error() && call.method() != Method::GET => {
                    failing_since.get_or_insert_with(Instant::now).elapsed() < FAULT_PATIENCE
                }
                Some(_) => false,
            };
            if !is_waited_for || self.hurry.is_cancelled() {
                return answer;
            }
            let wish = answer.as_ref().and_then(retry_after).unwrap_or(pause);
            tokio::select! {
                () = sleep(jittered(wish.clamp(pause, LONGEST_WAIT))) => {}
                () = self.hurry.cancelled() => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn ask(&self, call: &Request<Bytes>) -> Option<Response<Bytes>> {
        tokio::select! {
            biased;
            () = self.end_of_patience() => None,
            answer = self.client.pass_on_to_state(self.spec, call) => answer.ok(),
        }
    }

    async fn end_of_patience(&self) {
        self.hurry.cancelled().await;
        if !self.is_silent() {
            sleep(LAST_TRY).await;
            *self.silent_since.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    fn is_silent(&self) -> bool {
        let since = *self.silent_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| since.elapsed() < SILENCE)
    }
}

/// A call as it is passed on.
async fn received(request: Request<Incoming>) -> Result<Request<Bytes>, StatusCode> {
    let (parts, body) = request.into_parts();
    let limit = usize::try_from(shelf::LARGEST).unwrap_or(usize::MAX);
    let body = Limited::new(body, limit).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST }
    })?;
    let mut call = Request::new(body.to_bytes());
    *call.method_mut() = parts.method;
    *call.headers_mut() = headers(&parts.headers);
    *call.uri_mut() = parts.uri;
    Ok(call)
}

fn headers(all: &HeaderMap) -> HeaderMap {
    PASSED_ON.into_iter().filter_map(|name| all.get(&name).cloned().map(|value| (name, value))).collect()
}

fn refusal(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn retry_after(answer: &Response<Bytes>) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
pub(crate) mod tests;
