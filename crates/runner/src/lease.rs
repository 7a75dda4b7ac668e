//! The lease on a job: renewed every third of it, and the Console's word passed on.
//!
//! The Runner counts from the moment it sent the request, by its own clock, so it always believes the lease to end before
//! the Console does. What must stay true: when the lease ends, nothing of Terraform runs any more and nothing is written.

use std::time::Duration;

use alethia_api::{
    client::JobClient,
    runner::{Heartbeat, Instruction},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    retry::ends_attempt,
    stop::{Stop, StopSignal},
};

/// How much of the lease may pass without a renewal before Terraform is interrupted, in percent.
const INTERRUPT_AT: u32 = 80;
/// How much of it may pass before everything is killed, in percent.
const KILL_AT: u32 = 95;

/// Keeps a lease until it is dropped.
pub(crate) struct Lease {
    _task: AbortOnDropHandle<()>,
}

struct Keeper {
    client: JobClient,
    length: Duration,
    renewed: Instant,
    step: watch::Receiver<&'static str>,
    stop: StopSignal,
}

impl Lease {
    /// Keeps a lease of this length, which was given just now.
    pub(crate) fn keep(
        client: JobClient,
        length: Duration,
        step: watch::Receiver<&'static str>,
        stop: StopSignal,
    ) -> Self {
        let keeper = Keeper { client, length, renewed: Instant::now(), step, stop };
        Self { _task: AbortOnDropHandle::new(tokio::spawn(keeper.run())) }
    }
}

impl Keeper {
    async fn run(mut self) {
        let mut next = self.renewed + self.length / 3;
        while !self.stop.is_lost() {
            let interrupt_at = self.renewed + self.length * INTERRUPT_AT / 100;
            let kill_at = self.renewed + self.length * KILL_AT / 100;
            let ending = self.stop.reason() >= Some(Stop::LeaseEnding);
            tokio::select! {
                biased;
                () = sleep_until(kill_at) => self.stop.raise(Stop::LeaseLost),
                () = sleep_until(interrupt_at), if !ending => self.stop.raise(Stop::LeaseEnding),
                () = sleep_until(next) => next = self.beat().await,
            }
        }
    }

    /// One heartbeat; says when the next is due.
    async fn beat(&mut self) -> Instant {
        let sent = Instant::now();
        let patience = self.length / 5;
        let heartbeat = Heartbeat { step: Some((*self.step.borrow()).to_owned()), ..Heartbeat::default() };
        match timeout(patience, self.client.heartbeat(&heartbeat)).await {
            Ok(Ok(reply)) => {
                self.renewed = sent;
                match reply.instruction {
                    Instruction::Continue => {}
                    Instruction::Cancel => self.stop.raise(Stop::Cancel),
                    Instruction::Kill => self.stop.raise(Stop::Kill),
                }
                return sent + self.length / 3;
            }
            Ok(Err(error)) if ends_attempt(&error) => self.stop.raise(Stop::LeaseLost),
            Ok(Err(error)) => tracing::warn!(job = %self.client.id(), %error, "a heartbeat failed"),
            Err(_) => tracing::warn!(job = %self.client.id(), "a heartbeat got no answer"),
        }
        Instant::now() + self.length / 30
    }
}

#[cfg(test)]
mod tests;
