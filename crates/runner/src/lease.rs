//! The lease on a job: renewed often, and the Console's word passed on.
//!
//! The Runner counts from the moment it sent the request, by its own clock, so it always believes the lease to end before
//! the Console does. What must stay true: when the lease ends, nothing of Terraform runs any more. Each renewal is told to
//! the guard of Terraform too, which ends it should this process not come to it.
//!
//! The Console holds the answer to a heartbeat while there is nothing to say, so a cancel arrives at once. After the end
//! of the lease the beats go on: a Console that was away itself may not have given the job to anybody, and then takes
//! what the Runner still has to say. Leases are kept in a thread of their own: a machine that is busy, or a step that
//! blocks, never makes one end.

use std::{thread, time::Duration};

use alethia_api::{
    client::JobClient,
    runner::{Heartbeat, Instruction},
};
use tokio::{
    runtime::{Builder, Handle},
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    guard::{Limits, Moment},
    retry::ends_attempt,
    stop::{Stop, StopSignal},
};

/// How much of the lease may pass without a renewal before everything is killed, in percent.
const KILL_AT: u32 = 92;
/// How long before that Terraform is interrupted, at least: calls to the cloud that are under way come to their end, then the
/// state is written, or left behind at once, since its front waits for nobody any more. A sixth of a longer lease, and
/// never more than half of a short one: until then a Console that is away costs nothing.
const ORDERLY_END: Duration = Duration::from_secs(5);
/// The guard acts a little later, in percent of the lease, and so only where the Runner did not.
const GUARD_WAITS: u32 = 5;
const GUARD_KILLS_AT: u32 = 95;
/// How long the Console holds an answer at most, so that a Runner is never taken as gone.
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// For how long a Console that is away is told how the job ended.
const GIVE_UP_AFTER: Duration = Duration::from_secs(60 * 60);

/// The thread that keeps leases. Dropping it ends it.
pub(crate) struct Heart {
    handle: Handle,
    stop: CancellationToken,
    thread: Option<thread::JoinHandle<()>>,
}

/// Keeps a lease until it is dropped.
pub(crate) struct Lease {
    limits: watch::Receiver<Limits>,
    _task: AbortOnDropHandle<()>,
}

struct Keeper {
    client: JobClient,
    length: Duration,
    renewed: Instant,
    told: Instruction,
    limits: watch::Sender<Limits>,
    step: watch::Receiver<&'static str>,
    stop: StopSignal,
}

impl Heart {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the machine has no more threads.
    pub(crate) fn start() -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (handle, stop) = (runtime.handle().clone(), CancellationToken::new());
        let told = stop.clone();
        let thread = thread::Builder::new().name("leases".to_owned());
        let thread = thread.spawn(move || runtime.block_on(told.cancelled()))?;
        Ok(Self { handle, stop, thread: Some(thread) })
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(Err(_)) = self.thread.take().map(thread::JoinHandle::join) {
            tracing::error!("the thread that keeps leases broke");
        }
    }
}

impl Lease {
    /// Keeps a lease of this length, which was given just now.
    pub(crate) fn keep(
        heart: &Heart,
        client: JobClient,
        length: Duration,
        step: watch::Receiver<&'static str>,
        stop: StopSignal,
    ) -> Self {
        let (limits, told) = watch::channel(limits(Moment::now(), length));
        let renewed = Instant::now();
        let keeper = Keeper { client, length, renewed, told: Instruction::Continue, limits, step, stop };
        let task = heart.handle.spawn(keeper.run());
        Self { limits: told, _task: AbortOnDropHandle::new(task) }
    }

    /// Until when Terraform may run, as it is now and as it changes.
    pub(crate) fn limits(&self) -> watch::Receiver<Limits> {
        self.limits.clone()
    }
}

impl Keeper {
    async fn run(mut self) {
        let stop = self.stop.clone();
        let beats = self.beat_on();
        tokio::select! {
            _ = stop.at_least(Stop::Over) => {}
            () = beats => {}
        }
    }

    /// Watches the clock while an answer is waited for.
    async fn beat_on(&mut self) {
        let (mut next, mut hold) = (Instant::now(), Duration::ZERO);
        loop {
            let renewed = self.renewed;
            let clock = watch_clock(renewed, self.length, self.stop.clone());
            let beat = async {
                sleep_until(next).await;
                self.beat(hold).await
            };
            let well = tokio::select! {
                well = beat => well,
                () = clock => return,
            };
            (next, hold) = if well {
                (Instant::now(), self.hold())
            } else {
                (Instant::now() + self.length / 30, Duration::ZERO)
            };
        }
    }

    /// One heartbeat whose answer may be held so long; tells whether it went well.
    async fn beat(&mut self, hold: Duration) -> bool {
        let (sent, moment) = (Instant::now(), Moment::now());
        let heartbeat = Heartbeat {
            step: Some((*self.step.borrow()).to_owned()),
            wait_seconds: u16::try_from(hold.as_secs()).unwrap_or(u16::MAX),
            told: self.told,
        };
        match timeout(hold + self.length / 8, self.client.heartbeat(&heartbeat)).await {
            Ok(Ok(reply)) => {
                self.renewed = sent;
                self.limits.send_replace(limits(moment, self.length));
                self.obey(reply.instruction);
                return true;
            }
            Ok(Err(error)) if ends_attempt(&error) => self.stop.raise(Stop::Over),
            Ok(Err(error)) => tracing::warn!(job = %self.client.id(), %error, "a heartbeat failed"),
            Err(_) => tracing::warn!(job = %self.client.id(), "a heartbeat got no answer"),
        }
        false
    }

    fn obey(&mut self, instruction: Instruction) {
        self.told = instruction;
        match instruction {
            Instruction::Continue => {}
            Instruction::Cancel => self.stop.raise(Stop::Cancel),
            Instruction::Kill => self.stop.raise(Stop::Kill),
        }
    }

    /// A renewal is known only when its answer is there. A tenth of the lease leaves time to try again.
    fn hold(&self) -> Duration {
        Duration::from_secs((self.length / 10).min(LONGEST_WAIT).as_secs())
    }
}

/// Ends Terraform when a lease that was renewed then ends, and returns when there is no hope any more.
async fn watch_clock(renewed: Instant, length: Duration, stop: StopSignal) {
    sleep_until(renewed + interrupt_after(length)).await;
    stop.raise(Stop::LeaseEnding);
    sleep_until(renewed + length * KILL_AT / 100).await;
    stop.raise(Stop::LeaseLost);
    sleep_until(renewed + length + GIVE_UP_AFTER).await;
    tracing::error!("the Console has been away for so long that what a job still has to say is dropped");
    stop.raise(Stop::Over);
}

/// How long after its renewal a lease of this length has ended for Terraform.
fn interrupt_after(length: Duration) -> Duration {
    let end = ORDERLY_END.max(length / 6);
    (length * KILL_AT / 100).saturating_sub(end).max(length / 2)
}

fn limits(renewed: Moment, length: Duration) -> Limits {
    Limits {
        interrupt_at: renewed + (interrupt_after(length) + length * GUARD_WAITS / 100),
        kill_at: renewed + length * GUARD_KILLS_AT / 100,
    }
}

#[cfg(test)]
mod tests;
