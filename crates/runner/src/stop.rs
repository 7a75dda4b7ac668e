//! Why a job ends before its time: one value a job, raised from several sides, read by whoever works on the job.
//!
//! A reason only ever gives way to a graver one, so that a lost lease is never mistaken for a cancellation.

use std::{future::Future, sync::Arc};

use tokio::sync::watch;

/// Why a job ends early, the gravest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stop {
    /// A person asked for it.
    Cancel,
    /// The Runner ends.
    Shutdown,
    /// It took too long.
    Timeout,
    /// The Console has not been reached for most of the lease: end in an orderly way while that still counts.
    LeaseEnding,
    /// The Runner ends and does not wait for Terraform.
    Abort,
    /// It is to end at once, whatever that leaves behind: a person asked for it again.
    Kill,
    /// The lease has ended by our clock: nothing may run any more. What there is to say may still be taken.
    LeaseLost,
    /// The attempt is over: nothing is to be said any more either.
    Over,
}

/// The place where the reason stands.
#[derive(Clone, Debug)]
pub(crate) struct StopSignal {
    reason: Arc<watch::Sender<Option<Stop>>>,
}

impl StopSignal {
    /// A signal without a reason yet.
    pub(crate) fn new() -> Self {
        Self { reason: Arc::new(watch::Sender::new(None)) }
    }

    /// Gives a reason; a graver one that stands already stays.
    pub(crate) fn raise(&self, stop: Stop) {
        self.reason.send_if_modified(|reason| {
            let graver = reason.is_none_or(|standing| standing < stop);
            if graver {
                *reason = Some(stop);
            }
            graver
        });
    }

    /// The reason, if there is one.
    pub(crate) fn reason(&self) -> Option<Stop> {
        *self.reason.borrow()
    }

    /// Whether the attempt is over.
    pub(crate) fn is_over(&self) -> bool {
        self.reason() == Some(Stop::Over)
    }

    /// Waits for a reason at least this grave.
    pub(crate) async fn at_least(&self, stop: Stop) -> Stop {
        let mut reasons = self.reason.subscribe();
        let reason = reasons.wait_for(|reason| reason.is_some_and(|reason| reason >= stop)).await;
        reason.ok().and_then(|reason| *reason).expect("the sender lives as long as this signal")
    }

    /// Does something unless the attempt is over first.
    pub(crate) async fn unless_over<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            _ = self.at_least(Stop::Over) => None,
            done = work => Some(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graver_reason_stays() {
        let signal = StopSignal::new();
        signal.raise(Stop::Timeout);
        signal.raise(Stop::Cancel);
        assert_eq!(signal.reason(), Some(Stop::Timeout));
        signal.raise(Stop::Over);
        assert!(signal.is_over());
    }

    #[tokio::test]
    async fn work_goes_on_until_the_attempt_is_over() {
        let signal = StopSignal::new();
        signal.raise(Stop::LeaseLost);
        assert_eq!(signal.unless_over(async { 1 }).await, Some(1));
        signal.raise(Stop::Over);
        assert_eq!(signal.unless_over(std::future::pending::<()>()).await, None);
    }
}
