//! Claims. Those that come together are one transaction and, where the jobs are for anybody, one round of statements: the
//! heads of the lines with what their Runners are told, then the jobs and their attempts. Those with the same labels are
//! served together.
//!
//! A head may be for none of those who ask: it is assigned to a Runner that has got another, or a limited Zone, which
//! gives one job a round, may have no place for a second. Then who still asks gets another round. What was locked for
//! nothing is rung for at the end: others have passed it over. A job whose asker went away meanwhile is given back.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use alethia_domain::{
    ids::{JobId, RunnerId, ZoneId},
    lifecycle::JobStatus,
};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{DbBackend, Value};
use serde_json::json;
use tokio::runtime::Handle;

use super::{
    Answer, Claimant, Claimed,
    assignment::Assignment,
    fence,
    heads::{Head, Told, heads},
    hold_back, release,
};
use crate::{
    Conflict, Reader, Result, Store, StoreError, Tx,
    audit::{self, Entry},
    db::{Combiner, Query, Row, for_update, found, values},
    doorbell::Bell,
    events::places,
    jobs::{self, Current, Fence},
};

/// Claims that wait for each other. A process has one.
pub struct Claims(Combiner<(Claimant, DateTime<Utc>), Outcome>);

/// All who were in a transaction share its error.
type Outcome = std::result::Result<OnItsWay, Arc<StoreError>>;

/// An answer that does not have its asker yet. Where that one is gone, a job goes back to the queue.
struct OnItsWay {
    answer: Answer,
    store: Store,
    now: DateTime<Utc>,
}

/// Most claims in one transaction.
const MOST_TOGETHER: usize = 16;
/// How often claims are tried of which others took something in between.
const TRIES: usize = 8;
/// How long a job waits that can be told to no Runner.
const ASIDE: TimeDelta = TimeDelta::minutes(1);
const ATTEMPTS: &str =
    "INSERT INTO job_attempts (job_id, attempt, runner_id, token_hash, last_sequence, claimed_at)";

/// Where claims are answered that came together.
struct Desk<'a> {
    tx: &'a Tx,
    lease: TimeDelta,
    now: DateTime<Utc>,
    /// By the numbers of those who ask.
    answers: Vec<Answer>,
    /// Zones with a limit whose jobs were given away.
    limited: BTreeSet<ZoneId>,
}

/// Who asks, and as the how manyth.
#[derive(Clone, Copy)]
struct Asking<'a> {
    number: usize,
    claimant: &'a Claimant,
}

/// Who gets which job.
struct Pair<'a> {
    asking: Asking<'a>,
    head: Head,
    assignment: Assignment,
}

