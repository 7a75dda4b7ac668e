//! Streams of what happens: all events, or one job's with its log. Each message once, in order, resumable.
//!
//! A reader listens to the doorbell first and reads rows then, so nothing falls between. It reads only when its client
//! takes: a slow client holds one page, never more. Readers of one job that are at the same place share one read and
//! its messages (`feed`). The id of a message carries both places, `<event>.<log>`, so that whichever message was the
//! last one, nothing is missed and nothing comes twice after it.
//!
//! A stream ends after a while also in the middle: its client comes back, and shows its token again. So a token that was
//! revoked is good for no longer than that. A database that goes away ends no stream: it goes on once it is back.

mod feed;
mod place;
mod read;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use alethia_domain::ids::JobId;
use alethia_store::{
    doorbell::{Bell, Ear},
    events, jobs,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep, timeout_at},
};

use feed::Feed;
pub(crate) use feed::Feeds;
use place::Place;
use read::Batch;

use super::App;
use crate::{
    auth::Viewer,
    error::{Error, Result},
    metrics::OpenStream,
};

/// Pause after a read that failed.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// One message, with the place after it. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    place: Place,
    /// What it tells.
    pub kind: Kind,
    /// The Event or the LogChunk, as JSON in one line.
    pub data: Arc<str>,
}

/// What a message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something changed.
    Change,
    /// Lines were written.
    Log,
    /// The job has ended, and all of it was told.
    End,
}

/// A stream that is read message by message.
pub struct Reader {
    app: App,
    feed: Arc<Feed>,
    place: Place,
    ear: Ear,
    ready: VecDeque<Message>,
    ended: bool,
    until: Instant,
    _permit: OwnedSemaphorePermit,
    _open: OpenStream,
}

/// Everything that happens to a job, and its log; ends when both have.
///
/// # Errors
/// When there is no such job, the place is none, or too many streams are open.
pub async fn job(app: &App, _: &Viewer, job: JobId, after: Option<&str>) -> Result<Reader> {
    let place = after.map(Place::parse).transpose()?.unwrap_or_default();
    jobs::is_over(&app.store, job).await?;
    Reader::open(app, Some(job), place)
}

/// Every event on the platform, from now on or after the one that is named.
///
/// # Errors
/// When the place is none, or too many streams are open.
pub async fn everything(app: &App, _: &Viewer, after: Option<&str>) -> Result<Reader> {
    let place = match after {
        Some(text) => Place::parse(text)?,
        None => Place { event: events::latest(&app.store).await?, ..Place::default() },
    };
    Reader::open(app, None, place)
}

impl Message {
    /// What a client sends as Last-Event-ID to go on after it.
    pub fn id(&self) -> String {
        self.place.to_string()
    }
}

impl Kind {
    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Log => "log",
            Self::End => "end",
        }
    }
}

impl Reader {
    fn open(app: &App, job: Option<JobId>, place: Place) -> Result<Self> {
        let permit = app.streams.clone().try_acquire_owned();
        let permit = permit.map_err(|_| Error::Unavailable("too many streams are open".to_owned()))?;
        Ok(Self {
            ear: app.store.doorbell().listen(job.map_or(Bell::Events, Bell::Job)),
            feed: app.feeds.join(job, app.store.doorbell()),
            place,
            ready: VecDeque::new(),
            ended: false,
            until: Instant::now() + app.config.limits.stream_time,
            _permit: permit,
            _open: app.metrics.stream(),
            app: app.clone(),
        })
    }

    /// The next message; `None` at the end, when the time is over, and when the Console is told to end. The client comes
    /// back with the id of its last message.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Some(message);
            }
            if self.ended || self.app.stop.is_cancelled() || Instant::now() >= self.until {
                return None;
            }
            match self.app.while_available(self.read()).await {
                Ok(batch) if batch.messages.is_empty() && !batch.ended => self.wait().await,
                Ok(batch) => self.take(batch),
                Err(Error::Down { .. }) => self.wait_for_the_database().await,
                Err(error) => {
                    tracing::warn!(%error, "a stream is broken off; its client comes back");
                    return None;
                }
            }
        }
    }

    async fn read(&self) -> Result<Batch> {
        self.feed.after(&self.app.store, self.place, self.ear.count()).await
    }

    fn take(&mut self, batch: Batch) {
        (self.place, self.ended) = (batch.place, batch.ended);
        self.ready.extend(batch.messages);
        if self.ended {
            self.ready.push_back(Message { place: self.place, kind: Kind::End, data: Arc::from("{}") });
        }
    }

    async fn wait(&mut self) {
        let (stop, heard) = (&self.app.stop, self.ear.heard());
        stop.run_until_cancelled(timeout_at(self.until, heard)).await;
    }

    async fn wait_for_the_database(&self) {
        let mut available = self.app.store.available();
        let back = async {
            sleep(RETRY_AFTER).await;
            // An error says that the store was closed; the Console is told to end then.
            let _ = available.wait_for(|available| *available).await;
        };
        self.app.stop.run_until_cancelled(timeout_at(self.until, back)).await;
    }
}
