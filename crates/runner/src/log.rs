//! The log of a job on its way to the Console: numbered chunks, in order, none lost while the attempt is ours.
//!
//! Two tasks a job: one closes chunks and puts them on the disk, one sends what is there until it is taken. A chunk is
//! closed as soon as no more lines follow, but not within 100 ms of the one before, and at 64 KiB: a line after a silence
//! is on its way at once, and a flood makes few chunks. So whoever writes never waits for the Console, and a Console that
//! was away gets everything when it is back. The end of the attempt ends both, and what was not taken by then is dropped:
//! it would be refused.

use std::time::Duration;

use alethia_api::{client::JobClient, logs::LogChunk, runner::AppendLogs};
use chrono::Utc;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    redact::{LineRedactor, Redactor},
    retry::{CallError, persist},
    spool::{Batch, Kept, Marks, Reader, Writer},
    stop::StopSignal,
};

/// Longest text of a chunk, in bytes.
const CHUNK_SIZE: usize = 64 * 1024;
/// How long a chunk waits for more lines after a silence.
const BURST_WAIT: Duration = Duration::from_millis(5);
/// Shortest time from the close of a chunk to that of the next, unless that is full.
const CHUNK_WAIT: Duration = Duration::from_millis(100);
/// Longest piece of a line; a longer line is cut into several.
const PIECE_SIZE: usize = 16 * 1024;
/// How many pieces wait for the disk at most.
const QUEUE: usize = 128;
/// How many chunks the Console takes at a time.
const MOST_CHUNKS: usize = 64;

/// Where a job writes its log.
pub(crate) struct Log {
    pieces: mpsc::Sender<String>,
    redactor: LineRedactor,
    moves: watch::Receiver<Marks>,
    _keeper: AbortOnDropHandle<()>,
    shipper: AbortOnDropHandle<()>,
}

struct Keeper {
    pieces: mpsc::Receiver<String>,
    writer: Writer,
    stop: StopSignal,
    /// A piece that did not fit into the chunk before.
    left_over: Option<String>,
    /// Before this no chunk is closed that has room.
    earliest: Instant,
}

struct Shipper {
    client: JobClient,
    attempt: u32,
    sequence: u64,
    reader: Reader,
    stop: StopSignal,
    /// How many chunks go at a time.
    most: usize,
}

impl Log {
    /// A log of this attempt, from chunk 1 on, that waits for the Console in this spool.
    pub(crate) fn open(
        client: JobClient,
        attempt: u32,
        redactor: Redactor,
        stop: StopSignal,
        (writer, reader): (Writer, Reader),
    ) -> Self {
        let (sender, pieces) = mpsc::channel(QUEUE);
        let moves = reader.watch();
        let keeper = Keeper { pieces, writer, stop: stop.clone(), left_over: None, earliest: Instant::now() };
        let shipper = Shipper { client, attempt, sequence: 1, reader, stop, most: MOST_CHUNKS };
        Self {
            pieces: sender,
            redactor: LineRedactor::new(redactor),
            moves,
            _keeper: AbortOnDropHandle::new(tokio::spawn(keeper.run())),
            shipper: AbortOnDropHandle::new(tokio::spawn(shipper.run())),
        }
    }

    /// Writes a text of one line or several, redacted.
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

    /// Waits until the Console has everything, unless the attempt is over or it takes nothing for so long. Tells how many
    /// lines were lost on this machine.
    pub(crate) async fn close(mut self, patience: Duration) -> u64 {
        drop(self.pieces);
        loop {
            let moved = tokio::select! {
                biased;
                _ = &mut self.shipper => break,
                moved = tokio::time::timeout(patience, self.moves.changed()) => moved,
            };
            if moved.is_err() {
                let chunks = self.moves.borrow().waiting();
                tracing::warn!(chunks, "the end of a job's log was not taken by the Console in time");
                break;
            }
        }
        self.moves.borrow().lost()
    }
}

impl Keeper {
    async fn run(mut self) {
        let stop = self.stop.clone();
        stop.unless_over(async {
            while let Some(text) = self.gather().await {
                self.writer.put(Kept { at: Utc::now(), text }, &stop).await;
            }
        })
        .await;
        self.writer.close();
    }

    /// The text of the next chunk; `None` after the last.
    async fn gather(&mut self) -> Option<String> {
        let mut text = match self.left_over.take() {
            Some(piece) => piece,
            None => self.pieces.recv().await?,
        };
        let deadline = self.earliest.max(Instant::now() + BURST_WAIT);
        while let Ok(Some(piece)) = tokio::time::timeout_at(deadline, self.pieces.recv()).await {
            if text.len() + piece.len() > CHUNK_SIZE {
                self.left_over = Some(piece);
                break;
            }
            text.push_str(&piece);
        }
        self.earliest = Instant::now() + CHUNK_WAIT;
        Some(text)
    }
}

impl Shipper {
    async fn run(mut self) {
        let stop = self.stop.clone();
        while let Some(next) = stop.unless_over(self.reader.next(self.most)).await {
            match next {
                Ok(Some(batch)) => self.ship(&batch).await,
                Ok(None) => return,
                Err(error) => {
                    let (job, chunks) = (self.client.id(), self.reader.forget_file());
                    tracing::error!(%job, %error, chunks, "a part of a job's log can't be read from the disk");
                }
            }
        }
        let chunks = self.reader.watch().borrow().waiting();
        if chunks > 0 {
            let job = self.client.id();
            tracing::warn!(%job, chunks, "the end of a job's log is dropped: the attempt is over");
        }
    }

    async fn ship(&mut self, batch: &Batch) {
        let body = AppendLogs { chunks: self.numbered(batch) };
        match persist(&self.stop, || self.client.append_logs(&body)).await {
            Ok(()) => {
                self.sequence += body.chunks.len() as u64;
                self.reader.taken(batch);
            }
            Err(CallError::LeaseLost) => {}
            // Perhaps it is one of them, or they are too many.
            Err(CallError::Refused(_)) if batch.chunks.len() > 1 => self.most = 1,
            // The number is used again, so that the log has no gap in it.
            Err(CallError::Refused(error)) => {
                tracing::warn!(job = %self.client.id(), %error, "the Console refused a part of the log");
                self.reader.taken(batch);
            }
        }
    }

    fn numbered(&self, batch: &Batch) -> Vec<LogChunk> {
        let number = |(sequence, chunk): (u64, &Kept)| LogChunk {
            attempt: self.attempt,
            sequence,
            at: chunk.at,
            text: chunk.text.clone(),
        };
        (self.sequence..).zip(&batch.chunks).map(number).collect()
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
