//! One world: a few Specs in a real store, a clock that only the model moves, dice that only the seed knows, and the
//! [`Story`] that everything is told to. A [`Bench`] is the store under it, used by one world after the other.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use alethia_domain::{
    ids::{JobId, RunnerId, SpecId, ZoneId},
    lifecycle::{JobStatus, JobType},
    spec::Provider,
    stage::Stage,
};
use alethia_store::{
    PageRequest, Result, Store, StoreConfig, StoreError, components, events,
    events::EventFilter,
    identities,
    jobs::{self, Fence},
    logs,
    revisions::NewRevision,
    runners::{self, NewRunner},
    specs,
    states::{self, StateVersion},
    zones,
};
use chrono::{DateTime, TimeDelta, Utc};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use serde_json::json;
use tempfile::TempDir;

use crate::invariants::{Answer, JobStory, Story, Verdict};

/// How many Specs a world has, and how many Runners.
const SPECS: usize = 3;
pub(crate) const RUNNERS: usize = 3;

/// A store, with what all worlds in it share.
pub(crate) struct Bench {
    pub(crate) store: Store,
    pub(crate) zones: [ZoneId; 2],
    identity: alethia_domain::ids::CloudIdentityId,
    _folder: TempDir,
}

pub(crate) struct World<'a> {
    pub(crate) bench: &'a Bench,
    pub(crate) dice: Xoshiro256PlusPlus,
    /// The time of the Console that is asked now; Consoles do not agree to the second.
    pub(crate) now: DateTime<Utc>,
    pub(crate) clock: DateTime<Utc>,
    /// Whether anything goes wrong.
    pub(crate) faults: bool,
    pub(crate) specs: Vec<SpecId>,
    pub(crate) jobs: Vec<JobId>,
    /// Jobs that need what no Runner has.
    pub(crate) unwanted: BTreeSet<JobId>,
    pub(crate) leases: BTreeMap<JobId, DateTime<Utc>>,
    pub(crate) story: Story,
    pub(crate) trace: Vec<String>,
    /// The Runners of this world; one that is removed makes place for another.
    pub(crate) runners: Vec<RunnerId>,
    /// How many jobs of each Zone may be with Runners.
    pub(crate) limits: [Option<u32>; 2],
    /// Whether the next use case is cut off before its commit.
    pub(crate) cut_off: Cell<bool>,
    /// Jobs whose work somebody wanted killed.
    pub(crate) killed: BTreeSet<JobId>,
    /// What each PLAN put, by its attempt that counts.
    pub(crate) plans: BTreeMap<JobId, Vec<u8>>,
    logs: BTreeMap<(JobId, u32), u64>,
    tokens: Vec<(Fence, String)>,
    versions: BTreeMap<SpecId, usize>,
}

impl Bench {
    /// On memory where there is a folder of it: nothing here outlives the test.
    pub(crate) async fn open() -> Result<Self> {
        let memory = TempDir::new_in("/dev/shm");
        let folder = memory.or_else(|_| TempDir::new()).unwrap();
        let now = start();
        let store = Store::open(&StoreConfig::in_folder(folder.path())?, now).await?;
        let tx = store.begin().await?;
        let mut zone_ids = Vec::new();
        for name in ["blue", "green"] {
            zone_ids.push(zones::insert(&tx, name, None, now).await?.id);
        }
        tx.commit().await?;
        let identity = identities::by_name(&store, identities::SANDBOX).await?.id;
        let zones = [zone_ids[0], zone_ids[1]];
        Ok(Self { store, zones, identity, _folder: folder })
    }

    /// The same, but nobody looks at fences: broken on purpose.
    pub(crate) async fn open_without_fences() -> Result<Self> {
        let bench = Self::open().await?;
        Ok(Self { store: bench.store.without_fences(), ..bench })
    }

    pub(crate) fn revision(&self, number: u32) -> NewRevision {
        NewRevision {
            stage: Stage::Development,
            provider: Provider::Aws,
            region: "eu-central-1".to_owned(),
            identity_id: self.identity,
            document: json!({ "number": number }),
            hash: format!("hash-{number}"),
            author: "ada".to_owned(),
            message: None,
        }
    }
}

