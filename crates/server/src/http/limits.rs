//! Limits of routes, and what every request passes: a request's id, a span, the counters, a time limit.

use std::time::{Duration, Instant};

use axum::{
    Extension, Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    set_header::SetResponseHeaderLayer,
};
use tracing::Instrument;

use super::{audit, extract::BodyLimit, problem};
use crate::{app::App, error::Error};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Routes whose bodies are at most so large.
pub(super) trait Limited {
    /// With bodies of at most `bytes`.
    fn bodies_up_to(self, bytes: usize) -> Self;

    /// With answers within `time`; else 503.
    fn within(self, time: Duration) -> Self;
}

impl Limited for Router<App> {
    fn bodies_up_to(self, bytes: usize) -> Self {
        self.layer(DefaultBodyLimit::max(bytes)).layer(Extension(BodyLimit(bytes)))
    }

    fn within(self, time: Duration) -> Self {
        self.layer(middleware::from_fn_with_state(time, give_up))
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
}

async fn give_up(State(time): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(time, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Error::Unavailable(format!("no answer within {} s", time.as_secs())).into_response(),
    }
}

async fn watch(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let id = request.headers().get(&REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or("").to_owned();
    let span = tracing::info_span!("request", %method, route, id);
    let began = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
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
