//! Streams of server-sent events: `change` (an Event) and `log` (a LogChunk); a job's stream closes with `end`.

use std::{convert::Infallible, time::Duration};

use alethia_api::events::{Event, StreamMessage};
use alethia_domain::ids::JobId;
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use futures::{Stream, StreamExt, stream};
use tokio::time::timeout;

use super::extract::{Id, LastEventId};
use crate::{
    app::{
        self, App,
        stream::{Message, Reader},
    },
    auth::Viewer,
    error::Result,
};

/// How often a silent stream says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// Everything that happens to a job, and its log. Ends with an event `end` when the job has ended and all was told.
#[utoipa::path(get, path = "/jobs/{id}/stream", tag = "Jobs",
    params(("id" = JobId, Path), ("last-event-id" = Option<String>, Header, description = "Go on after this message")),
    responses((status = 200, description = "Events `change` and `log`", content_type = "text/event-stream", body = StreamMessage)))]
pub(super) async fn job(
    viewer: Viewer,
    State(app): State<App>,
    Id(job): Id<JobId>,
    LastEventId(after): LastEventId,
) -> Result<Response> {
    app::stream::job(&app, &viewer, job, after.as_deref()).await.map(respond)
}

/// Every event on the platform, from now on or after the one that is named.
#[utoipa::path(get, path = "/events", tag = "Events",
    params(("last-event-id" = Option<String>, Header, description = "Go on after this message")),
    responses((status = 200, description = "Events `change`", content_type = "text/event-stream", body = Event)))]
pub(super) async fn everything(
    viewer: Viewer,
    State(app): State<App>,
    LastEventId(after): LastEventId,
) -> Result<Response> {
    app::stream::everything(&app, &viewer, after.as_deref()).await.map(respond)
}

/// Proxies are asked to pass on each message as it comes.
fn respond(reader: Reader) -> Response {
    let messages = stream::unfold(reader, |mut reader| async move {
        let message = reader.next().await?;
        Some((frame(&message), reader))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(alive(messages).map(Ok::<_, Infallible>))).into_response()
}

/// The data is JSON in one line.
fn frame(message: &Message) -> Bytes {
    let (id, event, data) = (message.id(), message.kind.as_str(), &message.data);
    Bytes::from(format!("id: {id}\nevent: {event}\ndata: {data}\n\n"))
}

/// With a comment wherever nothing came for a while, also while the database is away.
fn alive(frames: impl Stream<Item = Bytes> + Send) -> impl Stream<Item = Bytes> + Send {
    stream::unfold(Box::pin(frames), |mut frames| async move {
        match timeout(KEEP_ALIVE, frames.next()).await {
            Ok(frame) => frame.map(|frame| (frame, frames)),
            Err(_) => Some((COMMENT, frames)),
        }
    })
}