impl<'a> World<'a> {
    pub(crate) async fn new(bench: &'a Bench, seed: u64) -> Result<Self> {
        let last_event = events::latest(&bench.store).await?;
        let mut world = Self {
            bench,
            dice: Xoshiro256PlusPlus::seed_from_u64(seed),
            now: start(),
            clock: start(),
            faults: true,
            specs: Vec::new(),
            jobs: Vec::new(),
            unwanted: BTreeSet::new(),
            leases: BTreeMap::new(),
            story: Story::after(last_event),
            trace: Vec::new(),
            runners: Vec::new(),
            limits: [None; 2],
            cut_off: Cell::new(false),
            killed: BTreeSet::new(),
            plans: BTreeMap::new(),
            logs: BTreeMap::new(),
            tokens: Vec::new(),
            versions: BTreeMap::new(),
        };
        let tx = bench.store.begin().await?;
        for number in 0..SPECS {
            let name = format!("s{}", uuid::Uuid::now_v7().simple());
            let spec =
                specs::insert(&tx, bench.zones[number % 2], &name, &bench.revision(1), start()).await?;
            components::sync(&tx, spec, &crate::console::wanted(1), start()).await?;
            world.specs.push(spec);
        }
        for _ in 0..RUNNERS {
            let name = format!("r{}", uuid::Uuid::now_v7().simple());
            let new = NewRunner { token_hash: name.clone(), name, labels: Vec::new() };
            world.runners.push(runners::insert(&tx, &new, start()).await?.id);
        }
        for zone in bench.zones {
            zones::limit(&tx, zone, None).await?;
        }
        tx.commit().await?;
        Ok(world)
    }

    /// Whether something happens that happens once in so many times.
    pub(crate) fn once_in(&mut self, times: u32) -> bool {
        self.dice.random_ratio(1, times)
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        if choices.is_empty() { None } else { Some(choices[self.dice.random_range(0..choices.len())]) }
    }

    /// The next use case may be cut off before its commit.
    pub(crate) fn may_be_cut_off(&mut self) {
        let is_cut_off = self.faults && self.once_in(25);
        self.cut_off.set(is_cut_off);
    }

    /// Makes sure that what was not done has left nothing.
    pub(crate) async fn nothing_happened(&mut self, what: &str) -> Verdict {
        match self.read_events().await? {
            0 => Ok(()),
            _ => Err(format!("{what} was not done and changed something")),
        }
    }

    /// A PLAN of a change that a DEPLOY of this Spec can be bound to.
    pub(crate) fn plan_of(&self, spec: SpecId) -> Option<JobId> {
        let is_plan = |job: &&JobId| {
            let known = &self.story.jobs[*job];
            (known.spec, known.status, known.job_type) == (spec, JobStatus::Success, JobType::Plan)
        };
        self.jobs.iter().rev().find(is_plan).copied()
    }

    /// Another Console is asked, whose clock is a little off.
    pub(crate) fn ask_a_console(&mut self) {
        let skew = self.dice.random_range(-2..=2);
        self.now = self.clock + TimeDelta::seconds(skew);
    }

    pub(crate) fn pass(&mut self, seconds: i64) {
        self.clock += TimeDelta::seconds(seconds);
    }

    /// A line of the trace; the same in every run of a seed.
    pub(crate) fn tell(&mut self, line: impl std::fmt::Display) {
        let seconds = (self.now - start()).num_seconds();
        self.trace.push(format!("{seconds:>4}s {line}"));
    }

    pub(crate) fn name(&self, job: JobId) -> String {
        let place = self.jobs.iter().position(|known| *known == job);
        place.map_or("a job of nobody".to_owned(), |place| format!("j{}", place + 1))
    }