impl Claims {
    /// Takes the next job that this Runner may have, if there is one, in one transaction with those who ask at the same
    /// time. The attempt is valid for `lease` without a heartbeat.
    ///
    /// # Errors
    /// When the database is not available; [`Conflict::ClaimedMeanwhile`] when others were faster again and again.
    pub async fn next(
        &self,
        store: &Store,
        claimant: Claimant,
        lease: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<Answer> {
        let shared = store.clone();
        let together = move |asking| together(shared.clone(), lease, asking);
        let outcome = self.0.ask((claimant, now), together).await?;
        outcome.map(OnItsWay::take).map_err(|error| StoreError::shared(&error))
    }
}

impl OnItsWay {
    /// The asker has it.
    fn take(mut self) -> Answer {
        std::mem::replace(&mut self.answer, Answer::Nothing)
    }
}

impl Drop for OnItsWay {
    /// Without a runtime the process ends, and the job waits for the end of its lease.
    fn drop(&mut self) {
        if let (Answer::Job(claimed), Ok(runtime)) = (&self.answer, Handle::try_current()) {
            let (store, fence, now) = (self.store.clone(), claimed.fence, self.now);
            runtime.spawn(async move {
                if let Err(error) = give_back(&store, fence, now).await {
                    tracing::warn!(%error, job = %fence.job_id, "a job was not given back whose Runner is gone");
                }
            });
        }
    }
}

impl Default for Claims {
    fn default() -> Self {
        Self(Combiner::new(MOST_TOGETHER))
    }
}

/// The statement that gives so many jobs to as many Runners, where these are not removed; on PostgreSQL it also makes the
/// attempts. The old status is bound, unlike elsewhere: as a literal it would bring the plans to walk the whole line where
/// statistics say that it is empty. Public for the test that pins its plan.
#[doc(hidden)]
pub fn take_sql(backend: DbBackend, jobs: usize) -> String {
    let (pairs, queued, end, now) = (pairs_sql(jobs), 3 * jobs + 1, 3 * jobs + 2, 3 * jobs + 3);
    let take = format!(
        "UPDATE provision_jobs AS j SET status = 'CLAIMED', runner_id = pair.runner_id, attempt = j.attempt + 1, \
            lease_expires_at = ${end}, not_before = NULL, step = NULL, done = 0, total = 0 \
         FROM pair JOIN runners r ON r.id = pair.runner_id AND r.removed_at IS NULL \
         WHERE j.id = pair.job_id AND j.status = ${queued}"
    );
    let told = "id, attempt, lease_expires_at";
    match backend {
        DbBackend::Postgres => format!(
            "{pairs}, taken AS ({take} \
                RETURNING j.id, j.attempt, j.lease_expires_at, pair.runner_id, pair.token_hash), \
             made AS ({ATTEMPTS} SELECT id, attempt, runner_id, token_hash, 0, ${now} FROM taken) \
             SELECT {told} FROM taken"
        ),
        _ => format!("{pairs} {take} RETURNING {told}"),
    }
}

/// Takes the next jobs that these Runners may have; gives the answers in their order. Those with the same labels are
/// served together, at the place of the first of them, and get what they would get one after the other, save that a
/// limited Zone gives one job a round. See [`Claims::next`].
///
/// # Errors
/// [`Conflict::ClaimedMeanwhile`] when others took another job of a Spec, or the last places of a Zone: roll back, then
/// claim again.
pub async fn claim(
    tx: &Tx,
    claimants: &[Claimant],
    lease: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Vec<Answer>> {
    let answers = claimants.iter().map(|_| Answer::Nothing).collect();
    let mut desk = Desk { tx, lease, now, answers, limited: BTreeSet::new() };
    for (labels, asking) in by_labels(claimants) {
        desk.serve(&labels, asking).await?;
    }
    if tx.is_postgres() {
        for zone in desk.limited {
            must_have_room(tx, zone).await?;
        }
    }
    Ok(desk.answers)
}

impl Desk<'_> {
    /// Gives each of those with these labels a job, until none is left.
    async fn serve(&mut self, labels: &[String], mut asking: VecDeque<Asking<'_>>) -> Result<()> {
        while !asking.is_empty() {
            let runners: Vec<RunnerId> = asking.iter().map(|asking| asking.claimant.runner_id).collect();
            let heads = heads(self.tx, labels, &runners, self.now).await?;
            let found = heads.len();
            let pairs = pair(self.tellable(heads).await?, &mut asking);
            if self.give(pairs).await? == found {
                break;
            }
            self.tx.ring(Bell::Queue);
        }
        Ok(())
    }

    /// A job that can be told to no Runner must not hold up those behind it: it waits, and is looked at again.
    async fn tellable(&self, heads: Vec<(Head, Told)>) -> Result<Vec<(Head, Assignment)>> {
        let mut tellable = Vec::with_capacity(heads.len());
        for (head, told) in heads {
            match told {
                Ok(assignment) => tellable.push((head, assignment)),
                Err(error) => {
                    let job = head.id;
                    tracing::error!(%error, %job, "a job can't be given to a Runner; it is set aside for a while");
                    hold_back(self.tx, job, self.now + ASIDE).await?;
                }
            }
        }
        Ok(tellable)
    }

    /// Tells how many got their job: all but those whose Runner was removed.
    async fn give(&mut self, pairs: Vec<Pair<'_>>) -> Result<usize> {
        let rows = take(self.tx, &pairs, self.now + self.lease, self.now).await?;
        let taken =
            rows.iter().map(|row| Ok((row.id("id")?, row))).collect::<Result<BTreeMap<JobId, _>>>()?;
        for Pair { asking: Asking { number, claimant }, head, assignment } in pairs {
            let Some(row) = taken.get(&head.id) else {
                self.answers[number] = Answer::Removed;
                continue;
            };
            let claimed = claimed(row, head, assignment)?;
            record(self.tx, &claimed, claimant, self.now);
            self.limited.extend(head.limited);
            self.answers[number] = Answer::Job(Box::new(claimed));
        }
        Ok(taken.len())
    }
}

/// All claims of a group; those of others who took something in between are passed over the next time.
async fn together(store: Store, lease: TimeDelta, asking: Vec<(Claimant, DateTime<Utc>)>) -> Vec<Outcome> {
    let (claimants, times): (Vec<_>, Vec<_>) = asking.into_iter().unzip();
    let now = times.into_iter().max().unwrap_or_default();
    let mut answers = in_one(&store, &claimants, lease, now).await;
    for _ in 1..TRIES {
        if !matches!(answers, Err(StoreError::Conflict(Conflict::ClaimedMeanwhile))) {
            break;
        }
        answers = in_one(&store, &claimants, lease, now).await;
    }
    match answers {
        Ok(answers) => {
            answers.into_iter().map(|answer| Ok(OnItsWay { answer, store: store.clone(), now })).collect()
        }
        Err(error) => {
            let error = Arc::new(error);
            claimants.iter().map(|_| Err(error.clone())).collect()
        }
    }
}

async fn in_one(
    store: &Store,
    claimants: &[Claimant],
    lease: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Vec<Answer>> {
    let tx = store.begin().await?;
    let answers = claim(&tx, claimants, lease, now).await;
    match answers {
        Ok(_) => tx.commit().await?,
        // Who tries again would pass over what this one still has locked. Why it failed is said above all.
        Err(_) => drop(tx.roll_back().await),
    }
    answers
}

async fn give_back(store: &Store, fence: Fence, now: DateTime<Utc>) -> Result<()> {
    let tx = store.begin().await?;
    release(&tx, fence, now).await?;
    tx.commit().await
}

/// In the order of the first of each.
fn by_labels(claimants: &[Claimant]) -> Vec<(Vec<String>, VecDeque<Asking<'_>>)> {
    let mut by_labels: Vec<(Vec<String>, VecDeque<_>)> = Vec::new();
    for (number, claimant) in claimants.iter().enumerate() {
        let mut labels = claimant.labels.clone();
        labels.sort();
        let asking = Asking { number, claimant };
        match by_labels.iter_mut().find(|(others, _)| *others == labels) {
            Some((_, together)) => together.push_back(asking),
            None => by_labels.push((labels, VecDeque::from([asking]))),
        }
    }
    by_labels
}

/// Who may have which of these, in both orders. A limited Zone gives one: whether it has a place for a second is known
/// when that one is taken.
fn pair<'a>(heads: Vec<(Head, Assignment)>, asking: &mut VecDeque<Asking<'a>>) -> Vec<Pair<'a>> {
    let (mut pairs, mut limited) = (Vec::with_capacity(heads.len()), BTreeSet::new());
    for (head, assignment) in heads {
        let fits = |asking: &Asking<'_>| {
            head.assigned_runner_id.is_none_or(|runner| runner == asking.claimant.runner_id)
        };
        if head.limited.is_some_and(|zone| limited.contains(&zone)) {
            continue;
        }
        let first = asking.iter().position(fits).and_then(|place| asking.remove(place));
        let Some(asking) = first else { continue };
        limited.extend(head.limited);
        pairs.push(Pair { asking, head, assignment });
    }
    pairs
}

