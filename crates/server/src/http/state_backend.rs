//! Terraform's `http` state backend, with the replies that its client accepts.
//!
//! | Call | Reply |
//! |---|---|
//! | GET | 200 with the state, 204 where there is none |
//! | POST?ID= | 200; 423 with the holder's lock; 409 for a serial that goes back or another lineage |
//! | DELETE | 200 |
//! | LOCK | 200; 423 with the holder's lock |
//! | UNLOCK | 200; 409 for another lock's id; an empty body is any lock, which is how Terraform forces it |
//!
//! Whatever the call, 401 for a token that nobody knows, 409 for an attempt that is over, 413 for a body that is too
//! large, 400 for one that is cut short or no JSON. Terraform shows its user the status alone, except for LOCK: there it
//! shows the `ID` in a 409, so that this one says what is wrong.
//!
//! LOCK and UNLOCK are methods of their own, which no router and no OpenAPI document knows: hence one route for any
//! method. The caller is an attempt, for the Spec of its job alone: a Runner's front of the state, by a bearer token, or a
//! Runner of the former version or Terraform by hand, by basic authentication.

use alethia_api::problem::{CONTENT_TYPE, Problem};
use alethia_domain::ids::SpecId;
use axum::{
    Json, Router,
    extract::{FromRequest, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

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

/// The only thing that Terraform shows of a refused LOCK.
#[derive(Serialize)]
struct ToldInId {
    #[serde(flatten)]
    problem: Problem,
    #[serde(rename = "ID")]
    id: String,
}

async fn dispatch(
    attempt: Result<Attempt>,
    State(app): State<App>,
    spec: Id<SpecId>,
    query: Query<WriteQuery>,
    request: Request,
) -> Response {
    let is_lock = request.method().as_str() == "LOCK";
    match answer(attempt, &app, spec, query, request).await {
        Ok(response) => response,
        Err(Error::LeaseLost) if is_lock => told_in_id(Error::LeaseLost),
        Err(error) => error.into_response(),
    }
}

async fn answer(
    attempt: Result<Attempt>,
    app: &App,
    Id(spec): Id<SpecId>,
    Query(query): Query<WriteQuery>,
    request: Request,
) -> Result<Response> {
    let attempt = attempt?;
    attempt.must_be_of(spec)?;
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let headers = request.headers().clone();
    let Raw(body) = Raw::from_request(request, app).await?;
    let lock_id = query.lock_id.as_deref();
    match method.as_str() {
        "GET" => return read(app, &attempt).await,
        "POST" => {
            check_md5(&headers, &body)?;
            app::backend::write(app, &attempt, body, lock_id).await?;
        }
        "DELETE" => app::backend::delete(app, &attempt, lock_id).await?,
        "LOCK" => app::backend::lock(app, &attempt, &body).await?,
        "UNLOCK" => app::backend::unlock(app, &attempt, &body).await?,
        _ => return Ok(problem::no_method(method, uri).await),
    }
    Ok(StatusCode::OK.into_response())
}

async fn read(app: &App, attempt: &Attempt) -> Result<Response> {
    Ok(match app::backend::read(app, attempt).await? {
        Some(state) => ([(header::CONTENT_TYPE, "application/json")], state).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

fn told_in_id(error: Error) -> Response {
    let problem = problem::problem(error);
    let status = StatusCode::from_u16(problem.status).expect("every problem has a valid status");
    let id = format!("none, but {}", problem.detail);
    let mut response = (status, Json(ToldInId { problem, id })).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    response
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
