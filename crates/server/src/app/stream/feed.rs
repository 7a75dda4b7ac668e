//! What those who follow the same job share: one read when the bell rings, and its messages.
//!
//! A feed knows its tip, the place up to which everything was read, and the last messages before it. Who stands at the
//! tip reads for everybody; the others find the messages there. Who is elsewhere (it has just come, or it is slow) reads
//! by itself until it is at the end, and nobody waits for it. What a feed keeps is bounded, and nothing is kept for one
//! reader alone.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use alethia_domain::ids::JobId;
use alethia_store::{
    Store,
    doorbell::{Bell, Doorbell, Ear},
};
use tokio::time::{Instant, sleep_until};

use super::{
    Message,
    place::Place,
    read::{self, Batch},
};
use crate::error::Result;

/// Most messages that a feed keeps, and about how many bytes.
const MOST_KEPT: usize = 256;
const MOST_BYTES: usize = 256 * 1024;
/// Shortest time from one read to the next: rings that follow each other faster are answered by one read.
const TOGETHER: Duration = Duration::from_millis(2);

/// The feeds that somebody reads.
#[derive(Default)]
pub(crate) struct Feeds(Mutex<HashMap<Option<JobId>, Weak<Feed>>>);

/// What those who follow a job, or all events, share.
pub(super) struct Feed {
    job: Option<JobId>,
    ear: Ear,
    known: Mutex<Known>,
    /// Held by the one who reads for everybody: when the next read may begin.
    turn: tokio::sync::Mutex<Instant>,
}

#[derive(Default)]
struct Known {
    /// Each with the place before it; the last one ends at the tip.
    kept: VecDeque<(Place, Message)>,
    bytes: usize,
    /// `None` before the first read.
    tip: Option<Tip>,
}

#[derive(Clone, Copy)]
struct Tip {
    place: Place,
    /// How often the bell had rung before the read that found nothing behind this place; `None` when there was more.
    count: Option<u64>,
    ended: bool,
}

/// What a reader finds that does not read itself.
enum Found {
    /// What comes after its place.
    Batch(Batch),
    /// It is the one to read for everybody, or the first.
    Tip,
    /// Its place is none that the feed knows.
    Elsewhere,
}

impl Feeds {
    /// The feed of a job, or of all events.
    pub(super) fn join(&self, job: Option<JobId>, doorbell: &Doorbell) -> Arc<Feed> {
        let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(&job).and_then(Weak::upgrade) {
            return feed;
        }
        feeds.retain(|_, feed| feed.strong_count() > 0);
        let feed = Arc::new(Feed {
            job,
            ear: doorbell.listen(job.map_or(Bell::Events, Bell::Job)),
            known: Mutex::default(),
            turn: tokio::sync::Mutex::new(Instant::now()),
        });
        feeds.insert(job, Arc::downgrade(&feed));
        feed
    }
}

impl Feed {
    /// What comes after a place, for a reader that has heard the bell so often.
    pub(super) async fn after(self: &Arc<Self>, store: &Store, place: Place, heard: u64) -> Result<Batch> {
        match self.find(place, heard) {
            Found::Batch(batch) => return Ok(batch),
            Found::Elsewhere => return self.read(store, place).await,
            Found::Tip => {}
        }
        let mut turn = self.turn.lock().await;
        // Somebody else may have read in between.
        match self.find(place, heard) {
            Found::Batch(batch) => return Ok(batch),
            Found::Elsewhere => {
                drop(turn);
                return self.read(store, place).await;
            }
            Found::Tip => {}
        }
        sleep_until(*turn).await;
        let batch = self.read(store, place).await;
        *turn = Instant::now() + TOGETHER;
        batch
    }

    /// Reads, and keeps what was read for those who stand at the same place.
    async fn read(self: &Arc<Self>, store: &Store, place: Place) -> Result<Batch> {
        let count = self.ear.count();
        let batch = read::after(store, self.job, place).await?;
        self.known().learn(place, &batch, count, Arc::strong_count(self) > 1);
        Ok(batch)
    }

