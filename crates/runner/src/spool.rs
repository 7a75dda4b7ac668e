//! Chunks of a job's log on the disk, from when they are closed until the Console has taken them.
//!
//! One writes, one reads, each at its own pace: a Console that is away costs disk and nothing else. The file has no name,
//! so nobody else opens it and nothing of it outlives the process, as the attempt does not either. Its first part is
//! taken at once: a disk that is full later makes the writer wait for the reader, and nothing is lost.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path, sync::Arc};

use chrono::{DateTime, Utc};
use tokio::sync::watch;

/// What the disk has for a log whatever happens, in bytes; more than the largest chunk.
const RESERVE: u64 = 256 * 1024;
/// Most that is read at a time, in bytes; more than the largest chunk.
const BATCH: u64 = 512 * 1024;

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
}

/// Who writes. Dropping it says that the last chunk is there.
pub(crate) struct Writer {
    spool: Arc<Spool>,
    is_full: bool,
}

/// Who reads.
pub(crate) struct Reader {
    spool: Arc<Spool>,
}

struct Spool {
    file: File,
    marks: watch::Sender<Marks>,
}

/// What of the file waits to be taken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks {
    begin: u64,
    end: u64,
    closed: bool,
}

/// An empty spool on the disk of this folder.
///
/// # Errors
/// When the disk refuses.
pub(crate) fn open(folder: &Path) -> io::Result<(Writer, Reader)> {
    let file = tempfile::tempfile_in(folder)?;
    file.write_all_at(&vec![0; usize::try_from(RESERVE).expect("it is small")], 0)?;
    let spool = Arc::new(Spool { file, marks: watch::Sender::default() });
    Ok((Writer { spool: Arc::clone(&spool), is_full: false }, Reader { spool }))
}

impl Writer {
    /// Keeps a chunk. Waits until everything before it is taken when the disk is full.
    ///
    /// # Errors
    /// When the disk refuses for another reason.
    pub(crate) async fn put(&mut self, chunk: &Kept) -> io::Result<()> {
        let record = Arc::new(encode(chunk));
        self.begin_again_if_empty();
        if let Err(error) = self.write(&record).await {
            if !std::mem::replace(&mut self.is_full, true) {
                tracing::warn!(%error, "the log of a job has no more room on the disk; the job waits for the Console");
            }
            self.until_empty().await;
            self.begin_again_if_empty();
            self.write(&record).await?;
        }
        Ok(())
    }

    async fn write(&self, record: &Arc<Vec<u8>>) -> io::Result<()> {
        let (spool, bytes) = (Arc::clone(&self.spool), Arc::clone(record));
        let end = spool.marks.borrow().end;
        on_disk(move || spool.file.write_all_at(&bytes, end)).await?;
        self.spool.marks.send_modify(|marks| marks.end += record.len() as u64);
        Ok(())
    }

    async fn until_empty(&self) {
        let mut marks = self.spool.marks.subscribe();
        marks.wait_for(Marks::is_empty).await.expect("the sender is ours too");
    }

    /// What was taken needs no room any more.
    fn begin_again_if_empty(&self) {
        let last = *self.spool.marks.borrow();
        if !last.is_empty() || last.end == 0 {
            return;
        }
        self.spool.marks.send_modify(|marks| (marks.begin, marks.end) = (0, 0));
        if last.end > RESERVE
            && let Err(error) = self.spool.file.set_len(RESERVE)
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
        let spool = Arc::clone(&self.spool);
        let length = usize::try_from((marks.end - marks.begin).min(BATCH)).expect("a batch is small");
        let bytes = on_disk(move || {
            let mut bytes = vec![0; length];
            spool.file.read_exact_at(&mut bytes, marks.begin).map(|()| bytes)
        });
        decode(&bytes.await?, most).map(Some)
    }

    /// The Console has these chunks.
    pub(crate) fn taken(&self, batch: &Batch) {
        self.spool.marks.send_modify(|marks| marks.begin += batch.length);
    }

    /// Changes whenever something is written or taken.
    pub(crate) fn watch(&self) -> watch::Receiver<Marks> {
        self.spool.marks.subscribe()
    }
}

impl Marks {
    fn is_empty(&self) -> bool {
        self.begin == self.end
    }
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
    let mut batch = Batch { chunks: Vec::new(), length: 0 };
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
        let (mut writer, reader) = open(folder.path()).unwrap();
        for text in ["one\n", "", "drei é\n"] {
            writer.put(&chunk(text)).await.unwrap();
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
        let (mut writer, reader) = open(folder.path()).unwrap();
        let large = chunk(&"x".repeat(64 * 1024));
        for _ in 0..20 {
            writer.put(&large).await.unwrap();
        }
        assert!(writer.spool.file.metadata().unwrap().len() > RESERVE);
        let mut taken = 0;
        while taken < 20 {
            let batch = take(&reader, 64).await;
            assert!(batch.len() < 9);
            taken += batch.len();
        }
        writer.put(&large).await.unwrap();
        assert_eq!(writer.spool.file.metadata().unwrap().len(), RESERVE);
        assert_eq!(take(&reader, 64).await, [large]);
    }

    #[tokio::test]
    async fn a_full_disk_makes_the_writer_wait_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, reader) = open(folder.path()).unwrap();
        // Nothing can be written there, as on a disk that is full.
        let spool = Arc::clone(&writer.spool);
        spool.marks.send_modify(|marks| marks.end = u64::MAX / 2);
        let beyond = chunk("beyond\n");
        let waiting = writer.put(&beyond);
        tokio::pin!(waiting);
        let early = tokio::time::timeout(std::time::Duration::from_millis(50), &mut waiting).await;
        assert!(early.is_err());
        spool.marks.send_modify(|marks| marks.begin = marks.end);
        waiting.await.unwrap();
        assert_eq!(take(&reader, 1).await, std::slice::from_ref(&beyond));
    }

    #[test]
    fn the_file_has_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let _spool = open(folder.path()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
