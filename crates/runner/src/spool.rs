//! Chunks of a job's log, from when they are closed until the Console has taken them.
//!
//! One writes, one reads, each at its own pace: a Console that is away costs disk and nothing else. The file has no name,
//! so nobody else opens it and nothing of it outlives the process. Its first part is taken at once. A disk that is full, or
//! not there, leaves the memory, which is bounded: when that is full too, the writer waits for the reader, and nothing is
//! lost. Only once the job is to end in any case are lines dropped instead, counted, and the log says so.

use std::{
    collections::VecDeque,
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use crate::stop::{Stop, StopSignal};

/// What the disk has for a log whatever happens, in bytes; more than the largest chunk.
const RESERVE: u64 = 256 * 1024;
/// Most that is read at a time, in bytes; more than the largest chunk.
const BATCH: u64 = 512 * 1024;
/// Most that waits in memory where the disk takes nothing, in bytes; more than the largest chunk.
const MEMORY: u64 = 4 * 1024 * 1024;

/// A closed chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// When it was closed, to the millisecond.
    pub at: DateTime<Utc>,
    /// Its text.
    pub text: String,
}

/// Chunks that were read together.
#[derive(Debug)]
pub(crate) struct Batch {
    /// In the order in which they were written.
    pub chunks: Vec<Kept>,
    length: u64,
    source: Source,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    File,
    Memory,
}

/// Who writes. Dropping it says that the last chunk is there.
pub(crate) struct Writer {
    spool: Arc<Spool>,
    is_full: bool,
    /// Lines that were dropped and of which the log does not speak yet.
    dropped: u64,
}

/// Who reads.
pub(crate) struct Reader {
    spool: Arc<Spool>,
}

struct Spool {
    file: Option<File>,
    memory: Mutex<VecDeque<Kept>>,
    marks: watch::Sender<Marks>,
}

/// What waits to be taken: first what is in the file, then what is in memory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks {
    begin: u64,
    end: u64,
    memory: u64,
    chunks: u64,
    lost: u64,
    closed: bool,
}

/// An empty spool on the disk of this folder, or in memory where that takes nothing.
pub(crate) fn open(folder: &Path) -> (Writer, Reader) {
    let file = reserved(folder).inspect_err(|error| {
        tracing::warn!(%error, "the disk takes no log; as much of it as possible waits in memory");
    });
    let spool = Spool { file: file.ok(), memory: Mutex::default(), marks: watch::Sender::default() };
    let spool = Arc::new(spool);
    (Writer { spool: Arc::clone(&spool), is_full: false, dropped: 0 }, Reader { spool })
}

/// A file without a name on the disk of this folder, with room that is taken already.
pub(crate) fn reserved(folder: &Path) -> io::Result<File> {
    let file = tempfile::tempfile_in(folder)?;
    file.write_all_at(&vec![0; usize::try_from(RESERVE).expect("it is small")], 0)?;
    Ok(file)
}

impl Writer {
    /// Keeps a chunk. Waits for the reader where there is no room, and drops the chunk when the job is to end meanwhile.
    pub(crate) async fn put(&mut self, chunk: Kept, stop: &StopSignal) {
        let chunk = self.with_notice(chunk);
        self.begin_again_if_empty();
        if self.spool.marks.borrow().memory == 0 && self.is_written(&chunk).await {
            return;
        }
        let length = length(&chunk);
        tokio::select! {
            biased;
            () = self.room_in_memory(length) => self.remember(chunk, length),
            _ = stop.at_least(Stop::Shutdown) => self.drop_lines(&chunk),
        }
    }

    /// The last chunk was put.
    pub(crate) fn close(mut self) {
        if self.dropped > 0 {
            let notice = self.with_notice(Kept { at: Utc::now(), text: String::new() });
            let length = length(&notice);
            self.remember(notice, length);
        }
    }

