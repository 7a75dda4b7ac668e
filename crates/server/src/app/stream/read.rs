//! One read: what is new after a place, as messages in the order of their times.

use std::sync::Arc;

use alethia_api::events::Event;
use alethia_domain::ids::JobId;
use alethia_store::{
    PageRequest, Store,
    events::{self, EventFilter},
    logs,
    news::{self, News},
};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{Kind, Message, place::Place};
use crate::{app::logs as app_logs, error::Result};

/// Rows that are read at once: with chunks of at most 64 KiB this bounds what one stream holds.
const EVENTS: u16 = 100;
const CHUNKS: u16 = 32;

/// What was new.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) messages: Vec<Message>,
    /// The place after the last message.
    pub(super) place: Place,
    /// Whether there was nothing more behind it.
    pub(super) complete: bool,
    /// Whether nothing will ever come after it.
    pub(super) ended: bool,
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

/// Reads what is new of a job, or of everything.
pub(super) async fn after(store: &Store, job: Option<JobId>, place: Place) -> Result<Batch> {
    let news = match job {
        Some(job) => {
            let events = PageRequest { after: Some(place.event), limit: EVENTS };
            news::of(store, job, events, PageRequest { after: Some(place.log), limit: CHUNKS }).await?
        }
        None => {
            let events = events::after(store, EventFilter::All, place.event, EVENTS).await?;
            News { events, ..News::default() }
        }
    };
    Ok(Batch::of(place, news))
}

impl Batch {
    /// Puts changes and chunks in the order of their times.
    fn of(place: Place, News { events: changes, chunks, over }: News) -> Self {
        let behind = Behind {
            changes: changes.last().filter(|_| changes.len() == usize::from(EVENTS)).map(|last| last.at),
            chunks: chunks.last().filter(|_| chunks.len() == usize::from(CHUNKS)).map(|last| last.at),
        };
        let complete = behind.changes.is_none() && behind.chunks.is_none();
        let mut batch = Self { messages: Vec::new(), place, complete, ended: over && complete };
        let (mut changes, mut chunks) = (changes.into_iter().peekable(), chunks.into_iter().peekable());
        while let Some(side) =
            behind.earlier(changes.peek().map(|change| change.at), chunks.peek().map(|chunk| chunk.at))
        {
            match side {
                Side::Change => changes.next().into_iter().for_each(|change| batch.push_change(change)),
                Side::Chunk => chunks.next().into_iter().for_each(|chunk| batch.push_chunk(chunk)),
            }
        }
        batch
    }

    fn push_change(&mut self, change: events::Event) {
        let events::Event { id, at, spec_id, job_id, change } = change;
        self.place.event = id;
        self.push(Kind::Change, &Event { id, at, spec_id, job_id, change });
    }

    fn push_chunk(&mut self, chunk: logs::LogChunk) {
        self.place.log = chunk.cursor();
        self.push(Kind::Log, &app_logs::view(chunk));
    }

    fn push(&mut self, kind: Kind, content: &impl Serialize) {
        let data = serde_json::to_string(content).expect("what travels always serializes");
        self.messages.push(Message { place: self.place, kind, data: Arc::from(data) });
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
}
