//! What a known caller was refused goes to the audit log, in this one place.
//!
//! A refusal is 403, and for what changes something also 409, 412 and 423. Attempts at jobs leave no name here: a Runner
//! that waits for a state's lock would fill the log.

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};

use crate::{
    app::{self, App},
    auth::Actor,
};

/// Longest path that is kept, in bytes.
const LONGEST_PATH: usize = 300;

pub(super) async fn keep_refusals(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let actor = Actor::default();
    request.extensions_mut().insert(actor.clone());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let path = request.uri().path().chars().take(LONGEST_PATH).collect::<String>();
    let response = next.run(request).await;
    if let Some(name) = actor.name()
        && is_refusal(&method, response.status())
    {
        let action = format!("{method} {route}");
        let kept = app::refusals::record(&app, name, &action, &path, response.status().as_u16()).await;
        if let Err(error) = kept {
            tracing::error!(%error, actor = name, action, "a refusal is missing in the audit log");
        }
    }
    response
}

fn is_refusal(method: &Method, status: StatusCode) -> bool {
    match status {
        StatusCode::FORBIDDEN => true,
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED | StatusCode::LOCKED => !method.is_safe(),
        _ => false,
    }
}
