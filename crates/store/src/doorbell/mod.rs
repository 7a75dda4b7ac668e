//! A doorbell: it says that something changed, never what. Who hears it reads the tables.
//!
//! Waiting is exact when it is done in this order: [`Doorbell::listen`], read, [`Ear::heard`]. What happens after
//! `listen` is heard, also when it happens during the read. Each job has a bell of its own, so that who follows one job
//! is not woken by another; a bell exists only while somebody listens to it.
//!
//! Inside one process a bell is a counter. To other Consoles the `relay` carries the rings, after the commit and several
//! of them at a time: a ring costs no transaction anything, and one that is lost on the way is made up for by the relay,
//! which looks into the tables every few seconds. So nobody else needs a slow poll.

mod relay;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use alethia_domain::ids::JobId;
use tokio::sync::{Notify, watch};

pub(crate) use relay::Relay;

/// What may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bell {
    /// A job may be there to be claimed.
    Queue,
    /// There are new events.
    Events,
    /// There are new events of a job, or new chunks of its log.
    Job(JobId),
}

/// Tells waiting tasks that something changed.
#[derive(Clone, Default)]
pub struct Doorbell {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    queue: watch::Sender<u64>,
    events: watch::Sender<u64>,
    jobs: Mutex<HashMap<JobId, watch::Sender<u64>>>,
    outbox: Outbox,
}

/// Hears one bell, from the moment it was made.
pub struct Ear {
    bell: Bell,
    receiver: Option<watch::Receiver<u64>>,
    doorbell: Doorbell,
}

/// Rings for other Consoles that are not sent yet.
#[derive(Default)]
struct Outbox {
    rings: Mutex<Rings>,
    filled: Notify,
}

/// Some rings, or so many that they are not told one by one.
#[derive(Debug, Default, PartialEq, Eq)]
enum Rings {
    /// Nobody takes them.
    #[default]
    Unwanted,
    These(BTreeSet<Bell>),
    Everything,
}

/// Most bells that are told one by one: a notification has at most 8,000 bytes.
const MOST_BELLS: usize = 200;

impl Doorbell {
    /// Begins to hear a bell.
    pub fn listen(&self, bell: Bell) -> Ear {
        let receiver = match bell {
            Bell::Queue => self.inner.queue.subscribe(),
            Bell::Events => self.inner.events.subscribe(),
            Bell::Job(job) => self.jobs().entry(job).or_default().subscribe(),
        };
        Ear { bell, receiver: Some(receiver), doorbell: self.clone() }
    }

    /// Rings here and, by the relay, at the other Consoles.
    pub(crate) fn ring(&self, bells: BTreeSet<Bell>) {
        self.ring_here(&bells);
        self.inner.outbox.add(bells);
    }

    fn ring_here<'a>(&self, bells: impl IntoIterator<Item = &'a Bell>) {
        for bell in bells {
            match bell {
                Bell::Queue => count_up(&self.inner.queue),
                Bell::Events => count_up(&self.inner.events),
                Bell::Job(job) => self.jobs().get(job).into_iter().for_each(count_up),
            }
        }
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<JobId, watch::Sender<u64>>> {
        self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ear {
    /// Returns when the bell rang since this ear was made or last returned. Safe to cancel.
    pub async fn heard(&mut self) {
        let changed = match &mut self.receiver {
            Some(receiver) => receiver.changed().await.is_ok(),
            None => false,
        };
        if !changed {
            std::future::pending::<()>().await;
        }
    }

    /// How often the bell has rung. Equal numbers of two ears of one bell say that nothing happened in between.
    pub fn count(&self) -> u64 {
        self.receiver.as_ref().map_or(0, |receiver| *receiver.borrow())
    }
}

impl Drop for Ear {
    /// The last one who listened to a job takes its bell away.
    fn drop(&mut self) {
        let Bell::Job(job) = self.bell else { return };
        let mut jobs = self.doorbell.jobs();
        self.receiver = None;
        if jobs.get(&job).is_some_and(|sender| sender.receiver_count() == 0) {
            jobs.remove(&job);
        }
    }
}

impl Outbox {
    /// From now on somebody takes what is added.
    fn open(&self) {
        *self.lock() = Rings::These(BTreeSet::new());
    }

    fn close(&self) {
        *self.lock() = Rings::Unwanted;
    }

    fn add(&self, bells: BTreeSet<Bell>) {
        let mut rings = self.lock();
        if let Rings::These(waiting) = &mut *rings {
            waiting.extend(bells);
            if waiting.len() > MOST_BELLS {
                *rings = Rings::Everything;
            }
            self.filled.notify_one();
        }
    }

    /// What was taken could not be told: the others are to look at everything.
    fn give_back(&self) {
        let mut rings = self.lock();
        if *rings != Rings::Unwanted {
            *rings = Rings::Everything;
        }
    }

    fn take(&self) -> Rings {
        std::mem::replace(&mut *self.lock(), Rings::These(BTreeSet::new()))
    }

    fn lock(&self) -> MutexGuard<'_, Rings> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count_up(sender: &watch::Sender<u64>) {
    sender.send_modify(|count| *count += 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bells(bells: impl IntoIterator<Item = Bell>) -> BTreeSet<Bell> {
        bells.into_iter().collect()
    }

    #[tokio::test]
    async fn a_job_is_heard_by_those_who_follow_it_alone() {
        let doorbell = Doorbell::default();
        let (one, other) = (JobId::generate(), JobId::generate());
        let (mut follower, stranger) = (doorbell.listen(Bell::Job(one)), doorbell.listen(Bell::Job(other)));
        doorbell.ring(bells([Bell::Job(one)]));
        follower.heard().await;
        assert_eq!((follower.count(), stranger.count()), (1, 0));
    }

    #[test]
    fn a_bell_that_nobody_listens_to_takes_no_room() {
        let doorbell = Doorbell::default();
        let job = JobId::generate();
        let (first, second) = (doorbell.listen(Bell::Job(job)), doorbell.listen(Bell::Job(job)));
        drop(first);
        assert_eq!(doorbell.jobs().len(), 1);
        drop(second);
        doorbell.ring(bells([Bell::Job(job)]));
        assert_eq!(doorbell.jobs().len(), 0);
    }

    #[test]
    fn what_waits_to_be_told_is_bounded_and_nothing_waits_where_nobody_tells() {
        let outbox = Outbox::default();
        outbox.add(bells([Bell::Queue]));
        assert_eq!(*outbox.lock(), Rings::Unwanted);
        outbox.open();
        outbox.add(bells([Bell::Queue]));
        assert_eq!(outbox.take(), Rings::These(bells([Bell::Queue])));
        outbox.add((0..=MOST_BELLS).map(|_| Bell::Job(JobId::generate())).collect());
        assert_eq!(outbox.take(), Rings::Everything);
    }
}
