//! Limits of routes, and what every request passes: a request's id, a span, the counters, a time limit, and the database
//! that has to be there.

use std::time::{Duration, Instant};

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
};
use tracing::Instrument;

use super::{audit, extract::BodyLimit, peer, problem};
use crate::{app::App, error::Error};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id of a request that is taken from outside, in bytes.
const LONGEST_ID: usize = 100;

/// Routes whose bodies are at most so large.
pub(super) trait Limited {
    /// With bodies of at most `bytes`.
    fn bodies_up_to(self, bytes: usize) -> Self;

    /// With answers within `time` and as long as the database answers; else 503.
    fn within(self, time: Duration, app: &App) -> Self;
}

impl Limited for Router<App> {
    fn bodies_up_to(self, bytes: usize) -> Self {
        self.layer(DefaultBodyLimit::max(bytes)).layer(Extension(BodyLimit(bytes)))
    }

    fn within(self, time: Duration, app: &App) -> Self {
        self.layer(middleware::from_fn_with_state((app.clone(), time), give_up))
    }
}

/// What every request passes, from the outside in: id, span and counters, panics.
pub(super) fn around(router: Router, app: &App) -> Router {
    let no_store =
        SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let no_sniff = SetResponseHeaderLayer::overriding(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    router
        .layer(middleware::from_fn_with_state(app.clone(), audit::keep_refusals))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(no_store)
        .layer(no_sniff)
        .layer(middleware::from_fn_with_state(app.clone(), watch))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .layer(middleware::from_fn(drop_wild_id))
}

/// Nobody waits for a database that is known to be away.
async fn give_up(State((app, time)): State<(App, Duration)>, request: Request, next: Next) -> Response {
    let answer = app.while_available(async { Ok(next.run(request).await) });
    match tokio::time::timeout(time, answer).await {
        Ok(answer) => answer.unwrap_or_else(IntoResponse::into_response),
        Err(_) => Error::Unavailable(format!("no answer within {} s", time.as_secs())).into_response(),
    }
}

/// An id from outside goes into the log and back: one that is none is replaced by ours.
async fn drop_wild_id(mut request: Request, next: Next) -> Response {
    if !request.headers().get(&REQUEST_ID).is_some_and(is_tame) {
        request.headers_mut().remove(&REQUEST_ID);
    }
    next.run(request).await
}

fn is_tame(id: &HeaderValue) -> bool {
    let tame = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    (1..=LONGEST_ID).contains(&id.len()) && id.as_bytes().iter().all(tame)
}

async fn watch(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let id = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or("").to_owned();
    let span = tracing::info_span!("request", %method, route, id);
    let began = Instant::now();
    let peer = peer::address(request.extensions().get().copied(), request.headers(), app.config.behind_proxy);
    let mut response = next.run(request).instrument(span.clone()).await;
    if response.status() == StatusCode::UNAUTHORIZED
        && let Some(wait) = app.failures.count(peer, app.config.limits.failures, began)
    {
        response = problem::too_often(wait);
    }
    if app.ending.is_cancelled() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let (status, took) = (response.status().as_u16(), began.elapsed());
    app.metrics.request(known(&method), &route, status, took);
    tracing::debug!(parent: &span, status, took_ms = took.as_millis(), "answered");
    response
}

/// A method as a label; a client can't make up new series.
fn known(method: &axum::http::Method) -> &str {
    match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" | "LOCK" | "UNLOCK") => {
            known
        }
        _ => "other",
    }
}
