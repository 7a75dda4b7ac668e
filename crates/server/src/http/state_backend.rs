//! Terraform's `http` state backend, with the replies that its client accepts.
//!
//! | Call | Reply |
//! |---|---|
//! | GET | 200 with the state, 204 where there is none |
//! | POST?ID= | 200; 423 with the holder's lock; 409 for a serial that goes back or another lineage |
//! | DELETE | 200 |
//! | LOCK | 200; 423 with the holder's lock |
//! | UNLOCK | 200; 409 for another lock's id |
//!
//! LOCK and UNLOCK are methods of their own, which no router and no OpenAPI document knows: hence one route for any
//! method. The caller is an attempt, by basic authentication, for the Spec of its job alone.

use alethia_domain::ids::SpecId;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use serde::Deserialize;

use super::{
    extract::{Id, Query, Raw},
    problem,
};
use crate::{
    app::{self, App},
    auth::Attempt,
    error::{Error, Result},
};

/// The id of the lock that a write is made under.
#[derive(Deserialize)]
struct WriteQuery {
    #[serde(rename = "ID")]
    lock_id: Option<String>,
}

/// The backend below the path of the API.
pub(super) fn routes(api: &str) -> Router<App> {
    Router::new().route(&format!("{api}/state/{{spec_id}}"), any(dispatch))
}

async fn dispatch(
    attempt: Attempt,
    State(app): State<App>,
    method: Method,
    uri: axum::http::Uri,
    Id(spec): Id<SpecId>,
    Query(query): Query<WriteQuery>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Response> {
    attempt.must_be_of(spec)?;
    match method.as_str() {
        "GET" => Ok(match app::backend::read(&app, &attempt).await? {
            Some(state) => ([(header::CONTENT_TYPE, "application/json")], state).into_response(),
            None => StatusCode::NO_CONTENT.into_response(),
        }),
        "POST" => {
            check_md5(&headers, &body)?;
            app::backend::write(&app, &attempt, body, query.lock_id.as_deref()).await?;
            Ok(StatusCode::OK.into_response())
        }
        "DELETE" => {
            app::backend::delete(&app, &attempt, query.lock_id.as_deref()).await?;
            Ok(StatusCode::OK.into_response())
        }
        "LOCK" => {
            app::backend::lock(&app, &attempt, &body).await?;
            Ok(StatusCode::OK.into_response())
        }
        "UNLOCK" => {
            app::backend::unlock(&app, &attempt, &body).await?;
            Ok(StatusCode::OK.into_response())
        }
        _ => Ok(problem::no_method(method, uri).await),
    }
}

/// A body that was cut short or changed on its way is not kept.
fn check_md5(headers: &HeaderMap, body: &[u8]) -> Result<()> {
    let Some(said) = headers.get("content-md5") else { return Ok(()) };
    let said = STANDARD.decode(said.as_bytes()).unwrap_or_default();
    if said == Md5::digest(body).as_slice() {
        return Ok(());
    }
    Err(Error::Malformed("the body does not fit its Content-MD5; nothing was changed".to_owned()))
}