    async fn is_written(&mut self, chunk: &Kept) -> bool {
        match self.write(chunk).await {
            Ok(written) => written,
            Err(error) => {
                if !std::mem::replace(&mut self.is_full, true) {
                    tracing::warn!(%error, "the log of a job has no more room on the disk; it waits in memory");
                }
                false
            }
        }
    }

    /// A chunk that is written in part does not count: the next one is written over it.
    async fn write(&self, chunk: &Kept) -> io::Result<bool> {
        if self.spool.file.is_none() {
            return Ok(false);
        }
        let (spool, bytes) = (Arc::clone(&self.spool), encode(chunk));
        let (end, length) = (spool.marks.borrow().end, bytes.len() as u64);
        on_disk(move || spool.file.as_ref().map_or(Ok(()), |file| file.write_all_at(&bytes, end))).await?;
        self.spool.marks.send_modify(|marks| {
            marks.end += length;
            marks.chunks += 1;
        });
        Ok(true)
    }

    fn remember(&self, chunk: Kept, length: u64) {
        self.spool.memory().push_back(chunk);
        self.spool.marks.send_modify(|marks| {
            marks.memory += length;
            marks.chunks += 1;
        });
    }

    async fn room_in_memory(&self, length: u64) {
        let mut marks = self.spool.marks.subscribe();
        let room = marks.wait_for(|marks| marks.memory == 0 || marks.memory + length <= MEMORY);
        room.await.expect("the sender is ours too");
    }

    fn drop_lines(&mut self, chunk: &Kept) {
        let lines = chunk.text.lines().count() as u64;
        self.dropped += lines;
        self.spool.marks.send_modify(|marks| marks.lost += lines);
    }

    /// What was dropped before a chunk is said in it.
    fn with_notice(&mut self, chunk: Kept) -> Kept {
        match std::mem::take(&mut self.dropped) {
            0 => chunk,
            lines => {
                let notice = format!("{lines} lines are missing here: the disk of the Runner is full\n");
                Kept { text: notice + &chunk.text, ..chunk }
            }
        }
    }

    /// What was taken needs no room any more.
    fn begin_again_if_empty(&self) {
        let last = *self.spool.marks.borrow();
        if !last.is_empty() || last.end == 0 {
            return;
        }
        self.spool.marks.send_modify(|marks| (marks.begin, marks.end) = (0, 0));
        if last.end > RESERVE
            && let Some(file) = &self.spool.file
            && let Err(error) = file.set_len(RESERVE)
        {
            tracing::warn!(%error, "the room of a log that was taken can't be given back");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.spool.marks.send_modify(|marks| marks.closed = true);
    }
}

impl Reader {
    /// The next chunks, at most so many; the same ones until they are taken, `None` after the last.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) async fn next(&self, most: usize) -> io::Result<Option<Batch>> {
        let mut marks = self.watch();
        let marks =
            *marks.wait_for(|marks| marks.closed || !marks.is_empty()).await.expect("the sender is ours too");
        if marks.is_empty() {
            return Ok(None);
        }
        if marks.begin == marks.end {
            return Ok(Some(self.spool.remembered(most)));
        }
        let spool = Arc::clone(&self.spool);
        let length = usize::try_from((marks.end - marks.begin).min(BATCH)).expect("a batch is small");
        let bytes = on_disk(move || {
            let mut bytes = vec![0; length];
            let read = spool.file.as_ref().map_or(Ok(()), |file| file.read_exact_at(&mut bytes, marks.begin));
            read.map(|()| bytes)
        });
        decode(&bytes.await?, most).map(Some)
    }

    /// The Console has these chunks.
    pub(crate) fn taken(&self, batch: &Batch) {
        if let Source::Memory = batch.source {
            self.spool.memory().drain(..batch.chunks.len());
        }
        self.spool.marks.send_modify(|marks| {
            match batch.source {
                Source::File => marks.begin += batch.length,
                Source::Memory => marks.memory -= batch.length,
            }
            marks.chunks -= batch.chunks.len() as u64;
        });
    }

