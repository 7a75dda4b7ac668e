//! Requests that come while others are worked on are then worked on together: one transaction for all of them instead of
//! one for each. Nobody waits for company; whoever comes alone is worked on alone, at once.
//!
//! Used where many small writes come at the same time and each would pay for a transaction of its own. One group is worked
//! on at a time: with two, each is half as large, and that costs more than it saves. A request whose asker went away before
//! its turn is left out. Once its turn came, the work runs to its end; the answer of an asker that went away meanwhile is
//! dropped.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::transaction::interrupted;
use crate::Result;

/// A line of requests `Q`, each of which gets an answer `A`.
pub(crate) struct Combiner<Q, A> {
    line: Arc<Mutex<Line<Q, A>>>,
    /// Most requests that are worked on together.
    members: usize,
}

struct Line<Q, A> {
    waiting: VecDeque<(Q, oneshot::Sender<A>)>,
    /// Whether somebody works on it.
    busy: bool,
}

/// Who works on a line, until nobody waits.
struct Worker<Q, A> {
    line: Arc<Mutex<Line<Q, A>>>,
    /// Nobody waited any more.
    is_over: bool,
}

impl<Q: Send + 'static, A: Send + 'static> Combiner<Q, A> {
    /// Nobody waits.
    pub(crate) fn new(members: usize) -> Self {
        Self { line: Arc::new(Mutex::new(Line { waiting: VecDeque::new(), busy: false })), members }
    }

    /// Lets `work` answer this request, together with those that wait beside it. It gives an answer for each request, in
    /// their order.
    ///
    /// # Errors
    /// When the work ended without an answer.
    pub(crate) async fn ask<W, F>(&self, request: Q, work: W) -> Result<A>
    where
        W: Fn(Vec<Q>) -> F + Send + 'static,
        F: Future<Output = Vec<A>> + Send,
    {
        let (tell, told) = oneshot::channel();
        if let Some(worker) = self.join(request, tell) {
            let members = self.members;
            tokio::spawn(async move { worker.work(members, work).await });
        }
        told.await.map_err(interrupted)
    }

    /// Takes a place in the line; who is to work on it, unless somebody does.
    fn join(&self, request: Q, tell: oneshot::Sender<A>) -> Option<Worker<Q, A>> {
        let mut line = lock(&self.line);
        line.waiting.push_back((request, tell));
        if std::mem::replace(&mut line.busy, true) {
            return None;
        }
        Some(Worker { line: self.line.clone(), is_over: false })
    }
}

impl<Q: Send, A: Send> Worker<Q, A> {
    /// Works until nobody waits.
    async fn work<W, F>(mut self, members: usize, work: W)
    where
        W: Fn(Vec<Q>) -> F + Send,
        F: Future<Output = Vec<A>> + Send,
    {
        while let Some((requests, askers)) = self.next(members) {
            for (asker, answer) in askers.into_iter().zip(work(requests).await) {
                // Whoever went away meanwhile is not told.
                drop(asker.send(answer));
            }
        }
    }

    /// Who waits longest. When nobody does, it is over before anybody else can come.
    fn next(&mut self, members: usize) -> Option<(Vec<Q>, Vec<oneshot::Sender<A>>)> {
        let mut line = lock(&self.line);
        line.waiting.retain(|(_, asker)| !asker.is_closed());
        let count = members.min(line.waiting.len());
        if count == 0 {
            (line.busy, self.is_over) = (false, true);
            return None;
        }
        Some(line.waiting.drain(..count).unzip())
    }
}

impl<Q, A> Drop for Worker<Q, A> {
    /// One that broke off leaves nobody behind that waits for it.
    fn drop(&mut self) {
        if !self.is_over {
            let mut line = lock(&self.line);
            line.busy = false;
            line.waiting.clear();
        }
    }
}

fn lock<Q, A>(line: &Mutex<Line<Q, A>>) -> MutexGuard<'_, Line<Q, A>> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::Pin, task::Poll};

    use tokio::sync::Semaphore;

    use super::*;

    type Numbers = Combiner<u32, (u32, usize)>;
    type Working = Pin<Box<dyn Future<Output = Vec<(u32, usize)>> + Send>>;
    type Asking<'a> = Pin<Box<dyn Future<Output = Result<(u32, usize)>> + Send + 'a>>;

    /// Gives each number back, with how many were in its group, once it may.
    fn work(may: &Arc<Semaphore>) -> impl Fn(Vec<u32>) -> Working + use<> {
        let may = may.clone();
        move |numbers| {
            let may = may.clone();
            Box::pin(async move {
                may.acquire().await.expect("nobody closes it").forget();
                assert!(!numbers.contains(&13), "a bad number");
                let size = numbers.len();
                numbers.into_iter().map(|number| (number, size)).collect()
            })
        }
    }

    /// Asks in this task, as far as to the end of the line.
    async fn asked<'a>(numbers: &'a Numbers, number: u32, may: &Arc<Semaphore>) -> Asking<'a> {
        let mut asking = Box::pin(numbers.ask(number, work(may)));
        poll_fn(|context| {
            assert!(asking.as_mut().poll(context).is_pending(), "nobody may answer yet");
            Poll::Ready(())
        })
        .await;
        asking
    }

    fn numbers() -> (Numbers, Arc<Semaphore>) {
        (Combiner::new(3), Arc::new(Semaphore::new(0)))
    }

    /// Lets the task that works begin with what waits.
    async fn begun(numbers: &Numbers, waiting: usize) {
        while lock(&numbers.line).waiting.len() != waiting {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn those_that_come_meanwhile_are_a_group() {
        let (numbers, may) = numbers();
        let first = asked(&numbers, 1, &may).await;
        begun(&numbers, 0).await;
        let mut others = Vec::new();
        for number in 2..=5 {
            others.push(asked(&numbers, number, &may).await);
        }
        may.add_permits(9);
        assert_eq!(first.await.unwrap(), (1, 1));
        let mut answers = Vec::new();
        for other in others {
            answers.push(other.await.unwrap());
        }
        assert_eq!(answers, [(2, 3), (3, 3), (4, 3), (5, 1)]);
        assert_eq!(numbers.ask(6, work(&may)).await.unwrap(), (6, 1), "the line begins anew");
    }

    #[tokio::test]
    async fn who_goes_away_is_left_out() {
        let (numbers, may) = numbers();
        let first = asked(&numbers, 1, &may).await;
        begun(&numbers, 0).await;
        drop(asked(&numbers, 2, &may).await);
        let third = asked(&numbers, 3, &may).await;
        may.add_permits(9);
        assert_eq!((first.await.unwrap(), third.await.unwrap()), ((1, 1), (3, 1)));
    }

    #[tokio::test]
    async fn work_that_breaks_off_leaves_nobody_waiting() {
        let (numbers, may) = numbers();
        let bad = asked(&numbers, 13, &may).await;
        begun(&numbers, 0).await;
        let behind = asked(&numbers, 2, &may).await;
        may.add_permits(9);
        assert!(bad.await.is_err() && behind.await.is_err());
        assert_eq!(numbers.ask(3, work(&may)).await.unwrap(), (3, 1));
    }
}
