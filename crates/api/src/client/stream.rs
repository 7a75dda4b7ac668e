//! A job's stream of server-sent events, resumed after the last event whenever the connection breaks.

use std::{convert::Infallible, time::Duration};

use alethia_domain::ids::JobId;
use bytes::Bytes;
use eventsource_stream::{Event as SseEvent, EventStreamError, Eventsource};
use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use reqwest::{Method, RequestBuilder, header};
use tokio::time::{Instant, timeout};

use super::{ClientError, Connection};
use crate::{events::Event, logs::LogChunk};

/// A stream that says nothing for so long is taken as broken; the Console sends a comment every 15 s.
const SILENCE: Duration = Duration::from_secs(45);
/// How often a broken stream is taken up again without anything having arrived in between: for a minute and a half.
const TRIES: u32 = 30;

/// One message of a job's stream.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamItem {
    /// Something changed.
    Change(Box<Event>),
    /// Lines were written.
    Log(LogChunk),
}

/// Everything that happens to a job, in order, each message once.
pub struct JobStream {
    connection: Connection,
    job: JobId,
    last_event_id: Option<String>,
    open: Option<(Messages, Instant)>,
    failures: u32,
}

type Messages = BoxStream<'static, Result<SseEvent, EventStreamError<Infallible>>>;

impl JobStream {
    pub(super) fn new(connection: Connection, job: JobId, last_event_id: Option<String>) -> Self {
        Self { connection, job, last_event_id, open: None, failures: 0 }
    }

    /// Id of the last message, from which another stream can go on.
    pub fn last_event_id(&self) -> Option<&str> {
        self.last_event_id.as_deref()
    }

    /// The next message; `None` once the job has ended and all of its log has been told.
    ///
    /// # Errors
    /// When the Console refuses, or stays out of reach for a while.
    pub async fn next(&mut self) -> Result<Option<StreamItem>, ClientError> {
        loop {
            let Some((messages, since)) = &mut self.open else {
                match timeout(SILENCE, open(self.connection.clone(), self.request())).await {
                    Ok(Ok(messages)) => self.open = Some((messages, Instant::now())),
                    Ok(Err(error)) if error.is_transient() && self.failures < TRIES => self.pause().await,
                    Ok(Err(error)) => return Err(error),
                    Err(_took_the_connection_and_said_nothing) => self.pause().await,
                }
                continue;
            };
            match messages.next().await {
                Some(Ok(message)) if message.event == "end" => return Ok(None),
                Some(Ok(message)) => {
                    self.failures = 0;
                    if let Some(item) = self.read(message)? {
                        return Ok(Some(item));
                    }
                }
                Some(Err(_)) | None => {
                    if since.elapsed() > SILENCE {
                        self.failures = 0;
                    }
                    self.open = None;
                    self.pause().await;
                }
            }
        }
    }

    fn request(&self) -> RequestBuilder {
        let request = self
            .connection
            .request(Method::GET, &["jobs", &self.job.to_string(), "stream"])
            .header(header::ACCEPT, "text/event-stream")
            .timeout(Duration::from_secs(24 * 60 * 60));
        match &self.last_event_id {
            Some(id) => request.header("last-event-id", id),
            None => request,
        }
    }

    fn read(&mut self, message: SseEvent) -> Result<Option<StreamItem>, ClientError> {
        let unreadable = |source: serde_json::Error| ClientError::Unreadable {
            url: self.connection.base.to_string(),
            source: source.into(),
        };
        let item = match message.event.as_str() {
            "change" => {
                Some(serde_json::from_str(&message.data).map(|event| StreamItem::Change(Box::new(event))))
            }
            "log" => Some(serde_json::from_str(&message.data).map(StreamItem::Log)),
            _ => None,
        };
        let item = item.transpose().map_err(unreadable)?;
        if !message.id.is_empty() {
            self.last_event_id = Some(message.id);
        }
        Ok(item)
    }

    async fn pause(&mut self) {
        self.failures += 1;
        let wait = Duration::from_millis(100 << self.failures.min(5));
        tokio::time::sleep(wait).await;
    }
}

async fn open(connection: Connection, request: RequestBuilder) -> Result<Messages, ClientError> {
    let response = connection.send(request).await?;
    Ok(while_alive(response.bytes_stream(), SILENCE).eventsource().boxed())
}

/// What arrives, until the connection breaks or says nothing for so long. A comment is no message and yet a sign of life, so
/// this looks at the bytes; and the time runs on when whoever waits for a message turns to something else in between.
fn while_alive<E>(
    bytes: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    silence: Duration,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    stream::unfold(Box::pin(bytes), move |mut bytes| async move {
        let piece = timeout(silence, bytes.next()).await.ok()??.ok()?;
        Some((Ok(piece), bytes))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_silent_stream_is_found_out_by_who_waits_for_other_things_too() {
        let silent = stream::pending::<Result<Bytes, Infallible>>();
        let mut silent = Box::pin(while_alive(silent, Duration::from_millis(100)));
        let end = Instant::now() + Duration::from_secs(30);
        while let Err(_nothing_yet) = timeout(Duration::from_millis(5), silent.next()).await {
            assert!(Instant::now() < end, "nobody noticed that nothing comes");
        }
    }

    #[tokio::test]
    async fn a_comment_is_no_message_and_yet_a_sign_of_life() {
        let pieces = ["event: log\ndata: {}\n\n", ":\n\n", ":\n\n"].map(|piece| Ok(Bytes::from(piece)));
        let pieces = stream::iter(pieces).chain(stream::once(async { Err(()) }));
        let read: Vec<_> = while_alive(pieces, SILENCE).collect().await;
        assert_eq!(read.len(), 3, "it ends where the connection breaks");
        let messages: Vec<_> = while_alive(stream::iter(read), SILENCE).eventsource().collect().await;
        assert_eq!(messages.len(), 1);
    }
}