/// The jobs that were taken; each has an attempt now.
async fn take(tx: &Tx, pairs: &[Pair<'_>], end: DateTime<Utc>, now: DateTime<Utc>) -> Result<Vec<Row>> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let row = |pair: &Pair<'_>| {
        let Claimant { runner_id, token_hash, .. } = pair.asking.claimant;
        values![pair.head.id, runner_id, token_hash]
    };
    let bound: Vec<Value> = pairs.iter().flat_map(row).collect();
    let with = |others: Vec<Value>| bound.iter().cloned().chain(others).collect();
    let (postgres, sql) = (tx.is_postgres(), take_sql(tx.connection().backend(), pairs.len()));
    let queued = JobStatus::Queued;
    let others = if postgres { values![queued, end, now] } else { values![queued, end] };
    let taken = tx.all(&sql, with(others)).await;
    let taken = taken.map_err(|error| error.or_taken(Conflict::ClaimedMeanwhile))?;
    if !postgres {
        let sql = format!(
            "{} {ATTEMPTS} SELECT j.id, j.attempt, j.runner_id, pair.token_hash, 0, ${} \
             FROM pair CROSS JOIN provision_jobs j ON j.id = pair.job_id AND j.status = 'CLAIMED'",
            pairs_sql(pairs.len()),
            bound.len() + 1
        );
        tx.execute(&sql, with(values![now])).await?;
    }
    Ok(taken)
}

fn pairs_sql(jobs: usize) -> String {
    format!("WITH pair (job_id, runner_id, token_hash) AS (VALUES {})", places(jobs, 3))
}

/// Claims in one limited Zone go one after the other from here to their commit, so that each counts those before it.
async fn must_have_room(tx: &Tx, zone_id: ZoneId) -> Result<()> {
    let sql = format!("SELECT max_jobs FROM zones WHERE id = $1{}", for_update(tx));
    let zone = found(tx.optional(&sql, values![zone_id]).await?, "zone", zone_id)?;
    let sql = "SELECT count(*) AS jobs FROM \
        (SELECT zone_id FROM provision_jobs WHERE status IN ('CLAIMED', 'PROCESSING') OFFSET 0) x WHERE x.zone_id = $1";
    let jobs: u32 = tx.one(sql, values![zone_id]).await?.number("jobs")?;
    match zone.optional_number::<u32>("max_jobs")? {
        Some(most) if jobs > most => Err(Conflict::ClaimedMeanwhile.into()),
        Some(_) | None => Ok(()),
    }
}

/// An event and an entry of the audit log.
fn record(tx: &Tx, claimed: &Claimed, claimant: &Claimant, now: DateTime<Utc>) {
    let Claimed { fence, job_type, spec_id, lease_expires_at, .. } = *claimed;
    let current = Current {
        id: fence.job_id,
        spec_id,
        job_type,
        status: JobStatus::Claimed,
        attempt: fence.attempt,
        cancel_requested: false,
        kill_requested: false,
        lease_expires_at: Some(lease_expires_at),
    };
    jobs::announce(tx, &current, None, now);
    let entry = Entry {
        actor: format!("runner {}", claimant.name),
        action: "job.claim".to_owned(),
        subject: fence.job_id.to_string(),
        allowed: true,
        detail: json!({ "attempt": fence.attempt }),
    };
    audit::append(tx, entry, now);
}

fn claimed(row: &Row, head: Head, assignment: Assignment) -> Result<Claimed> {
    Ok(Claimed {
        fence: fence(row)?,
        job_type: head.job_type,
        spec_id: head.spec_id,
        lease_expires_at: row.get("lease_expires_at")?,
        assignment,
    })
}
