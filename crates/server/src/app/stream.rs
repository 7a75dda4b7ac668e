//! Streams of what happens: all events, or one job's with its log. Each message once, in order, resumable.
//!
//! A reader listens to the doorbell first and reads rows then, so nothing falls between. It reads only when its client
//! takes: a slow client holds one page, never more. The id of a message carries both places, `<event>.<log>`, so that
//! whichever message was the last one, nothing is missed and nothing comes twice after it.
//!
//! A stream ends after a while also in the middle: its client comes back, and shows its token again. So a token that was
//! revoked is good for no longer than that.

use std::{collections::VecDeque, time::Duration};

use alethia_api::{events::Event, logs::LogChunk};
use alethia_domain::ids::JobId;
use alethia_store::{
    PageRequest,
    doorbell::{Bell, Ear},
    events::{self, EventFilter},
    jobs,
    logs::{self, LogCursor},
};
use chrono::{DateTime, Utc};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::{App, logs as app_logs};
use crate::{
    auth::Viewer,
    error::{Error, Result},
    metrics::OpenStream,
};

/// A ring of another Console may get lost; this is how late a message is then at most.
const SLOW_POLL: Duration = Duration::from_secs(5);
/// Rings that follow each other so fast are answered by one read: a flood of lines costs no flood of queries.
const TOGETHER: Duration = Duration::from_millis(20);
/// Rows that are read at once: with chunks of at most 64 KiB this bounds what one stream holds.
const EVENTS: u16 = 100;
const CHUNKS: u16 = 32;

/// One message, with the place after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What a client sends as Last-Event-ID to go on after it.
    pub id: String,
    /// What it tells.
    pub content: Content,
}

/// What a message tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Something changed.
    Change(Box<Event>),
    /// Lines were written.
    Log(LogChunk),
    /// The job has ended, and all of it was told.
    End,
}

/// A stream that is read message by message.
pub struct Reader {
    app: App,
    job: Option<JobId>,
    place: Place,
    changes: Ear,
    lines: Ear,
    ready: VecDeque<Message>,
    ended: bool,
    until: Instant,
    _permit: OwnedSemaphorePermit,
    _open: OpenStream,
}

/// How far a client has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    event: i64,
    log: LogCursor,
}

/// Time of the last row of each side, where there may be more behind it.
struct Behind {
    changes: Option<DateTime<Utc>>,
    chunks: Option<DateTime<Utc>>,
}

/// What a message is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Change,
    Chunk,
}

