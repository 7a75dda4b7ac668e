//! The one place where an error becomes a response: RFC 9457 problem details, and where it is logged, once.
//!
//! A fault of the Console never shows its cause to the client; the log has it under the request's id.

use std::time::Duration;

use alethia_api::problem::{CONTENT_TYPE, Code, Problem};
use axum::{
    Json,
    extract::rejection::{BytesRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::error::{Away, Error};

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        log(&self);
        if let Self::StateLocked(lock) = &self {
            return (StatusCode::LOCKED, Json(lock)).into_response();
        }
        respond(problem(self))
    }
}

/// Longest text of a problem in bytes: one that quotes what was sent need not quote all of it.
const LONGEST: usize = 4096;

/// A response that is a problem.
pub(super) fn respond(mut problem: Problem) -> Response {
    shorten(&mut problem.detail);
    for error in &mut problem.errors {
        shorten(&mut error.path);
        shorten(&mut error.message);
    }
    let status = StatusCode::from_u16(problem.status).expect("every problem has a valid status");
    let mut response = (status, Json(&problem)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer realm=\"alethia\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Somebody without a valid token came too often; only those are answered so.
pub(super) fn too_often(wait: Duration) -> Response {
    let seconds = wait.as_secs().max(1);
    let detail =
        format!("too many requests without a valid token came from this address; try again in {seconds} s");
    let mut response = respond(plain(StatusCode::TOO_MANY_REQUESTS, Code::Unavailable, detail));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// There is no such route.
pub(super) async fn no_route(method: axum::http::Method, uri: axum::http::Uri) -> Response {
    respond(plain(StatusCode::NOT_FOUND, Code::NotFound, format!("there is no {method} {}", uri.path())))
}

/// The route has no such method.
pub(super) async fn no_method(method: axum::http::Method, uri: axum::http::Uri) -> Response {
    let detail = format!("{} does not take {method}", uri.path());
    respond(plain(StatusCode::METHOD_NOT_ALLOWED, Code::Invalid, detail))
}

/// A handler panicked; what it said is in the log alone.
pub(super) fn panicked(payload: Box<dyn std::any::Any + Send>) -> Response {
    let said = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("nothing");
    tracing::error!(said, "a request handler panicked");
    respond(plain(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, "the Console failed".to_owned()))
}

impl From<QueryRejection> for Error {
    fn from(rejection: QueryRejection) -> Self {
        Self::Malformed(rejection.body_text())
    }
}

/// What a body that could not be read means.
pub(super) fn unreadable_body(rejection: BytesRejection, limit: usize) -> Error {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge { what: "the body", limit },
        _ => Error::Malformed("the body could not be read to its end".to_owned()),
    }
}

/// What a client is told about an error.
pub(super) fn problem(error: Error) -> Problem {
    let detail = error.to_string();
    match error {
        Error::Invalid(errors) => {
            Problem { errors, ..plain(StatusCode::UNPROCESSABLE_ENTITY, Code::Invalid, detail) }
        }
        Error::Malformed(_) => plain(StatusCode::BAD_REQUEST, Code::Invalid, detail),
        Error::NotFound { hint, .. } => {
            Problem { hint, ..plain(StatusCode::NOT_FOUND, Code::NotFound, detail) }
        }
        Error::Conflict { permitted, hint, .. } => Problem {
            permitted: permitted.into_iter().map(str::to_owned).collect(),
            hint,
            ..plain(StatusCode::CONFLICT, Code::Conflict, detail)
        },
        Error::PreconditionFailed(_) => {
            plain(StatusCode::PRECONDITION_FAILED, Code::PreconditionFailed, detail)
        }
        Error::IdempotencyMismatch => plain(StatusCode::CONFLICT, Code::IdempotencyMismatch, detail),
        Error::LeaseLost => plain(StatusCode::CONFLICT, Code::LeaseLost, detail),
        Error::StateLocked(_) => plain(StatusCode::LOCKED, Code::StateLocked, detail),
        Error::Unauthenticated(_) => plain(StatusCode::UNAUTHORIZED, Code::Unauthenticated, detail),
        Error::Forbidden { .. } => plain(StatusCode::FORBIDDEN, Code::Forbidden, detail),
        Error::TooLarge { .. } => plain(StatusCode::PAYLOAD_TOO_LARGE, Code::TooLarge, detail),
        Error::Unavailable(_) | Error::Down { .. } => {
            plain(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, detail)
        }
        Error::Internal { .. } => plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            Code::Internal,
            "the Console failed; its log says why, under the id of this request".to_owned(),
        ),
    }
}

fn shorten(text: &mut String) {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
}

fn plain(status: StatusCode, code: Code, detail: String) -> Problem {
    Problem {
        kind: "about:blank".to_owned(),
        title: status.canonical_reason().unwrap_or("Problem").to_owned(),
        status: status.as_u16(),
        detail,
        code,
        errors: Vec::new(),
        permitted: Vec::new(),
        hint: None,
    }
}

fn log(error: &Error) {
    match error {
        Error::Internal { source, .. } => tracing::error!(error = %error, cause = %chain(&**source)),
        Error::Down { source, .. } if source.is::<Away>() => tracing::debug!(error = %error),
        Error::Down { source, .. } => tracing::error!(error = %error, cause = %chain(&**source)),
        Error::Unavailable(_) => tracing::warn!(error = %error),
        Error::Invalid(_)
        | Error::Malformed(_)
        | Error::NotFound { .. }
        | Error::Conflict { .. }
        | Error::PreconditionFailed(_)
        | Error::IdempotencyMismatch
        | Error::LeaseLost
        | Error::StateLocked(_)
        | Error::Unauthenticated(_)
        | Error::Forbidden { .. }
        | Error::TooLarge { .. } => tracing::debug!(error = %error),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_tells_the_client_nothing_of_itself() {
        let response = panicked(Box::new("a planted secret"));
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[header::CONTENT_TYPE], CONTENT_TYPE);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        assert!(!String::from_utf8_lossy(&body).contains("planted"));
    }

    #[test]
    fn a_fault_of_the_console_keeps_its_cause_to_itself() {
        let error = Error::internal("testing", "a planted secret");
        let problem = problem(error);
        assert_eq!((problem.status, problem.code), (500, Code::Internal));
        assert!(!problem.to_string().contains("planted"));
    }
}
