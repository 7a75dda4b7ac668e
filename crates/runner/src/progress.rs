//! What happens to components, on its way to the Console.
//!
//! The first report goes at once, the next ones together, at most every 100 ms, the last ones at the end of the job. While
//! a report is on its way, newer news of a component replace older ones of the same kind, so nothing piles up.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use alethia_api::{
    client::JobClient,
    runner::{ComponentReport, ReportProgress},
};
use tokio::{sync::Notify, time::Instant};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    retry::{CallError, persist},
    stop::StopSignal,
};

/// Shortest time between two reports.
const PAUSE: Duration = Duration::from_millis(100);
/// How long the rest may take at the end of a job.
const FLUSH_PATIENCE: Duration = Duration::from_secs(30);

/// Where a job tells its progress.
#[derive(Clone)]
pub(crate) struct Progress {
    board: Arc<Board>,
}

/// The one who carries it to the Console.
pub(crate) struct Carrier {
    board: Arc<Board>,
    task: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Board {
    pending: Mutex<Pending>,
    news: Notify,
    closed: CancellationToken,
}

#[derive(Clone, Debug, Default)]
struct Pending {
    step: &'static str,
    done: u32,
    total: u32,
    components: Vec<ComponentReport>,
    is_new: bool,
}

/// Progress of this attempt, and who carries it.
pub(crate) fn open(client: JobClient, stop: StopSignal) -> (Progress, Carrier) {
    let board = Arc::new(Board::default());
    let task = AbortOnDropHandle::new(tokio::spawn(carry(Arc::clone(&board), client, stop)));
    (Progress { board: Arc::clone(&board) }, Carrier { board, task })
}

impl Progress {
    /// Another step begins.
    pub(crate) fn step(&self, step: &'static str) {
        self.change(|pending| pending.step = step);
    }

    /// So many resources are done, of so many.
    pub(crate) fn count(&self, (done, total): (u32, u32)) {
        self.change(|pending| (pending.done, pending.total) = (done, total));
    }

    /// Something happened to a component.
    pub(crate) fn component(&self, report: ComponentReport) {
        self.change(|pending| pending.add(report));
    }

    fn change(&self, change: impl FnOnce(&mut Pending)) {
        let mut pending = self.board.lock();
        change(&mut pending);
        pending.is_new = true;
        drop(pending);
        self.board.news.notify_one();
    }
}

impl Carrier {
    /// Sends what is left.
    pub(crate) async fn close(self) {
        self.board.closed.cancel();
        if tokio::time::timeout(FLUSH_PATIENCE, self.task).await.is_err() {
            tracing::warn!("the last progress of a job was not taken by the Console in time");
        }
    }
}

impl Board {
    fn lock(&self) -> std::sync::MutexGuard<'_, Pending> {
        // Nothing that holds the lock can leave half a change behind.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<ReportProgress> {
        let mut pending = self.lock();
        std::mem::take(&mut pending.is_new).then(|| ReportProgress {
            step: pending.step.to_owned(),
            done: pending.done,
            total: pending.total,
            components: std::mem::take(&mut pending.components),
        })
    }
}

impl Pending {
    fn add(&mut self, report: ComponentReport) {
        let latest = self.components.iter_mut().rev().find(|known| known.component == report.component);
        match latest {
            Some(known) if known.event == report.event => *known = report,
            Some(_) | None => self.components.push(report),
        }
    }
}

async fn carry(board: Arc<Board>, client: JobClient, stop: StopSignal) {
    loop {
        tokio::select! {
            () = board.news.notified() => {}
            () = board.closed.cancelled() => {}
        }
        let closed = board.closed.is_cancelled();
        let sent = Instant::now();
        if let Some(report) = board.take() {
            match persist(&stop, || client.report_progress(&report)).await {
                Ok(()) => {}
                Err(CallError::LeaseLost) => return,
                // The end of the job tells the final word on every component once more.
                Err(CallError::Refused(error)) => {
                    tracing::warn!(job = %client.id(), %error, "the Console refused a progress report");
                }
            }
        }
        if closed {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep_until(sent + PAUSE) => {}
            () = board.closed.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests;
