//! Where finished logs are: segments of about a mebibyte in the blob store, compressed with zstd, and an index of them by
//! sequence in the database. A page deep in a long log opens the one segment that it begins in.
//!
//! Segments of release 0.1.0 are compressed with gzip; they are told by their first bytes and stay as they are.

use std::io::{BufRead, BufReader, Write};

use alethia_domain::ids::JobId;
use flate2::bufread::GzDecoder;
use sea_orm::DbBackend;
use zstd::stream::{read, write};

use super::{LogChunk, LogCursor, MOST_ROWS, live};
use crate::{
    Reader, Result, Store, StoreError,
    blobs::{self, BlobKey},
    db::{Query, Row, found, values},
};

/// About how much text goes into one segment, and how many chunks at most.
const SEGMENT_BYTES: usize = 1 << 20;
const SEGMENT_CHUNKS: usize = 4096;
const ZSTD_LEVEL: i32 = 3;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Finished jobs whose logs have not moved to the blob store, the oldest first.
///
/// # Errors
/// When the database is not available.
pub async fn to_compact(reader: &impl Reader, limit: u16) -> Result<Vec<JobId>> {
    let sql = to_compact_sql(reader.connection().backend());
    reader.all(&sql, values![limit]).await?.iter().map(|row| row.id("id")).collect()
}

/// Its statement. Left alone, SQLite reads all finished jobs. Public for the test that pins its plan.
#[doc(hidden)]
pub fn to_compact_sql(backend: DbBackend) -> String {
    let hint = match backend {
        DbBackend::Postgres => "",
        _ => "INDEXED BY provision_jobs_to_compact",
    };
    format!(
        "SELECT id FROM provision_jobs {hint} WHERE status IN ('SUCCESS', 'FAILED', 'CANCELLED') AND NOT logs_archived \
         ORDER BY id LIMIT $1"
    )
}

/// Moves the log of a finished job to the blob store. Safe to repeat after a failure, and beside another Console that
/// does the same.
///
/// # Errors
/// When the job is not finished, or the database or the blob store is not available.
pub async fn compact(store: &Store, job_id: JobId) -> Result<()> {
    let sql = "SELECT id FROM provision_jobs WHERE id = $1 AND status IN ('SUCCESS', 'FAILED', 'CANCELLED')";
    found(store.optional(sql, values![job_id]).await?, "finished job", job_id)?;
    loop {
        let segment = next_segment(store, job_id).await?;
        if segment.is_empty() {
            break;
        }
        archive(store, job_id, &segment).await?;
    }
    let tx = store.begin().await?;
    tx.execute("UPDATE provision_jobs SET logs_archived = TRUE WHERE id = $1", values![job_id]).await?;
    tx.commit().await
}

/// At most so many archived chunks after a place: those of the segment that goes on there.
pub(super) async fn after(
    store: &Store,
    job_id: JobId,
    after: LogCursor,
    most: usize,
) -> Result<Vec<LogChunk>> {
    // The segment that the next chunk of this attempt would be in, and the first one behind it.
    let sql = "SELECT * FROM (SELECT attempt, last_sequence, blob FROM job_log_archives WHERE job_id = $1 \
            AND (attempt, first_sequence) <= ($2, $3) ORDER BY attempt DESC, first_sequence DESC LIMIT 1) here \
        UNION ALL SELECT * FROM (SELECT attempt, last_sequence, blob FROM job_log_archives WHERE job_id = $1 \
            AND (attempt, first_sequence) > ($2, $3) ORDER BY attempt, first_sequence LIMIT 1) behind";
    let rows = store.all(sql, values![job_id, after.attempt, after.sequence.saturating_add(1)]).await?;
    for row in &rows {
        if end(row)? > after {
            let content = blobs::get(store, &BlobKey::from_column(row.get("blob")?)).await?;
            return unpack(&content, after, most);
        }
    }
    Ok(Vec::new())
}

fn end(row: &Row) -> Result<LogCursor> {
    Ok(LogCursor { attempt: row.number("attempt")?, sequence: row.number("last_sequence")? })
}

