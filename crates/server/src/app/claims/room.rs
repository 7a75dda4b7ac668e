//! Where claims wait: a line of Runners, of whom a new job wakes one and not all.
//!
//! Nobody knows from a ring which job it was for. So one Runner of each set of labels is woken for each ring, the one
//! that waits longest first; whoever then gets a job wakes the next of its labels, and whoever finds none lets it be. A
//! woken Runner that goes away without having looked passes the call on. So no job waits while a Runner of this Console
//! waits that may have it, and two hundred Runners do not run two hundred queries.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use alethia_domain::ids::RunnerId;
use tokio::sync::{Notify, oneshot};

/// Most Runners of the same labels that are woken at once.
const MOST_CALLS: u64 = 8;

/// The line.
#[derive(Clone, Default)]
pub(crate) struct Room {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    line: Mutex<Line>,
    /// Somebody began to wait.
    arrived: Notify,
}

#[derive(Default)]
struct Line {
    next_number: u64,
    /// By their numbers: who waits longest is the first.
    waiting: BTreeMap<u64, Waiting>,
}

struct Waiting {
    runner: RunnerId,
    labels: Vec<String>,
    call: oneshot::Sender<()>,
}

/// A place in the line, kept until the claim ends.
pub(super) struct Seat {
    room: Room,
    number: u64,
    runner: RunnerId,
    labels: Vec<String>,
    called: Option<oneshot::Receiver<()>>,
    /// It was called, and has not found out yet whether there was a job for it.
    owes_a_look: bool,
}

impl Room {
    /// Takes a place at the end of the line. Calls are heard from then on.
    pub(super) fn sit(&self, runner: RunnerId, labels: &[String]) -> Seat {
        let mut labels = labels.to_vec();
        labels.sort();
        let number = {
            let mut line = self.line();
            line.next_number += 1;
            line.next_number
        };
        let mut seat = Seat { room: self.clone(), number, runner, labels, called: None, owes_a_look: false };
        seat.listen();
        seat
    }

    /// Calls so many Runners of each set of labels.
    pub(crate) fn call(&self, many: u64) {
        let mut line = self.line();
        let mut called: BTreeMap<Vec<String>, u64> = BTreeMap::new();
        let chosen: Vec<u64> = line
            .waiting
            .iter()
            .filter(|(_, waiting)| {
                let calls = called.entry(waiting.labels.clone()).or_default();
                *calls += 1;
                *calls <= many.min(MOST_CALLS)
            })
            .map(|(number, _)| *number)
            .collect();
        chosen.into_iter().for_each(|number| line.call(number));
    }

    /// Calls a Runner that a job is for alone.
    pub(crate) fn call_runner(&self, runner: RunnerId) {
        self.call_first(|waiting| waiting.runner == runner);
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.line().waiting.len()
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting() == 0
    }

    /// Returns when somebody began to wait.
    pub(crate) async fn arrived(&self) {
        self.inner.arrived.notified().await;
    }

    fn call_first(&self, fits: impl Fn(&Waiting) -> bool) {
        let mut line = self.line();
        let first = line.waiting.iter().find(|(_, waiting)| fits(waiting)).map(|(number, _)| *number);
        first.into_iter().for_each(|number| line.call(number));
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.inner.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn call(&mut self, number: u64) {
        if let Some(waiting) = self.waiting.remove(&number) {
            // Whoever does not hear it any more passes it on when it leaves.
            let _ = waiting.call.send(());
        }
    }
}

impl Seat {
    /// From now on calls count. Look after this, and wait then.
    pub(super) fn listen(&mut self) {
        let (call, called) = oneshot::channel();
        let waiting = Waiting { runner: self.runner, labels: self.labels.clone(), call };
        self.room.line().waiting.insert(self.number, waiting);
        self.called = Some(called);
    }

    /// Returns at a call since `listen`.
    pub(super) async fn called(&mut self) {
        self.room.inner.arrived.notify_one();
        match &mut self.called {
            Some(called) => {
                // An error would say the same: the other side is dropped by a call alone.
                let _ = called.await;
                (self.called, self.owes_a_look) = (None, true);
            }
            None => std::future::pending().await,
        }
    }

    /// It looked, and there was nothing for it.
    pub(super) fn found_nothing(&mut self) {
        self.owes_a_look = false;
    }

    /// It got a job. Was it called for it, there may be one for the next with its labels too.
    pub(super) fn found_a_job(&mut self) {
        if self.owes_a_look {
            self.pass_on();
        }
    }

    /// Leaves the line and calls the next with these labels.
    pub(super) fn pass_on(&mut self) {
        (self.called, self.owes_a_look) = (None, false);
        self.room.line().waiting.remove(&self.number);
        self.room.call_first(|waiting| waiting.labels == self.labels);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let sat = self.room.line().waiting.remove(&self.number).is_some();
        if self.owes_a_look || (!sat && self.called.is_some()) {
            self.pass_on(); // it was called and did not look
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn is_called(seat: &mut Seat) -> bool {
        seat.called.as_mut().is_some_and(|called| called.try_recv().is_ok())
    }

    fn called(seats: &mut [Seat]) -> Vec<bool> {
        seats.iter_mut().map(is_called).collect()
    }

    #[test]
    fn a_call_wakes_the_longest_waiting_of_each_set_of_labels() {
        let room = Room::default();
        let mut seats =
            ["", "gpu eu", "", "eu gpu"].map(|text| room.sit(RunnerId::generate(), &labels(text)));
        room.call(1);
        assert_eq!(called(&mut seats), [true, true, false, false]);
        room.call(2);
        assert_eq!(called(&mut seats), [false, false, true, true]);
    }

    #[test]
    fn who_got_a_job_calls_the_next() {
        let room = Room::default();
        let mut seats = ["", "gpu", ""].map(|text| room.sit(RunnerId::generate(), &labels(text)));
        seats[0].pass_on();
        assert_eq!(called(&mut seats), [false, false, true]);
    }

    #[test]
    fn a_call_that_nobody_followed_is_passed_on() {
        let room = Room::default();
        let first = room.sit(RunnerId::generate(), &[]);
        let mut second = room.sit(RunnerId::generate(), &[]);
        room.call(1);
        drop(first);
        assert!(is_called(&mut second));
        drop(second);
        assert!(room.is_empty());
    }

    #[tokio::test]
    async fn a_call_is_passed_on_by_who_leaves_in_the_middle_of_the_look() {
        let room = Room::default();
        let mut first = room.sit(RunnerId::generate(), &[]);
        let mut second = room.sit(RunnerId::generate(), &[]);
        room.call(1);
        first.called().await;
        first.listen();
        drop(first);
        assert!(is_called(&mut second));
    }

    #[tokio::test]
    async fn who_found_nothing_calls_nobody() {
        let room = Room::default();
        let mut first = room.sit(RunnerId::generate(), &[]);
        let mut second = room.sit(RunnerId::generate(), &[]);
        room.call(1);
        first.called().await;
        first.listen();
        first.found_nothing();
        drop(first);
        assert!(!is_called(&mut second));
    }

    #[test]
    fn a_job_for_one_runner_wakes_that_one() {
        let room = Room::default();
        let runner = RunnerId::generate();
        let mut seats = [RunnerId::generate(), runner].map(|runner| room.sit(runner, &[]));
        room.call_runner(runner);
        assert_eq!(called(&mut seats), [false, true]);
    }
}
