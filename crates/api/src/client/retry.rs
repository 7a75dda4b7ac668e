//! When the client makes a call again by itself: a Console is being restarted, another one takes over, or its database is
//! away for a moment.
//!
//! A connection that was never made did nothing, so any call is made again. An answer that got lost, or 503, says
//! nothing about what was done: then only what may be done twice is made again, which is what only reads, writes the
//! same again, or carries an Idempotency-Key. The Console says with Retry-After how long to wait. All of it is bounded.

use std::time::Duration;

use reqwest::{Method, Request, Response, StatusCode, header};
use tokio::time::{Instant, sleep};

use super::{ClientError, Connection, checked};
use crate::IDEMPOTENCY_KEY;

/// How long a Console is looked for that takes no connections, and one that does not answer.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause before the first repetition; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Longest that Retry-After is obeyed.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What came of a call in the end.
pub(super) struct Outcome {
    pub(super) answer: Result<Response, ClientError>,
    /// Whether an earlier try may have been carried out though its answer did not arrive.
    pub(super) perhaps_done: bool,
}

/// Whether a try is to be followed by another one.
enum Again {
    No,
    /// It did nothing.
    Untouched,
    /// It may have been carried out.
    Perhaps(Option<Duration>),
}

impl Connection {
    /// Makes a call, again and again where that is safe and may help.
    pub(super) async fn persist(&self, request: Request, may_repeat: bool) -> Outcome {
        if !self.patient {
            let answer = settle(self.execute(request).await).await;
            return Outcome { answer, perhaps_done: false };
        }
        let began = Instant::now();
        let (mut pause, mut perhaps_done) = (FIRST_PAUSE, false);
        loop {
            let Some(this) = request.try_clone() else {
                let answer = settle(self.execute(request).await).await;
                return Outcome { answer, perhaps_done };
            };
            let answer = self.execute(this).await;
            let (wait, patience) = match again(&answer) {
                Again::Untouched => (pause, CONNECT_PATIENCE),
                Again::Perhaps(wait) if may_repeat => {
                    perhaps_done = true;
                    (wait.unwrap_or(pause).clamp(pause, LONGEST_WAIT), PATIENCE)
                }
                Again::No | Again::Perhaps(_) => {
                    return Outcome { answer: settle(answer).await, perhaps_done };
                }
            };
            if began.elapsed() + wait > patience {
                return Outcome { answer: settle(answer).await, perhaps_done };
            }
            sleep(wait).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One try, and any answer, a refusal too.
    pub(super) async fn execute(&self, request: Request) -> Result<Response, ClientError> {
        let sent = self.http.execute(request).await;
        sent.map_err(|source| ClientError::Unreachable { url: self.base.to_string(), source })
    }
}

/// Whether a call says of itself that it may be carried out twice.
pub(super) fn is_repeatable(request: &Request) -> bool {
    [Method::GET, Method::HEAD, Method::PUT, Method::DELETE].contains(request.method())
        || request.headers().contains_key(IDEMPOTENCY_KEY)
}

async fn settle(answer: Result<Response, ClientError>) -> Result<Response, ClientError> {
    checked(answer?).await
}

fn again(answer: &Result<Response, ClientError>) -> Again {
    match answer {
        Ok(response) if response.status() == StatusCode::SERVICE_UNAVAILABLE => {
            Again::Perhaps(retry_after(response))
        }
        Ok(_) => Again::No,
        Err(ClientError::Unreachable { source, .. }) if source.is_connect() => Again::Untouched,
        Err(ClientError::Unreachable { .. }) => Again::Perhaps(None),
        Err(_) => Again::No,
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    value.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method) -> Request {
        Request::new(method, "http://console/".parse().unwrap())
    }

    #[test]
    fn what_may_be_done_twice_is_known_by_its_method_or_its_key() {
        assert!(is_repeatable(&request(Method::PUT)));
        assert!(!is_repeatable(&request(Method::POST)));
        let mut keyed = request(Method::POST);
        keyed.headers_mut().insert(IDEMPOTENCY_KEY, "k".parse().unwrap());
        assert!(is_repeatable(&keyed));
    }
}