/// Everything that happens to a job, and its log; ends when both have.
///
/// # Errors
/// When there is no such job, the place is none, or too many streams are open.
pub async fn job(app: &App, _: &Viewer, job: JobId, after: Option<&str>) -> Result<Reader> {
    let place = after.map(Place::parse).transpose()?.unwrap_or_default();
    jobs::get(&app.store, job).await?;
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

impl Reader {
    fn open(app: &App, job: Option<JobId>, place: Place) -> Result<Self> {
        let permit = app.streams.clone().try_acquire_owned();
        let permit = permit.map_err(|_| Error::Unavailable("too many streams are open".to_owned()))?;
        Ok(Self {
            job,
            place,
            changes: app.store.doorbell().listen(Bell::Events),
            lines: app.store.doorbell().listen(Bell::Logs),
            ready: VecDeque::new(),
            ended: false,
            until: Instant::now() + app.config.limits.stream_time,
            _permit: permit,
            _open: app.metrics.stream(),
            app: app.clone(),
        })
    }

    /// The next message; `None` at the end, when the time is over, and when the Console is told to end.
    ///
    /// # Errors
    /// When the store is not available. The client comes back with the id of its last message.
    pub async fn next(&mut self) -> Result<Option<Message>> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Ok(Some(message));
            }
            if self.ended || self.app.stop.is_cancelled() || Instant::now() >= self.until {
                return Ok(None);
            }
            self.read().await?;
            if self.ready.is_empty() {
                self.wait().await;
            }
        }
    }

    /// Reads what is new. Whether the job is over is asked before its rows: after that, none are added.
    async fn read(&mut self) -> Result<()> {
        let store = &self.app.store;
        let Some(job) = self.job else {
            let changes = events::after(store, EventFilter::All, self.place.event, EVENTS).await?;
            self.take(changes, Vec::new());
            return Ok(());
        };
        let over = jobs::get(store, job).await?.status.is_final();
        let changes = events::after(store, EventFilter::Job(job), self.place.event, EVENTS).await?;
        let request = PageRequest { after: Some(self.place.log), limit: CHUNKS };
        let chunks = logs::page(store, job, request).await?.items;
        if over && changes.is_empty() && chunks.is_empty() {
            self.ended = true;
            self.ready.push_back(Message { id: self.place.to_string(), content: Content::End });
        }
        self.take(changes, chunks);
        Ok(())
    }

    /// Puts changes and chunks in the order of their times.
    fn take(&mut self, changes: Vec<events::Event>, chunks: Vec<logs::LogChunk>) {
        let behind = Behind {
            changes: changes.last().filter(|_| changes.len() == usize::from(EVENTS)).map(|last| last.at),
            chunks: chunks.last().filter(|_| chunks.len() == usize::from(CHUNKS)).map(|last| last.at),
        };
        let (mut changes, mut chunks) = (changes.into_iter().peekable(), chunks.into_iter().peekable());
        while let Some(side) =
            behind.earlier(changes.peek().map(|change| change.at), chunks.peek().map(|chunk| chunk.at))
        {
            match side {
                Side::Change => changes.next().into_iter().for_each(|change| self.push_change(change)),
                Side::Chunk => chunks.next().into_iter().for_each(|chunk| self.push_chunk(chunk)),
            }
        }
    }

    fn push_change(&mut self, change: events::Event) {
        let events::Event { id, at, spec_id, job_id, change } = change;
        self.place.event = id;
        let event = Event { id, at, spec_id, job_id, change };
        self.push(Content::Change(Box::new(event)));
    }

    fn push_chunk(&mut self, chunk: logs::LogChunk) {
        self.place.log = chunk.cursor();
        self.push(Content::Log(app_logs::view(chunk)));
    }

    fn push(&mut self, content: Content) {
        self.ready.push_back(Message { id: self.place.to_string(), content });
    }

    async fn wait(&mut self) {
        let (changes, lines) = (self.changes.heard(), self.lines.heard());
        let rung = async {
            match self.job {
                Some(_) => tokio::select! { () = changes => {}, () = lines => {} },
                None => changes.await,
            }
        };
        let look_again = self.until.min(Instant::now() + SLOW_POLL);
        let waited = async {
            let _rung_or_time_to_look = tokio::time::timeout_at(look_again, rung).await;
            tokio::time::sleep(TOGETHER).await;
        };
        self.app.stop.run_until_cancelled(waited).await;
    }
}

impl Behind {
    /// Which side comes next. Behind a full page there is more: what is later than its last row waits for that.
    fn earlier(&self, change: Option<DateTime<Utc>>, chunk: Option<DateTime<Utc>>) -> Option<Side> {
        match (change, chunk) {
            (Some(change), Some(chunk)) if change <= chunk => Some(Side::Change),
            (Some(_), Some(_)) => Some(Side::Chunk),
            (Some(change), None) => self.chunks.is_none_or(|last| change <= last).then_some(Side::Change),
            (None, Some(chunk)) => self.changes.is_none_or(|last| chunk <= last).then_some(Side::Chunk),
            (None, None) => None,
        }
    }
}

impl Place {
    fn parse(text: &str) -> Result<Self> {
        let (event, log) = text.split_once('.').map_or((text, None), |(event, log)| (event, Some(log)));
        let event = event
            .parse()
            .map_err(|_| Error::Malformed("the Last-Event-ID is none of this stream".to_owned()))?;
        let log = log.map(app_logs::parse).transpose()?.unwrap_or_default();
        Ok(Self { event, log })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.event, app_logs::print(self.log))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn what_is_later_than_a_full_page_waits_for_the_next_one() {
        let (early, late) = (Utc::now(), Utc::now() + TimeDelta::seconds(1));
        let behind = Behind { changes: None, chunks: Some(early) };
        assert_eq!(behind.earlier(Some(early), None), Some(Side::Change));
        assert_eq!(behind.earlier(Some(late), None), None);
        assert_eq!(behind.earlier(Some(late), Some(early)), Some(Side::Chunk));
        assert_eq!(behind.earlier(None, Some(late)), Some(Side::Chunk));
    }

    #[test]
    fn a_place_comes_back_as_it_was_printed() {
        let place = Place { event: 7, log: LogCursor { attempt: 2, sequence: 31 } };
        assert_eq!(Place::parse(&place.to_string()).unwrap(), place);
        assert_eq!(Place::parse("7").unwrap(), Place { event: 7, ..Place::default() });
        assert!(Place::parse("x").is_err());
    }
}
