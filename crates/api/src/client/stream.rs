//! A job's stream of server-sent events, resumed after the last event whenever the connection breaks.

use std::time::Duration;

use alethia_domain::ids::JobId;
use eventsource_stream::{Event as SseEvent, EventStreamError, Eventsource};
use futures::{StreamExt, stream::BoxStream};
use reqwest::{Method, RequestBuilder, header};

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
    open: Option<Messages>,
    failures: u32,
}

type Messages = BoxStream<'static, Result<SseEvent, EventStreamError<reqwest::Error>>>;

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
            let Some(messages) = &mut self.open else {
                match open(self.connection.clone(), self.request()).await {
                    Ok(messages) => self.open = Some(messages),
                    Err(error) if error.is_transient() && self.failures < TRIES => self.pause().await,
                    Err(error) => return Err(error),
                }
                continue;
            };
            match tokio::time::timeout(SILENCE, messages.next()).await {
                Ok(Some(Ok(message))) if message.event == "end" => return Ok(None),
                Ok(Some(Ok(message))) => {
                    self.failures = 0;
                    if let Some(item) = self.read(message)? {
                        return Ok(Some(item));
                    }
                }
                Ok(Some(Err(_)) | None) | Err(_) => {
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
    Ok(response.bytes_stream().eventsource().boxed())
}