    /// Changes whenever something is written or taken.
    pub(crate) fn watch(&self) -> watch::Receiver<Marks> {
        self.spool.marks.subscribe()
    }

    /// What is in the file can't be had any more; what is in memory can. So many chunks are lost.
    pub(crate) fn forget_file(&self) -> u64 {
        let in_memory = self.spool.memory().len() as u64;
        let mut lost = 0;
        self.spool.marks.send_modify(|marks| {
            lost = marks.chunks - in_memory;
            (marks.begin, marks.chunks) = (marks.end, in_memory);
            marks.lost += lost;
        });
        lost
    }
}

impl Spool {
    fn memory(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        // Nothing that holds the lock can leave half a change behind.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remembered(&self, most: usize) -> Batch {
        let mut batch = Batch { chunks: Vec::new(), length: 0, source: Source::Memory };
        for chunk in self.memory().iter().take(most) {
            if batch.length > 0 && batch.length + length(chunk) > BATCH {
                break;
            }
            batch.length += length(chunk);
            batch.chunks.push(chunk.clone());
        }
        batch
    }
}

impl Marks {
    /// How many chunks wait to be taken.
    pub(crate) fn waiting(&self) -> u64 {
        self.chunks
    }

    /// How many lines or chunks were lost on this machine.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }

    fn is_empty(&self) -> bool {
        self.begin == self.end && self.memory == 0
    }
}

fn length(chunk: &Kept) -> u64 {
    chunk.text.len() as u64 + 1
}

/// Work with the disk, which may be slow, beside what must not wait for it.
async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.expect("reading and writing does not panic")
}

fn encode(chunk: &Kept) -> Vec<u8> {
    let length = u32::try_from(chunk.text.len()).expect("a chunk is small");
    let at = chunk.at.timestamp_millis();
    [&length.to_le_bytes(), &at.to_le_bytes()[..], chunk.text.as_bytes()].concat()
}