    /// The answer to a write of a Runner: who wrote what, and what came of it.
    pub(crate) async fn answered<T>(
        &mut self,
        fence: Fence,
        what: &str,
        result: &Result<T>,
    ) -> Verdict<Answer> {
        let answer = match result {
            Ok(_) => Answer::Accepted,
            Err(StoreError::LeaseLost { .. }) => Answer::LeaseLost,
            Err(StoreError::StateRefused(_)) => Answer::Refused,
            Err(StoreError::Unavailable { .. }) => Answer::CutOff,
            Err(other) => {
                self.tell(format!("{} attempt {}: {what}: {other}", self.name(fence.job_id), fence.attempt));
                return Err(format!("{what}: {other}"));
            }
        };
        self.tell(format!("{} attempt {}: {what}: {answer:?}", self.name(fence.job_id), fence.attempt));
        self.story.write(fence, answer)?;
        let events = self.read_events().await?;
        if answer != Answer::Accepted && events > 0 {
            return Err(format!("{what} was refused and changed something"));
        }
        Ok(answer)
    }

    /// Tells the story what happened since; how much it was.
    pub(crate) async fn read_events(&mut self) -> Verdict<usize> {
        let after = self.story.last_event;
        let events = events::after(&self.bench.store, EventFilter::All, after, 500).await.map_err(text)?;
        for event in &events {
            self.story.event(event)?;
        }
        Ok(events.len())
    }

    pub(crate) fn has_token(&mut self, fence: Fence, token: String) {
        self.tokens.push((fence, token));
    }

    /// Which Zone a Spec is in.
    pub(crate) fn zone(&self, spec: SpecId) -> usize {
        self.specs.iter().position(|known| *known == spec).map_or(0, |place| place % 2)
    }

    /// How many jobs of a Zone are with Runners.
    pub(crate) fn active_in(&self, zone: usize) -> usize {
        let with_runners = self.story.jobs.values().filter(|job| job.is_with_a_runner());
        with_runners.filter(|job| self.zone(job.spec) == zone).count()
    }

    pub(crate) fn has_logged(&mut self, fence: Fence, sequence: u64) {
        let last = self.logs.entry((fence.job_id, fence.attempt)).or_insert(0);
        *last = sequence.max(*last);
    }

    /// A version came, or the newest came again.
    pub(crate) fn has_version(&mut self, spec: SpecId, version: &StateVersion, again: bool) -> Verdict {
        if again && self.story.serial(spec, &version.lineage) == version.serial {
            return Ok(());
        }
        *self.versions.entry(spec).or_insert(0) += 1;
        self.story.version(spec, version)
    }