    fn find(&self, place: Place, heard: u64) -> Found {
        self.known().find(place, heard)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn find(&self, place: Place, heard: u64) -> Found {
        let Some(tip) = self.tip else { return Found::Tip };
        if place == tip.place {
            return match tip.count {
                Some(count) if count >= heard => Found::Batch(self.from(self.kept.len(), tip)),
                Some(_) | None => Found::Tip,
            };
        }
        match self.kept.iter().position(|(before, _)| *before == place) {
            Some(index) => Found::Batch(self.from(index, tip)),
            None => Found::Elsewhere,
        }
    }

    /// The messages from there on, which end at the tip.
    fn from(&self, index: usize, tip: Tip) -> Batch {
        let messages = self.kept.iter().skip(index).map(|(_, message)| message.clone()).collect();
        Batch { messages, place: tip.place, complete: tip.count.is_some(), ended: tip.ended }
    }

    /// A read at the tip moves it. One from elsewhere that came to the end, later than what is known, makes a new tip:
    /// so a reader that stopped reading holds up nobody.
    fn learn(&mut self, from: Place, batch: &Batch, count: u64, shared: bool) {
        let continues = self.tip.is_none_or(|tip| tip.place == from);
        let newer = self.tip.and_then(|tip| tip.count).is_none_or(|known| known < count);
        let is_news = continues || (batch.complete && newer);
        if !is_news {
            return;
        }
        if !continues || !shared {
            (self.kept, self.bytes) = (VecDeque::new(), 0);
        }
        if shared {
            self.keep(from, &batch.messages);
        }
        let count = batch.complete.then_some(count);
        self.tip = Some(Tip { place: batch.place, count, ended: batch.ended });
    }

    fn keep(&mut self, from: Place, messages: &[Message]) {
        let mut before = from;
        for message in messages {
            self.kept.push_back((before, message.clone()));
            self.bytes += message.data.len();
            before = message.place;
        }
        while self.kept.len() > MOST_KEPT || self.bytes > MOST_BYTES {
            let Some((_, oldest)) = self.kept.pop_front() else { return };
            self.bytes -= oldest.data.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use alethia_store::logs::LogCursor;

    use super::{super::Kind, *};

    fn place(event: i64) -> Place {
        Place { event, log: LogCursor::default() }
    }

    fn batch(from: i64, to: i64, complete: bool) -> Batch {
        let message =
            |event| Message { place: place(event), kind: Kind::Change, data: Arc::from(format!("{event}")) };
        let messages = (from + 1..=to).map(message).collect();
        Batch { messages, place: place(to), complete, ended: false }
    }

    fn found(known: &Known, event: i64, heard: u64) -> Option<Vec<i64>> {
        match known.find(place(event), heard) {
            Found::Batch(batch) => Some(batch.messages.iter().map(|message| message.place.event).collect()),
            Found::Tip | Found::Elsewhere => None,
        }
    }

    #[test]
    fn who_comes_to_the_tip_later_finds_what_was_read() {
        let mut known = Known::default();
        known.learn(place(0), &batch(0, 2, true), 1, true);
        known.learn(place(2), &batch(2, 5, true), 2, true);
        assert_eq!(found(&known, 2, 2), Some(vec![3, 4, 5]));
        assert_eq!(found(&known, 4, 2), Some(vec![5]));
        assert_eq!(found(&known, 5, 2), Some(vec![]), "nothing rang since the read");
        assert!(matches!(known.find(place(5), 3), Found::Tip), "it rang: somebody has to read");
        assert!(matches!(known.find(place(9), 3), Found::Elsewhere));
    }

    #[test]
    fn a_reader_that_stands_still_holds_up_nobody() {
        let mut known = Known::default();
        known.learn(place(0), &batch(0, 2, false), 1, true);
        assert!(matches!(known.find(place(7), 1), Found::Elsewhere));
        known.learn(place(7), &batch(7, 9, true), 1, true);
        assert_eq!(found(&known, 7, 1), Some(vec![8, 9]));
        assert!(matches!(known.find(place(2), 1), Found::Elsewhere));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut known = Known::default();
        for event in 0..1000 {
            known.learn(place(event), &batch(event, event + 1, true), 1, true);
        }
        assert_eq!(known.kept.len(), MOST_KEPT);
        let large = Message { place: place(1001), kind: Kind::Log, data: Arc::from("x".repeat(MOST_BYTES)) };
        let batch = Batch { messages: vec![large], place: place(1001), complete: true, ended: false };
        known.learn(place(1000), &batch, 2, true);
        assert_eq!((known.kept.len(), known.bytes), (1, MOST_BYTES));
    }

    #[test]
    fn nothing_is_kept_for_one_reader_alone() {
        let mut known = Known::default();
        known.learn(place(0), &batch(0, 5, true), 1, false);
        assert_eq!((known.kept.len(), known.bytes), (0, 0));
        assert_eq!(found(&known, 5, 1), Some(vec![]));
    }
}
