//! The log of a job on its way to the Console: numbered chunks, in order, none lost while the attempt is ours.
//!
//! Lines wait in a short queue; whoever writes faster than the Console takes has to wait. A chunk is closed 100 ms after
//! its first line or at 64 KiB, whichever comes first, and is sent until it is taken. A lost lease ends it.

use std::time::Duration;

use alethia_api::{client::JobClient, logs::LogChunk, runner::AppendLogs};
use chrono::Utc;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    redact::{LineRedactor, Redactor},
    retry::{CallError, persist},
    stop::StopSignal,
};

/// Longest text of a chunk, in bytes.
const CHUNK_SIZE: usize = 64 * 1024;
/// How long a chunk may wait for more lines.
const CHUNK_WAIT: Duration = Duration::from_millis(100);
/// Longest piece of a line; a longer line is cut into several.
const PIECE_SIZE: usize = 16 * 1024;
/// How many pieces wait at most.
const QUEUE: usize = 128;
/// How long the rest of the log may take at the end of a job.
const FLUSH_PATIENCE: Duration = Duration::from_secs(60);

/// Where a job writes its log.
pub(crate) struct Log {
    pieces: mpsc::Sender<String>,
    redactor: LineRedactor,
    task: AbortOnDropHandle<()>,
}

struct Shipper {
    client: JobClient,
    attempt: u32,
    sequence: u64,
    pieces: mpsc::Receiver<String>,
    stop: StopSignal,
    /// A piece that did not fit into the chunk before.
    left_over: Option<String>,
}

impl Log {
    /// A log of this attempt, from chunk 1 on.
    pub(crate) fn open(client: JobClient, attempt: u32, redactor: Redactor, stop: StopSignal) -> Self {
        let (sender, pieces) = mpsc::channel(QUEUE);
        let shipper = Shipper { client, attempt, sequence: 1, pieces, stop, left_over: None };
        Self {
            pieces: sender,
            redactor: LineRedactor::new(redactor),
            task: AbortOnDropHandle::new(tokio::spawn(shipper.run())),
        }
    }

    /// Writes a text of one line or several, redacted. Waits while the Console is slow.
    pub(crate) async fn write(&mut self, text: &str) {
        // The key of a text with several lines is masked as a whole, the key of a text per line by the lines.
        let Some(text) = self.redactor.line(text) else { return };
        for line in text.lines() {
            for piece in pieces(line) {
                // Closed only after the lease was lost: then nothing may be written any more.
                let _ = self.pieces.send(format!("{piece}\n")).await;
            }
        }
    }

    /// Sends what is left.
    pub(crate) async fn close(self) {
        drop(self.pieces);
        if tokio::time::timeout(FLUSH_PATIENCE, self.task).await.is_err() {
            tracing::warn!("the end of a job's log was not taken by the Console in time");
        }
    }
}

impl Shipper {
    async fn run(mut self) {
        while let Some(text) = self.gather().await {
            let chunk = LogChunk { attempt: self.attempt, sequence: self.sequence, at: Utc::now(), text };
            let body = AppendLogs { chunks: vec![chunk] };
            match persist(&self.stop, || self.client.append_logs(&body)).await {
                Ok(()) => self.sequence += 1,
                Err(CallError::LeaseLost) => return,
                // The number is used again, so that the log has no gap in it.
                Err(CallError::Refused(error)) => {
                    tracing::warn!(job = %self.client.id(), %error, "the Console refused a part of the log");
                }
            }
        }
    }

    /// The text of the next chunk; `None` after the last.
    async fn gather(&mut self) -> Option<String> {
        let mut text = match self.left_over.take() {
            Some(piece) => piece,
            None => self.pieces.recv().await?,
        };
        let deadline = Instant::now() + CHUNK_WAIT;
        while let Ok(Some(piece)) = tokio::time::timeout_at(deadline, self.pieces.recv()).await {
            if text.len() + piece.len() > CHUNK_SIZE {
                self.left_over = Some(piece);
                break;
            }
            text.push_str(&piece);
        }
        Some(text)
    }
}

/// Cuts a line so that no piece is too long and no character is torn.
fn pieces(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let (piece, after) = text.split_at(text.floor_char_boundary(PIECE_SIZE));
        rest = (!after.is_empty()).then_some(after);
        Some(piece)
    })
}

#[cfg(test)]
mod tests;
