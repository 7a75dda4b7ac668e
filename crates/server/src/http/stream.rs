//! Streams of server-sent events: `change` (an Event) and `log` (a LogChunk); a job's stream closes with `end`.

use std::{convert::Infallible, time::Duration};

use alethia_api::events::{Event, StreamMessage};
use alethia_domain::ids::JobId;
use axum::{
    extract::State,
    response::sse::{self, KeepAlive, Sse},
};
use futures::{Stream, stream};

use super::extract::{Id, LastEventId};
use crate::{
    app::{
        self, App,
        stream::{Content, Message, Reader},
    },
    auth::Viewer,
    error::Result,
};

/// How often a silent stream says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Everything that happens to a job, and its log. Ends with an event `end` when the job has ended and all was told.
#[utoipa::path(get, path = "/jobs/{id}/stream", tag = "Jobs",
    params(("id" = JobId, Path), ("last-event-id" = Option<String>, Header, description = "Go on after this message")),
    responses((status = 200, description = "Events `change` and `log`", content_type = "text/event-stream", body = StreamMessage)))]
pub(super) async fn job(
    viewer: Viewer,
    State(app): State<App>,
    Id(job): Id<JobId>,
    LastEventId(after): LastEventId,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>> {
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
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>> {
    app::stream::everything(&app, &viewer, after.as_deref()).await.map(respond)
}

fn respond(reader: Reader) -> Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    let events = stream::unfold(reader, |mut reader| async move {
        match reader.next().await {
            Ok(message) => Some((Ok(event(message?)), reader)),
            Err(error) => {
                tracing::warn!(%error, "a stream is broken off; its client comes back");
                None
            }
        }
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

fn event(message: Message) -> sse::Event {
    let event = sse::Event::default().id(message.id);
    let filled = match message.content {
        Content::Change(change) => event.event("change").json_data(*change),
        Content::Log(chunk) => event.event("log").json_data(chunk),
        Content::End => Ok(event.event("end").data("{}")),
    };
    filled.expect("what travels always serializes")
}
