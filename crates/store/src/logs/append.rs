//! How chunks come into a log. Appends that come together are one transaction: one statement checks the fences of all and
//! moves their attempts on, the next keeps the chunks of those that it moved. One that it did not move (sent again, with
//! a gap, of an attempt that is over) costs the others nothing: it is tried again alone, and there finds out why. Alone it
//! takes its job first, then the attempt, as whoever ends an attempt does.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::Value;

use super::LogChunk;
use crate::{
    Conflict, Result, Store, Tx,
    db::{Combiner, Query, for_update, values},
    doorbell::Bell,
    events::places,
    jobs::{self, Fence},
};

/// Appends that wait for each other. A process has one.
pub struct Appends(Combiner<Append, Outcome>);

/// Chunks of one attempt, in their order.
struct Append {
    fence: Fence,
    chunks: Vec<LogChunk>,
}

/// Kept, or given back to be tried alone.
type Outcome = std::result::Result<(), Append>;

/// Most appends in one transaction: each may have chunks of some length.
const MOST_TOGETHER: usize = 8;
/// Most chunks that one statement keeps.
const MOST_ROWS: usize = 100;

impl Appends {
    /// Adds chunks of an attempt. Those that are there already are left out, so that a Runner may send again.
    ///
    /// # Errors
    /// [`crate::StoreError::LeaseLost`]; [`Conflict::LogGap`] when one is missing before them.
    pub async fn add(&self, store: &Store, fence: Fence, chunks: Vec<LogChunk>) -> Result<()> {
        let shared = store.clone();
        let together = move |appends| together(shared.clone(), appends);
        let Err(aside) = self.0.ask(Append { fence, chunks }, together).await? else { return Ok(()) };
        let tx = store.begin().await?;
        append(&tx, aside.fence, &aside.chunks).await?;
        tx.commit().await
    }
}

impl Default for Appends {
    fn default() -> Self {
        Self(Combiner::new(MOST_TOGETHER))
    }
}

/// Adds chunks of an attempt in a transaction of its own; else as [`Appends::add`].
///
/// # Errors
/// The same.
pub async fn append(tx: &Tx, fence: Fence, chunks: &[LogChunk]) -> Result<()> {
    jobs::guard(tx, fence).await?;
    let last = last_sequence(tx, fence).await?;
    let fresh: Vec<_> =
        chunks.iter().filter(|chunk| chunk.sequence > last).map(|chunk| (fence, chunk)).collect();
    let Some((_, newest)) = fresh.last() else { return Ok(()) };
    refuse_gap(last, fresh.iter().map(|(_, chunk)| *chunk))?;
    let sql = "UPDATE job_attempts SET last_sequence = $3 WHERE job_id = $1 AND attempt = $2";
    tx.execute(sql, values![fence.job_id, fence.attempt, newest.sequence]).await?;
    keep(tx, &fresh).await
}

/// One attempt after the other where several came of the same.
async fn together(store: Store, appends: Vec<Append>) -> Vec<Outcome> {
    let mut firsts = BTreeMap::new();
    for append in &appends {
        firsts.entry(append.fence).or_insert(&*append.chunks);
    }
    let mut kept = in_one(&store, &firsts).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "appends that came together are tried again alone");
        BTreeSet::new()
    });
    let outcome = |append: Append| if kept.remove(&append.fence) { Ok(()) } else { Err(append) };
    appends.into_iter().map(outcome).collect()
}

async fn in_one(store: &Store, appends: &BTreeMap<Fence, &[LogChunk]>) -> Result<BTreeSet<Fence>> {
    let tx = store.begin().await?;
    let kept = follow(&tx, appends).await?;
    tx.commit().await?;
    Ok(kept)
}

/// Keeps what goes on where its log ends, of attempts that are not over; tells of which. Their rows are locked until the
/// commit, in the order of the fences; whoever ends an attempt locks its row as well.
async fn follow(tx: &Tx, appends: &BTreeMap<Fence, &[LogChunk]>) -> Result<BTreeSet<Fence>> {
    let moves = appends.iter().filter_map(|(fence, chunks)| {
        let (before, newest) = span(chunks)?;
        Some(values![fence.job_id, fence.attempt, before, newest])
    });
    let moves: Vec<Value> = moves.flatten().collect();
    if moves.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut rows = places(moves.len() / 4, 4);
    if tx.is_postgres() {
        rows = rows.replacen("($1, $2, $3, $4)", "($1::uuid, $2::bigint, $3::bigint, $4::bigint)", 1);
    }
    let sql = format!(
        "UPDATE job_attempts SET last_sequence = given.column4 FROM (VALUES {rows}) AS given \
         WHERE job_id = given.column1 AND attempt = given.column2 AND last_sequence = given.column3 \
         AND ended_at IS NULL RETURNING job_id, attempt"
    );
    let mut moved = BTreeSet::new();
    for row in tx.all(&sql, moves).await? {
        moved.insert(Fence { job_id: row.id("job_id")?, attempt: row.number("attempt")? });
    }
    let those = appends.iter().filter(|(fence, _)| moved.contains(fence));
    let rows = those.flat_map(|(fence, chunks)| chunks.iter().map(|chunk| (*fence, chunk)));
    keep(tx, &rows.collect::<Vec<_>>()).await?;
    Ok(moved)
}

async fn keep(tx: &Tx, chunks: &[(Fence, &LogChunk)]) -> Result<()> {
    for rows in chunks.chunks(MOST_ROWS) {
        let sql = format!(
            "INSERT INTO provision_job_logs (job_id, attempt, sequence, at, text) VALUES {}",
            places(rows.len(), 5)
        );
        let row = |(fence, chunk): &(Fence, &LogChunk)| {
            values![fence.job_id, fence.attempt, chunk.sequence, chunk.at, chunk.text]
        };
        tx.execute(&sql, rows.iter().flat_map(row).collect()).await?;
    }
    for (fence, _) in chunks {
        tx.ring(Bell::Job(fence.job_id));
    }
    Ok(())
}

/// The number before the first of chunks that have no gap between them, and that of the last.
fn span(chunks: &[LogChunk]) -> Option<(u64, u64)> {
    let before = chunks.first()?.sequence.checked_sub(1)?;
    refuse_gap(before, chunks).ok()?;
    Some((before, chunks.last()?.sequence))
}

/// The attempt is locked with it: a group may be about to move it on.
async fn last_sequence(tx: &Tx, fence: Fence) -> Result<u64> {
    let sql = format!(
        "SELECT last_sequence FROM job_attempts WHERE job_id = $1 AND attempt = $2{}",
        for_update(tx)
    );
    tx.one(&sql, values![fence.job_id, fence.attempt]).await?.number("last_sequence")
}

fn refuse_gap<'a>(last: u64, fresh: impl IntoIterator<Item = &'a LogChunk>) -> Result<()> {
    for (chunk, place) in fresh.into_iter().zip(1..) {
        let expected = last.saturating_add(place);
        if chunk.sequence != expected {
            return Err(Conflict::LogGap { expected, got: chunk.sequence }.into());
        }
    }
    Ok(())
}