/// The first rows that are left, of one attempt, up to about a segment's size.
async fn next_segment(store: &Store, job_id: JobId) -> Result<Vec<LogChunk>> {
    let (mut segment, mut size, mut place) = (Vec::<LogChunk>::new(), 0, LogCursor::default());
    loop {
        let rows = live(store, job_id, place, MOST_ROWS).await?;
        let Some(last) = rows.last() else { return Ok(segment) };
        place = last.cursor();
        for chunk in rows {
            let another_attempt = segment.first().is_some_and(|first| first.attempt != chunk.attempt);
            if another_attempt || size >= SEGMENT_BYTES || segment.len() >= SEGMENT_CHUNKS {
                return Ok(segment);
            }
            size += chunk.text.len();
            segment.push(chunk);
        }
    }
}

async fn archive(store: &Store, job_id: JobId, segment: &[LogChunk]) -> Result<()> {
    let (Some(first), Some(last)) = (segment.first(), segment.last()) else { return Ok(()) };
    let key = BlobKey::new("logs", job_id);
    let sealed_with = blobs::put(store, &key, &pack(segment)?).await?;
    let tx = store.begin().await?;
    let sql = "INSERT INTO job_log_archives (job_id, attempt, first_sequence, last_sequence, blob, sealed_with) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let values = values![job_id, first.attempt, first.sequence, last.sequence, key.as_str(), sealed_with];
    if tx.execute(sql, values).await? == 0 {
        tx.discard([key]);
    }
    // Whoever was first said how far the segment goes.
    let sql = "DELETE FROM provision_job_logs WHERE job_id = $1 AND attempt = $2 AND sequence BETWEEN $3 AND \
        (SELECT last_sequence FROM job_log_archives WHERE job_id = $1 AND attempt = $2 AND first_sequence = $3)";
    tx.execute(sql, values![job_id, first.attempt, first.sequence]).await?;
    tx.commit().await
}

/// Compressed lines of JSON, one a chunk.
fn pack(chunks: &[LogChunk]) -> Result<Vec<u8>> {
    let mut encoder = write::Encoder::new(Vec::new(), ZSTD_LEVEL).map_err(StoreError::corrupt)?;
    for chunk in chunks {
        let line = serde_json::to_vec(chunk).expect("a chunk of text always serializes");
        encoder.write_all(&line).and_then(|()| encoder.write_all(b"\n")).map_err(StoreError::corrupt)?;
    }
    encoder.finish().map_err(StoreError::corrupt)
}

/// The chunks after a place.
fn unpack(content: &[u8], after: LogCursor, most: usize) -> Result<Vec<LogChunk>> {
    let lines: Box<dyn BufRead> = if content.starts_with(&GZIP) {
        Box::new(BufReader::new(GzDecoder::new(content)))
    } else {
        Box::new(BufReader::new(read::Decoder::with_buffer(content).map_err(StoreError::corrupt)?))
    };
    let chunk = |line: std::io::Result<String>| {
        serde_json::from_str(&line.map_err(StoreError::corrupt)?).map_err(StoreError::corrupt)
    };
    let chunks = lines.lines().map(chunk);
    let wanted =
        chunks.filter(|chunk: &Result<LogChunk>| chunk.as_ref().map_or(true, |chunk| chunk.cursor() > after));
    wanted.take(most).collect()
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn chunks() -> Vec<LogChunk> {
        let chunk = |sequence| LogChunk {
            attempt: 1,
            sequence,
            at: chrono::DateTime::UNIX_EPOCH,
            text: format!("line {sequence}\n"),
        };
        (1..=9).map(chunk).collect()
    }

    #[test]
    fn a_segment_is_read_from_a_place_on() {
        let packed = pack(&chunks()).unwrap();
        assert_eq!(unpack(&packed, LogCursor::default(), 100).unwrap(), chunks());
        let part = unpack(&packed, LogCursor { attempt: 1, sequence: 4 }, 2).unwrap();
        assert_eq!(part, chunks()[4..6]);
    }

    #[test]
    fn a_segment_of_the_first_release_is_still_read() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        for chunk in chunks() {
            encoder.write_all(&serde_json::to_vec(&chunk).unwrap()).unwrap();
            encoder.write_all(b"\n").unwrap();
        }
        let packed = encoder.finish().unwrap();
        assert_eq!(unpack(&packed, LogCursor::default(), 100).unwrap(), chunks());
    }

    #[test]
    fn what_is_no_segment_is_an_error() {
        assert!(unpack(b"neither of the two", LogCursor::default(), 100).is_err());
        let packed = pack(&chunks()).unwrap();
        assert!(unpack(&packed[..packed.len() / 2], LogCursor::default(), 100).is_err());
    }
}
