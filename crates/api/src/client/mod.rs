//! The one typed client of the Console: for people's commands (`Client`) and for Runners (`RunnerClient`, `JobClient`).
//!
//! A person's calls are made again by themselves where that is safe (`retry`). A Runner's are not: whoever makes them
//! knows how long its attempt is still good for, and `ClientError::is_transient` says whether a repetition makes sense.

mod people;
mod retry;
mod runner;
mod stream;

use std::{fmt, time::Duration};

use alethia_domain::ids::JobId;
use reqwest::{Method, Request, RequestBuilder, Response, StatusCode, Url, header};
use serde::de::DeserializeOwned;

pub use people::Client;
pub use runner::{JobClient, RunnerClient};
pub use stream::{JobStream, StreamItem};

use self::retry::{Outcome, is_repeatable};
use crate::problem::{Code, Problem};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an ordinary request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a long poll may take beyond the time it asks for.
const POLL_MARGIN: Duration = Duration::from_secs(20);

/// Why a call gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The Console refused, and says why.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// The Console could not be reached, or the connection broke.
    #[error("the Console at {url} can't be reached")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What happened on the way.
        #[source]
        source: reqwest::Error,
    },
    /// What answered is not a Console.
    #[error("{url} answered {status}, which no Console does")]
    NotAConsole {
        /// Who answered.
        url: String,
        /// What it answered.
        status: StatusCode,
    },
    /// The answer can't be read.
    #[error("the answer of {url} can't be read")]
    Unreadable {
        /// Who answered.
        url: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The Console says nothing any more of a job that is followed.
    #[error("the Console at {url} has said nothing of job {job} for {} s", time.as_secs())]
    Silent {
        /// Who says nothing.
        url: String,
        /// The job, which knows nothing of that and goes on.
        job: JobId,
        /// For how long.
        time: Duration,
    },
    /// The address of the Console is none.
    #[error("{0:?} is no address of a Console, such as http://127.0.0.1:4646")]
    Address(String),
}

impl ClientError {
    /// The Console's word for the problem, where it gave one.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(problem) => Some(problem.code),
            Self::Unreachable { .. }
            | Self::NotAConsole { .. }
            | Self::Unreadable { .. }
            | Self::Silent { .. }
            | Self::Address(_) => None,
        }
    }

    /// Whether the same call may work a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused(problem) => matches!(problem.code, Code::Unavailable | Code::Internal),
            Self::NotAConsole { status, .. } => status.is_server_error(),
            Self::Unreachable { .. } | Self::Unreadable { .. } | Self::Silent { .. } => true,
            Self::Address(_) => false,
        }
    }
}

/// Where the Console is and as whom to speak to it.
#[derive(Clone)]
struct Connection {
    http: reqwest::Client,
    base: Url,
    token: String,
    /// Whether calls are made again.
    patient: bool,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("base", &self.base.as_str()).field("token", &"***").finish()
    }
}

impl Connection {
    fn new(address: &str, token: &str) -> Result<Self, ClientError> {
        let invalid = || ClientError::Address(address.to_owned());
        let mut base = Url::parse(address).map_err(|_| invalid())?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(invalid());
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("alethia/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|source| ClientError::Unreachable { url: address.to_owned(), source })?;
        Ok(Self { http, base, token: token.to_owned(), patient: false })
    }

    /// The same Console, whose absence for a moment is waited for.
    fn patient(self) -> Self {
        Self { patient: true, ..self }
    }

    /// The same Console, spoken to with another token.
    fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// Address of a path below `/api/v1`; each part is one segment, escaped where needed.
    fn url(&self, parts: &[&str]) -> Url {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .expect("the address was checked to be a base")
            .pop_if_empty()
            .extend(["api", "v1"])
            .extend(parts);
        url
    }

    fn request(&self, method: Method, parts: &[&str]) -> RequestBuilder {
        self.http.request(method, self.url(parts)).bearer_auth(&self.token).timeout(REQUEST_TIMEOUT)
    }

    async fn get<T: DeserializeOwned>(&self, parts: &[&str]) -> Result<T, ClientError> {
        self.json(self.request(Method::GET, parts)).await
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        read(self.send(request).await?).await
    }

    async fn bytes(&self, request: RequestBuilder) -> Result<bytes::Bytes, ClientError> {
        let response = self.send(request).await?;
        let url = response.url().to_string();
        response.bytes().await.map_err(|source| ClientError::Unreachable { url, source })
    }

    async fn unit(&self, request: RequestBuilder) -> Result<(), ClientError> {
        self.send(request).await.map(drop)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        self.send_knowing(request, false).await.answer
    }

    /// The same, with what is known of earlier tries; `harmless` says that the call may be made twice whatever it is.
    async fn send_knowing(&self, request: RequestBuilder, harmless: bool) -> Outcome {
        match self.built(request) {
            Ok(request) => {
                let may_repeat = harmless || is_repeatable(&request);
                self.persist(request, may_repeat).await
            }
            Err(error) => Outcome { answer: Err(error), perhaps_done: false },
        }
    }

    fn built(&self, request: RequestBuilder) -> Result<Request, ClientError> {
        request.build().map_err(|source| ClientError::Unreachable { url: self.base.to_string(), source })
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, ClientError> {
    let url = response.url().to_string();
    let body =
        response.bytes().await.map_err(|source| ClientError::Unreachable { url: url.clone(), source })?;
    serde_json::from_slice(&body).map_err(|source| ClientError::Unreadable { url, source: source.into() })
}

async fn checked(response: Response) -> Result<Response, ClientError> {
    if response.status().is_success() { Ok(response) } else { Err(refusal(response).await) }
}

async fn refusal(response: Response) -> ClientError {
    let (url, status) = (response.url().to_string(), response.status());
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(crate::problem::CONTENT_TYPE.as_bytes()));
    match response.bytes().await {
        Ok(body) if is_problem => match serde_json::from_slice(&body) {
            Ok(problem) => ClientError::Refused(Box::new(problem)),
            Err(source) => ClientError::Unreadable { url, source: source.into() },
        },
        Ok(_) => ClientError::NotAConsole { url, status },
        Err(source) => ClientError::Unreachable { url, source },
    }
}
