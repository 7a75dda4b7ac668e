//! A job's stream of server-sent events, resumed after the last event whenever the connection breaks.
//!
//! Only bytes of a stream are a sign of life: a Console that takes connections, or answers and then says nothing, is given
//! up like one that is not there.

use std::{convert::Infallible, time::Duration};

use alethia_domain::ids::JobId;
use bytes::Bytes;
use eventsource_stream::{Event as SseEvent, EventStreamError, Eventsource};
use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use reqwest::{Method, RequestBuilder, header};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{ClientError, Connection};
use crate::{events::Event, logs::LogChunk};

/// A connection that says nothing for so long is taken as broken; the Console sends a comment every 15 s.
const SILENCE: Duration = Duration::from_secs(45);
/// How long a broken stream is taken up again without a byte of it.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a new stream may say nothing at least, however much of the patience is spent; longer than from one comment to the
/// next.
const LEAST_SILENCE: Duration = Duration::from_secs(20);
/// Pause before the first try; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

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
    /// With the time when it was opened.
    open: Option<(Messages, Instant)>,
    /// When the last byte came, or the end of what it was part of; before the first, when this was made.
    heard: watch::Sender<Instant>,
    pause: Duration,
    patience: Duration,
    least_silence: Duration,
}

type Messages = BoxStream<'static, Result<SseEvent, EventStreamError<Infallible>>>;

impl JobStream {
    pub(super) fn new(connection: Connection, job: JobId, last_event_id: Option<String>) -> Self {
        Self {
            connection,
            job,
            last_event_id,
            open: None,
            heard: watch::Sender::new(Instant::now()),
            pause: FIRST_PAUSE,
            patience: PATIENCE,
            least_silence: LEAST_SILENCE,
        }
    }

    /// Id of the last message, from which another stream can go on.
    pub fn last_event_id(&self) -> Option<&str> {
        self.last_event_id.as_deref()
    }

    /// The next message; `None` once the job has ended and all of its log has been told. Safe to cancel.
    ///
    /// # Errors
    /// When the Console refuses, stays out of reach for a while, or says nothing for two minutes.
    pub async fn next(&mut self) -> Result<Option<StreamItem>, ClientError> {
        loop {
            let Some((messages, since)) = &mut self.open else {
                self.take_up().await?;
                continue;
            };
            match messages.next().await {
                Some(Ok(message)) if message.event == "end" => return Ok(None),
                Some(Ok(message)) => {
                    if let Some(item) = self.read(message)? {
                        return Ok(Some(item));
                    }
                }
                Some(Err(_)) | None => {
                    if *self.heard.borrow() > *since {
                        self.heard.send_replace(Instant::now());
                        self.pause = FIRST_PAUSE;
                    }
                    self.open = None;
                    self.pause().await;
                }
            }
        }
    }

    /// Opens the stream after the last message, unless that was tried for long enough.
    async fn take_up(&mut self) -> Result<(), ClientError> {
        let (url, job, time) = (self.connection.base.to_string(), self.job, self.silence());
        let left = self.patience.checked_sub(time).ok_or(ClientError::Silent { url, job, time })?;
        let silence = left.clamp(self.least_silence, SILENCE);
        let opening = open(self.connection.clone(), self.request(), silence, self.heard.clone());
        match timeout(left.min(SILENCE), opening).await {
            Ok(Ok(messages)) => self.open = Some((messages, Instant::now())),
            Ok(Err(error)) if error.is_transient() && self.silence() < self.patience => self.pause().await,
            Ok(Err(error)) => return Err(error),
            Err(_took_the_connection_and_said_nothing) => self.pause().await,
        }
        Ok(())
    }

    fn silence(&self) -> Duration {
        self.heard.borrow().elapsed()
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
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        sleep(pause).await;
    }
}

async fn open(
    connection: Connection,
    request: RequestBuilder,
    silence: Duration,
    heard: watch::Sender<Instant>,
) -> Result<Messages, ClientError> {
    let bytes = connection.send(request).await?.bytes_stream();
    let bytes = while_alive(bytes, silence).inspect(move |_| {
        heard.send_replace(Instant::now());
    });
    Ok(bytes.eventsource().boxed())
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
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        time::interval,
    };

    use super::*;

    /// A Console at which each connection is served like this, and one who follows a job there with little patience.
    async fn followed<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> JobStream
    where
        F: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection));
            }
        });
        let connection = Connection::new(&address, "token").unwrap();
        let patience = Duration::from_secs(1);
        let least_silence = Duration::from_millis(100);
        JobStream { patience, least_silence, ..JobStream::new(connection, JobId::generate(), None) }
    }

    /// Begins the answer to a request.
    async fn answer(connection: &mut TcpStream) -> std::io::Result<()> {
        assert!(connection.read(&mut [0; 4096]).await? > 0, "nobody asks");
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n").await
    }

    async fn given_up(stream: &mut JobStream) -> ClientError {
        let next = timeout(Duration::from_secs(30), stream.next());
        next.await.expect("it is given up").expect_err("nothing was told")
    }

    #[tokio::test]
    async fn a_console_that_takes_connections_and_says_nothing_is_given_up() {
        let mut stream = followed(|mut connection| async move {
            tokio::io::copy(&mut connection, &mut tokio::io::sink()).await.map(drop)
        })
        .await;
        let error = given_up(&mut stream).await;
        assert!(matches!(&error, ClientError::Silent { job, .. } if *job == stream.job), "{error}");
    }

    #[tokio::test]
    async fn a_console_that_begins_an_answer_and_says_nothing_is_given_up() {
        let mut stream = followed(|mut connection| async move {
            answer(&mut connection).await?;
            tokio::io::copy(&mut connection, &mut tokio::io::sink()).await.map(drop)
        })
        .await;
        let error = given_up(&mut stream).await;
        assert!(matches!(error, ClientError::Silent { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_console_that_says_that_it_is_alive_is_waited_for() {
        let mut stream = followed(|mut connection| async move {
            answer(&mut connection).await?;
            let mut comments = interval(Duration::from_millis(50));
            for _ in 0..30 {
                comments.tick().await;
                connection.write_all(b":\n\n").await?;
            }
            connection.write_all(b"event: end\ndata: {}\n\n").await
        })
        .await;
        let began = Instant::now();
        assert_eq!(stream.next().await.unwrap(), None);
        assert!(began.elapsed() > stream.patience, "longer than silence is waited for");
    }

    #[tokio::test]
    async fn a_stream_that_opens_at_the_end_of_patience_has_time_for_its_first_word() {
        let mut stream = followed(|mut connection| async move {
            answer(&mut connection).await?;
            sleep(Duration::from_millis(2500)).await;
            connection.write_all(b"event: end\ndata: {}\n\n").await
        })
        .await;
        stream.heard = watch::Sender::new(Instant::now() - Duration::from_secs(2));
        (stream.patience, stream.least_silence) = (Duration::from_secs(4), Duration::from_secs(30));
        assert_eq!(stream.next().await.unwrap(), None);
    }

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
