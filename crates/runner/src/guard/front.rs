//! The front of the state: what Terraform takes for its state backend. It passes every call on to the Console.
//!
//! A Console may be away just when Terraform writes its state. Terraform itself must not wait for it: it would be killed with
//! the lease while it waits, and what it made would be forgotten. So the front has the patience: it asks again until there is
//! an answer or Terraform is to end. From then on each call has one last try, and a Console that is silent gets no other:
//! Terraform hears 503 and leaves its state behind in time.
//!
//! It stands in the guard and not in the Runner, so that a Runner that is killed or frozen does not take the way to the state
//! with it. What must stay true: a definite answer goes back as it came; only who has the password of the job is
//! heard, on loopback; Terraform never sees the job token.

use std::{
    convert::Infallible,
    fmt, io,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use alethia_api::{
    client::{ClientError, JobClient, RunnerClient},
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
    HeaderMap, Request, Response, StatusCode,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, RETRY_AFTER},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::{runtime, task::JoinSet, time::sleep};
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

    fn client(&self) -> Result<JobClient, ClientError> {
        Ok(RunnerClient::new(&self.console, &self.token)?.attempt(self.job, &self.token))
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
}

/// Answers until the runtime ends.
pub(super) async fn serve(door: TcpListener, backend: &Backend, hurry: CancellationToken) -> io::Result<()> {
    door.set_nonblocking(true)?;
    let door = tokio::net::TcpListener::from_std(door)?;
    let desk = Arc::new(Desk {
        client: backend.client().map_err(io::Error::other)?,
        spec: backend.spec,
        authorization: sha256_hex(format!("Basic {}", backend.basic()).as_bytes()),
        hurry,
        is_silent: AtomicBool::new(false),
    });
    let mut connections = JoinSet::new();
    loop {
        let (connection, _) = door.accept().await?;
        let desk = Arc::clone(&desk);
        let answer = service_fn(move |request| Arc::clone(&desk).answer(request));
        // How a connection ends is Terraform's business.
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), answer));
        while connections.try_join_next().is_some() {}
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
    /// The Console did not answer in time though Terraform is to end.
    is_silent: AtomicBool,
}

impl Desk {
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
        let mut pause = FIRST_PAUSE;
        loop {
            let answer = self.ask(call).await;
            let is_definite = answer.as_ref().is_some_and(|answer| !answer.status().is_server_error());
            if is_definite || self.hurry.is_cancelled() {
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
            answer = self.client.pass_on_to_state(self.spec, call) => answer.ok(),
            () = self.end_of_patience() => None,
        }
    }

    async fn end_of_patience(&self) {
        self.hurry.cancelled().await;
        if !self.is_silent.load(Ordering::Relaxed) {
            sleep(LAST_TRY).await;
            self.is_silent.store(true, Ordering::Relaxed);
        }
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