/// The chunks at the begin of these bytes, which may end in the middle of one.
fn decode(mut bytes: &[u8], most: usize) -> io::Result<Batch> {
    let mut batch = Batch { chunks: Vec::new(), length: 0, source: Source::File };
    while batch.chunks.len() < most
        && let Some((length, rest)) = bytes.split_first_chunk::<4>()
        && let Some((at, rest)) = rest.split_first_chunk::<8>()
        && let Some((text, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)
    {
        let at = DateTime::from_timestamp_millis(i64::from_le_bytes(*at));
        let text = String::from_utf8(text.to_vec()).map_err(io::Error::other)?;
        batch.chunks.push(Kept { at: at.unwrap_or_default(), text });
        batch.length += (bytes.len() - rest.len()) as u64;
        bytes = rest;
    }
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(text: &str) -> Kept {
        Kept { at: DateTime::from_timestamp_millis(1_700_000_000_123).unwrap(), text: text.to_owned() }
    }

    async fn take(reader: &Reader, most: usize) -> Vec<Kept> {
        let batch = reader.next(most).await.unwrap().unwrap();
        reader.taken(&batch);
        batch.chunks
    }

    #[tokio::test]
    async fn chunks_come_back_in_order_and_again_until_they_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, reader) = open(folder.path());
        for text in ["one\n", "", "drei é\n"] {
            writer.put(chunk(text), &StopSignal::new()).await;
        }
        assert_eq!(reader.next(9).await.unwrap().unwrap().chunks.len(), 3);
        assert_eq!(take(&reader, 2).await, [chunk("one\n"), chunk("")]);
        assert_eq!(take(&reader, 2).await, [chunk("drei é\n")]);
        drop(writer);
        assert!(reader.next(2).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_batch_is_bounded_and_room_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, reader) = open(folder.path());
        let large = chunk(&"x".repeat(64 * 1024));
        for _ in 0..20 {
            writer.put(large.clone(), &StopSignal::new()).await;
        }
        assert!(writer.spool.file.as_ref().unwrap().metadata().unwrap().len() > RESERVE);
        let mut taken = 0;
        while taken < 20 {
            let batch = take(&reader, 64).await;
            assert!(batch.len() < 9);
            taken += batch.len();
        }
        writer.put(large.clone(), &StopSignal::new()).await;
        assert_eq!(writer.spool.file.as_ref().unwrap().metadata().unwrap().len(), RESERVE);
        assert_eq!(take(&reader, 64).await, [large]);
    }

    /// A spool on a disk that takes nothing and says so.
    fn full() -> (Writer, Reader) {
        let file = std::fs::OpenOptions::new().read(true).write(true).open("/dev/full").unwrap();
        let spool = Spool { file: Some(file), memory: Mutex::default(), marks: watch::Sender::default() };
        let spool = Arc::new(spool);
        (Writer { spool: Arc::clone(&spool), is_full: false, dropped: 0 }, Reader { spool })
    }

    async fn all(reader: &Reader) -> String {
        let mut text = String::new();
        while let Some(batch) = reader.next(64).await.unwrap() {
            reader.taken(&batch);
            text.extend(batch.chunks.into_iter().map(|chunk| chunk.text));
        }
        text
    }

    #[tokio::test]
    async fn a_full_disk_leaves_the_memory_then_the_writer_waits_and_nothing_is_lost() {
        let (mut writer, reader) = full();
        let stop = StopSignal::new();
        let large = chunk(&format!("{}\n", "x".repeat(64 * 1024 - 1)));
        let fitting = MEMORY / length(&large);
        for _ in 0..fitting {
            writer.put(large.clone(), &stop).await;
        }
        let last = async {
            writer.put(chunk("last\n"), &stop).await;
            writer.put(large.clone(), &stop).await;
            writer.close();
        };
        tokio::pin!(last);
        let early = tokio::time::timeout(std::time::Duration::from_millis(50), &mut last).await;
        assert!(early.is_err());
        let ((), text) = tokio::join!(last, all(&reader));
        assert_eq!(text.lines().count() as u64, fitting + 2);
        assert_eq!((reader.watch().borrow().lost(), reader.watch().borrow().waiting()), (0, 0));
    }

    #[tokio::test]
    async fn a_job_that_is_to_end_drops_what_finds_no_room_and_says_how_much() {
        let (mut writer, reader) = full();
        let stop = StopSignal::new();
        stop.raise(Stop::LeaseEnding);
        let large = chunk(&"one\ntwo\n".repeat(8 * 1024));
        let fitting = MEMORY / length(&large);
        for _ in 0..fitting + 1 {
            writer.put(large.clone(), &stop).await;
        }
        writer.close();
        let lost = reader.watch().borrow().lost();
        let text = all(&reader).await;
        assert_eq!(lost, 16 * 1024);
        assert!(text.ends_with("16384 lines are missing here: the disk of the Runner is full\n"));
        assert_eq!(text.lines().count() as u64, fitting * lost + 1);
    }

    #[tokio::test]
    async fn without_any_disk_a_log_is_kept_in_memory() {
        let (mut writer, reader) = open(Path::new("/nowhere/at/all"));
        writer.put(chunk("one\n"), &StopSignal::new()).await;
        writer.close();
        assert_eq!(all(&reader).await, "one\n");
    }

    #[tokio::test]
    async fn a_file_that_cant_be_read_any_more_costs_what_is_in_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, reader) = open(folder.path());
        writer.put(chunk("gone\n"), &StopSignal::new()).await;
        writer.remember(chunk("stays\n"), 7);
        writer.close();
        assert_eq!(reader.forget_file(), 1);
        assert_eq!(all(&reader).await, "stays\n");
    }

    #[test]
    fn the_file_has_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let _spool = open(folder.path());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
