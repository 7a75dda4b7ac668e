//! Looks for a text in the log of a job, live or archived. A call reads a bounded part of the log and says where it
//! stopped, so that neither a long log nor a rare text makes one call long or large.

use alethia_domain::ids::JobId;

use super::{LogChunk, LogCursor, batch};
use crate::{Page, PageRequest, Result, Store};

/// About how many bytes one call looks through, of text and of what a chunk costs besides, however short it is.
const MOST: usize = 4 << 20;
const CHUNK: usize = 1 << 10;
/// Chunks that are read at once, where they are rows.
const CHUNKS: usize = 64;
/// The same, where they lie in a segment, which is read as a whole.
const SEGMENT: usize = usize::MAX;

/// The lines with this text, whatever the case of its letters: chunks after a place with those lines alone. `next` is
/// where the call stopped, also when it found nothing on the way; it is `None` at the end of what there is.
///
/// # Errors
/// When the database or the blob store is not available.
pub async fn search(
    store: &Store,
    job_id: JobId,
    text: &str,
    request: PageRequest<LogCursor>,
) -> Result<Page<LogChunk, LogCursor>> {
    let (wanted, limit) = (text.to_lowercase(), usize::from(request.limit.clamp(1, 200)));
    let (mut items, mut next, mut looked_at) = (Vec::new(), None, 0);
    while items.len() < limit && looked_at < MOST {
        let place = next.or(request.after).unwrap_or_default();
        let batch = batch(store, job_id, place, CHUNKS, SEGMENT).await?;
        if batch.chunks.is_empty() {
            break;
        }
        for chunk in batch.chunks {
            next = Some(chunk.cursor());
            looked_at += chunk.text.len() + CHUNK;
            items.extend(lines_with(chunk, &wanted));
            if items.len() == limit || looked_at >= MOST {
                break;
            }
        }
    }
    Ok(Page { items, next })
}

/// What is left of a chunk when only lines with the wanted text stay.
fn lines_with(chunk: LogChunk, wanted: &str) -> Option<LogChunk> {
    let text: String =
        chunk.text.split_inclusive('\n').filter(|line| line.to_lowercase().contains(wanted)).collect();
    (!text.is_empty()).then_some(LogChunk { text, ..chunk })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_with_the_text_stay() {
        let chunk = |text: &str| LogChunk {
            attempt: 1,
            sequence: 1,
            at: chrono::DateTime::UNIX_EPOCH,
            text: text.to_owned(),
        };
        let found = lines_with(chunk("Error: no\nfine\nan ERROR"), "error").unwrap();
        assert_eq!(found.text, "Error: no\nan ERROR");
        assert_eq!(lines_with(chunk("fine\n"), "error"), None);
    }
}