    /// Why a job is not over; `None` when there is no reason for it.
    pub(crate) fn excuse(&self, job: JobId) -> Option<&'static str> {
        let known = &self.story.jobs[&job];
        if known.status != JobStatus::Queued {
            return None;
        }
        if self.unwanted.contains(&job) {
            return Some("no Runner has its label");
        }
        let before = |other: &JobId| {
            let other = &self.story.jobs[other];
            other.spec == known.spec && !other.status.is_final()
        };
        let line: Vec<&JobId> =
            self.jobs.iter().take_while(|other| **other != job).filter(|other| before(other)).collect();
        let first = line.first()?;
        self.excuse(**first).map(|_| "it waits for the one before it")
    }

    pub(crate) fn pending(&self) -> Vec<JobId> {
        self.jobs.iter().copied().filter(|job| !self.story.jobs[job].status.is_final()).collect()
    }

    /// Whether it is worth to ask for a job.
    pub(crate) fn has_waiting(&self) -> bool {
        self.story.jobs.values().any(|job| job.status == JobStatus::Queued)
    }

    /// Whether it is worth to look for leases that ended.
    pub(crate) fn has_leases(&self) -> bool {
        self.story.jobs.values().any(JobStory::is_with_a_runner)
    }

    /// The rows say what the events said.
    pub(crate) async fn compare(&mut self) -> Verdict {
        for id in self.jobs.clone() {
            self.compare_job(id).await?;
        }
        for (fence, token) in &self.tokens {
            let known = jobs::authenticate(&self.bench.store, token).await.map_err(text)?;
            let alive = known.is_some_and(|credential| credential.alive);
            if alive != self.story.is_live(*fence) {
                return Err(format!(
                    "the token of attempt {} of {} alive: {alive}",
                    fence.attempt,
                    self.name(fence.job_id)
                ));
            }
        }
        for spec in self.specs.clone() {
            self.compare_spec(spec).await?;
        }
        Ok(())
    }

    /// What the store knows of jobs that wait is why they do.
    pub(crate) async fn compare_waiting(&self) -> Verdict {
        let pending = self.pending();
        let known = jobs::waiting(&self.bench.store, &pending).await.map_err(text)?;
        for (place, job) in pending.iter().enumerate() {
            let story = &self.story.jobs[job];
            let Some(waiting) = known.get(job) else {
                if story.status == JobStatus::Queued {
                    return Err(format!("{} waits, and nothing is known of it", self.name(*job)));
                }
                continue;
            };
            let of_spec = |other: &&JobId| self.story.jobs[*other].spec == story.spec;
            let is_active = |other: &&JobId| self.story.jobs[*other].is_with_a_runner();
            let is_behind = pending[..place].iter().any(|other| of_spec(&other))
                || pending.iter().any(|other| of_spec(&other) && is_active(&other));
            let limit = waiting.limited.map(|zone| (zone.max_jobs, zone.active as usize));
            let zone = self.zone(story.spec);
            let told = self.limits[zone].map(|most| (most, self.active_in(zone)));
            if waiting.behind.is_some() != is_behind || limit != told || waiting.place.is_none() {
                return Err(format!("{} waits, and of that is known {waiting:?}", self.name(*job)));
            }
        }
        Ok(())
    }

    async fn compare_job(&self, id: JobId) -> Verdict {
        let (store, name) = (&self.bench.store, self.name(id));
        let row = jobs::get(store, id).await.map_err(text)?;
        let told = &self.story.jobs[&id];
        let row_says = (row.status, row.attempt, row.cancel_requested, &row.failure);
        if row_says != (told.status, told.attempt, told.cancel_requested, &told.failure) {
            return Err(format!("{name} is {row_says:?}, and its last event says {}", told.status));
        }
        let page = PageRequest { after: None, limit: 200 };
        let kept = logs::page(store, id, page).await.map_err(text)?.items;
        let kept: Vec<_> =
            kept.into_iter().map(|chunk| (chunk.attempt, chunk.sequence, chunk.text)).collect();
        let lines = |(key, last): (&(JobId, u32), &u64)| {
            let attempt = key.1;
            (1..=*last).map(move |sequence| (attempt, sequence, line(attempt, sequence))).collect::<Vec<_>>()
        };
        let wrote: Vec<_> = self.logs.range((id, 0)..=(id, u32::MAX)).flat_map(lines).collect();
        if kept != wrote {
            return Err(format!("the log of {name} is {kept:?}, and {wrote:?} was accepted"));
        }
        Ok(())
    }

    async fn compare_spec(&self, spec: SpecId) -> Verdict {
        let store = &self.bench.store;
        let status = specs::get(store, spec).await.map_err(text)?.status;
        let told = self.story.specs.get(&spec).copied();
        if told.is_some_and(|told| told != status) {
            return Err(format!("a Spec is {status}, and its last event says {told:?}"));
        }
        for component in components::list(store, spec).await.map_err(text)? {
            let told = self.story.components.get(&(spec, component.component.clone()));
            if told != Some(&component.status) {
                return Err(format!(
                    "{} is {}, and its last event says {told:?}",
                    component.component, component.status
                ));
            }
        }
        let kept =
            states::versions(store, spec, PageRequest { after: None, limit: 200 }).await.map_err(text)?;
        let wrote = self.versions.get(&spec).copied().unwrap_or(0);
        if kept.items.len() != wrote {
            return Err(format!("{} versions are kept, and {wrote} were accepted", kept.items.len()));
        }
        Ok(())
    }
}

/// What a Runner writes to its log.
pub(crate) fn line(attempt: u32, sequence: u64) -> String {
    format!("attempt {attempt}, line {sequence}")
}

pub(crate) fn text(error: StoreError) -> String {
    format!("the store failed: {error}")
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap()
}
