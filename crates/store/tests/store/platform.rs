//! A platform in the middle of its life: something of everything that the store keeps, and a portrait of it.
//!
//! `examples/fixture.rs` seeds one with the code of a release and keeps it; the tests of upgrades read it with the code
//! of today. A portrait holds what people and programs would notice: a later version may say more, never less.

use std::collections::BTreeSet;

use alethia_domain::{
    access::CloudAccess,
    component::{ComponentKind, ComponentRef},
    event::Failure,
    ids::{JobId, RunnerId, SpecId, ZoneId},
    lifecycle::{ComponentEvent, FailureReason, JobType, SpecEvent, SpecStatus},
    plan::{PlanBasis, PlanSummary, Totals, sha256_hex},
    role::Role,
    spec::Provider,
    stage::Stage,
};
use alethia_store::{
    PageRequest, Store, Tx, audit, components, events, idempotency, identities,
    jobs::{self, End, Fence, NewJob},
    logs::{self, LogChunk},
    plans,
    queue::{self, Claimant, Loss},
    revisions::{self, NewRevision},
    runners::{self, NewRunner},
    settings, specs,
    states::{self, Write},
    tokens, zones,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

const LEASE: TimeDelta = TimeDelta::seconds(30);
/// Chunks of the long log: more than fit into one blob.
const LONG_LOG: u64 = 230;

struct Seed<'a> {
    store: &'a Store,
    runner: RunnerId,
    now: DateTime<Utc>,
}

/// Fills an empty store.
pub(crate) async fn seed(store: &Store, now: DateTime<Utc>) {
    let tx = store.begin().await.unwrap();
    let zone = zones::insert(&tx, "web", Some("shops, \"quoted\" and 日本"), now).await.unwrap();
    let role = CloudAccess::Aws {
        role_arn: Some("arn:aws:iam::123456789012:role/alethia".to_owned()),
        external_id: Some("x-1".to_owned()),
    };
    identities::insert(&tx, "production", &role, now).await.unwrap();
    let runner = runner(&tx, "blue", &["gpu", "eu"], now).await;
    runners::seen(&tx, runner, "0.1.0", "terraform 1.11.4", now).await.unwrap();
    runner_gone(&tx, now).await;
    settings::set(&tx, "a_setting", "its value").await.unwrap();
    access(&tx, now).await;
    tx.commit().await.unwrap();

    let seed = Seed { store, runner, now };
    seed.finished(zone.id).await;
    seed.lost(zone.id).await;
    seed.cancelled_and_tried_again().await;
    seed.active().await;
    seed.waiting().await;
}

async fn runner(tx: &Tx, name: &str, labels: &[&str], now: DateTime<Utc>) -> RunnerId {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    let new = NewRunner { name: name.to_owned(), labels, token_hash: sha256_hex(name.as_bytes()) };
    runners::insert(tx, &new, now).await.unwrap().id
}

async fn runner_gone(tx: &Tx, now: DateTime<Utc>) {
    runner(tx, "old", &[], now).await;
    runners::remove(tx, "old", now).await.unwrap();
}

/// Tokens, an answer that is kept for a repeated request, entries of the audit log.
async fn access(tx: &Tx, now: DateTime<Utc>) {
    for (name, role, days) in [("ci", Role::Operator, Some(90)), ("ada", Role::Owner, None)] {
        let new = tokens::NewToken {
            name: name.to_owned(),
            role,
            token_hash: sha256_hex(name.as_bytes()),
            expires_at: days.map(|days| now + TimeDelta::days(days)),
        };
        tokens::insert(tx, &new, now).await.unwrap();
    }
    let answer = idempotency::Answer { status: 201, body: json!({"secret": "shown once"}) };
    assert_eq!(idempotency::begin(tx, &answered(), "hash", now).await.unwrap(), None);
    idempotency::complete(tx, &answered(), &answer).await.unwrap();
    for (action, allowed) in [("token.create", true), ("state.unlock", false)] {
        let entry = audit::Entry {
            actor: "ada".to_owned(),
            action: action.to_owned(),
            subject: "ci".to_owned(),
            allowed,
            detail: json!({"role": "operator", "nested": [1, null, "x"]}),
        };
        audit::append(tx, entry, now);
    }
}

/// The request whose answer is kept.
pub(crate) fn answered() -> idempotency::Key {
    idempotency::Key { key: "k-1".to_owned(), author: "ada".to_owned(), route: "POST /tokens".to_owned() }
}

impl Seed<'_> {
    /// A Spec that is ACTIVE: planned, deployed, its logs in the blob store, a newer Revision not yet deployed.
    async fn finished(&self, zone: ZoneId) {
        let spec = self.spec(zone, "shop", &[network(), database("orders")]).await;
        let plan = self.started(spec, JobType::Plan, None).await;
        self.plan(plan).await;
        self.log(plan, 1..=LONG_LOG).await;
        self.end(plan, &End::Success).await;

        self.spec_event(spec, &SpecEvent::QueueDeploy, None).await;
        let deploy = self.started(spec, JobType::Deploy, Some(plan.job_id)).await;
        self.spec_event(spec, &SpecEvent::StartDeploy, None).await;
        for serial in 1..=3 {
            self.state(spec, deploy, None, serial).await;
        }
        for component in [network(), database("orders")] {
            self.component(spec, &component, &[ComponentEvent::Build, ComponentEvent::Settle]).await;
        }
        self.log(deploy, 1..=5).await;
        self.end(deploy, &End::Success).await;
        self.spec_event(spec, &SpecEvent::Succeed, None).await;
        let tx = self.begin().await;
        specs::set_deployed(&tx, spec, Some(1), self.now).await.unwrap();
        let second = self.revision(spec, 2).await;
        revisions::append(&tx, spec, Some(1), &second, self.now).await.unwrap();
        tx.commit().await.unwrap();
        for fence in [plan, deploy] {
            logs::compact(self.store, fence.job_id).await.unwrap();
        }
    }

    /// A DEPLOY whose Runner was lost, with its state still locked; its log is still in rows.
    async fn lost(&self, zone: ZoneId) {
        let spec = self.spec(zone, "api", &[network(), database("users")]).await;
        self.spec_event(spec, &SpecEvent::QueueDeploy, None).await;
        let deploy = self.started(spec, JobType::Deploy, None).await;
        self.spec_event(spec, &SpecEvent::StartDeploy, None).await;
        self.lock(spec, deploy).await;
        self.state(spec, deploy, Some("lock-of-api"), 7).await;
        self.component(spec, &network(), &[ComponentEvent::Build]).await;
        self.component(spec, &database("users"), &[ComponentEvent::Build, ComponentEvent::Fail]).await;
        self.log(deploy, 1..=3).await;
        let failure = Failure {
            reason: FailureReason::RunnerLost,
            message: "the Runner was lost".to_owned(),
            address: Some("module.network.aws_vpc.this".to_owned()),
            hint: Some("look at the lock".to_owned()),
        };
        self.lose(deploy, &Loss::Abandon { failure }).await;
        self.spec_event(spec, &SpecEvent::Fail, Some("the Runner was lost")).await;
        let mut again = self.new_job(spec, JobType::Plan, None).await;
        again.retry_of = Some(deploy.job_id);
        let again = self.insert(&again).await;
        let tx = self.begin().await;
        jobs::cancel(&tx, again, self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A PLAN that was cancelled, and one that waits for its second attempt.
    async fn cancelled_and_tried_again(&self) {
        let spec = self.spec(self.default_zone().await, "cache", &[]).await;
        let cancelled = self.started(spec, JobType::Plan, None).await;
        self.log(cancelled, 1..=2).await;
        self.end(cancelled, &End::Cancelled).await;
        let tried = self.started(spec, JobType::Plan, None).await;
        self.log(tried, 1..=4).await;
        let not_before = self.after(600);
        self.lose(tried, &Loss::Retry { not_before }).await;
    }

    /// A DEPLOY in the middle and a PLAN that was just claimed.
    async fn active(&self) {
        let spec = self.spec(self.default_zone().await, "busy", &[network()]).await;
        self.spec_event(spec, &SpecEvent::QueueDeploy, None).await;
        let deploy = self.started(spec, JobType::Deploy, None).await;
        self.spec_event(spec, &SpecEvent::StartDeploy, None).await;
        self.lock(spec, deploy).await;
        self.state(spec, deploy, Some("lock-of-busy"), 1).await;
        self.component(spec, &network(), &[ComponentEvent::Build]).await;
        self.log(deploy, 1..=6).await;
        let other = self.spec(self.default_zone().await, "claimed", &[]).await;
        self.insert(&self.new_job(other, JobType::Plan, None).await).await;
        self.claim().await;
    }

    /// A DEPLOY and behind it a PLAN, in the queue, for this Runner's labels.
    async fn waiting(&self) {
        let spec = self.spec(self.default_zone().await, "waiting", &[network()]).await;
        self.spec_event(spec, &SpecEvent::QueueDeploy, None).await;
        let mut deploy = self.new_job(spec, JobType::Deploy, None).await;
        deploy.required_labels = vec!["gpu".to_owned()];
        deploy.former_status = Some(SpecStatus::Draft);
        self.insert(&deploy).await;
        let mut plan = self.new_job(spec, JobType::Plan, None).await;
        plan.assigned_runner_id = Some(self.runner);
        self.insert(&plan).await;
    }

    async fn spec(&self, zone: ZoneId, name: &str, wanted: &[ComponentRef]) -> SpecId {
        let first = self.first_revision(name, 1).await;
        let tx = self.begin().await;
        let spec = specs::insert(&tx, zone, name, &first, self.now).await.unwrap();
        components::sync(&tx, spec, wanted, self.now).await.unwrap();
        tx.commit().await.unwrap();
        spec
    }

    async fn revision(&self, spec: SpecId, number: u32) -> NewRevision {
        let name = specs::get(self.store, spec).await.unwrap().name;
        self.first_revision(&name, number).await
    }

    async fn first_revision(&self, name: &str, number: u32) -> NewRevision {
        NewRevision {
            stage: Stage::Production,
            provider: Provider::Aws,
            region: "eu-central-1".to_owned(),
            identity_id: identities::by_name(self.store, "production").await.unwrap().id,
            document: json!({"zone": "web", "name": name, "b": 1.5, "a": {"z": number, "y": [true, null]}}),
            hash: sha256_hex(format!("{name} {number}").as_bytes()),
            author: "ada".to_owned(),
            message: Some(format!("number {number}")),
        }
    }

    async fn new_job(&self, spec: SpecId, job_type: JobType, plan: Option<JobId>) -> NewJob {
        NewJob {
            job_type,
            spec_id: spec,
            revision: 1,
            snapshot: json!({"name": "frozen", "b": 1, "a": 2}),
            snapshot_hash: sha256_hex(b"frozen"),
            identity_id: identities::by_name(self.store, "production").await.unwrap().id,
            plan_job_id: plan,
            retry_of: None,
            destroy: false,
            required_labels: Vec::new(),
            assigned_runner_id: None,
            former_status: None,
            author: "ada".to_owned(),
        }
    }

    async fn insert(&self, new: &NewJob) -> JobId {
        let tx = self.begin().await;
        let id = jobs::insert(&tx, new, self.now).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn claim(&self) -> Fence {
        claim(self.store, self.runner, self.now).await.unwrap()
    }

    async fn started(&self, spec: SpecId, job_type: JobType, plan: Option<JobId>) -> Fence {
        self.insert(&self.new_job(spec, job_type, plan).await).await;
        let fence = self.claim().await;
        let tx = self.begin().await;
        jobs::start(&tx, fence, self.now).await.unwrap();
        tx.commit().await.unwrap();
        fence
    }

    async fn plan(&self, fence: Fence) {
        let file = b"a plan file, sealed";
        plans::put_file(self.store, fence, file, self.now).await.unwrap();
        let basis = PlanBasis {
            snapshot: sha256_hex(b"frozen"),
            bundle: "bundle".to_owned(),
            lock_file: "lock".to_owned(),
            tool: "terraform 1.11.4".to_owned(),
            identity: "production 1".to_owned(),
            state_lineage: String::new(),
            state_serial: 0,
        };
        let totals = Totals { create: 12, update: 1, replace: 0, destroy: 0 };
        let summary = PlanSummary { totals, components: Vec::new(), drift: Vec::new() };
        let tx = self.begin().await;
        plans::report(&tx, fence, &basis, &summary, &sha256_hex(file), self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn log(&self, fence: Fence, sequences: std::ops::RangeInclusive<u64>) {
        let chunk = |sequence| LogChunk {
            attempt: fence.attempt,
            sequence,
            at: self.now + TimeDelta::milliseconds(i64::try_from(sequence).unwrap()),
            text: format!("line {sequence}: it's \"so\" — ü\n"),
        };
        let chunks: Vec<LogChunk> = sequences.map(chunk).collect();
        let tx = self.begin().await;
        logs::append(&tx, fence, &chunks).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn end(&self, fence: Fence, end: &End) {
        let tx = self.begin().await;
        jobs::finish(&tx, fence, end, self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn lose(&self, fence: Fence, loss: &Loss) {
        let later = self.after(LEASE.num_seconds() + 1);
        let seen = queue::expired(self.store, later, 50).await.unwrap();
        let seen = seen.iter().find(|seen| seen.fence == fence).unwrap();
        let tx = self.begin().await;
        assert!(queue::lose_lease(&tx, seen, loss, later).await.unwrap().is_some());
        tx.commit().await.unwrap();
    }

    async fn spec_event(&self, spec: SpecId, event: &SpecEvent, reason: Option<&str>) {
        let tx = self.begin().await;
        specs::transition(&tx, spec, event, reason, self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn component(&self, spec: SpecId, component: &ComponentRef, events: &[ComponentEvent]) {
        let tx = self.begin().await;
        for event in events {
            let happening =
                components::Happening { event: *event, reason: None, job_id: None, done: 1, total: 2 };
            components::transition(&tx, spec, component, &happening, self.now).await.unwrap();
        }
        let mut outputs = Map::new();
        outputs.insert("endpoint".to_owned(), json!(format!("{}.example.com", component.name)));
        outputs.insert("ports".to_owned(), json!([80, 443]));
        components::set_outputs(&tx, spec, component, &outputs, self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn lock(&self, spec: SpecId, fence: Fence) {
        let name = specs::get(self.store, spec).await.unwrap().name;
        let info =
            json!({"ID": format!("lock-of-{name}"), "Operation": "OperationTypeApply", "Who": "ada@host"});
        let tx = self.begin().await;
        states::lock(&tx, spec, fence, &info, self.now).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn state(&self, spec: SpecId, fence: Fence, lock_id: Option<&str>, serial: u64) {
        let content = state(serial);
        let write = Write { spec_id: spec, fence, lock_id, content: content.as_bytes() };
        states::write(self.store, write, self.now).await.unwrap();
    }

    async fn default_zone(&self) -> ZoneId {
        zones::by_name(self.store, zones::DEFAULT).await.unwrap().id
    }

    async fn begin(&self) -> Tx {
        self.store.begin().await.unwrap()
    }

    fn after(&self, seconds: i64) -> DateTime<Utc> {
        self.now + TimeDelta::seconds(seconds)
    }
}

/// Takes the next job, with the labels of the Runner `blue`.
pub(crate) async fn claim(store: &Store, runner_id: RunnerId, now: DateTime<Utc>) -> Option<Fence> {
    let labels = ["gpu".to_owned(), "eu".to_owned()];
    let token = sha256_hex(uuid::Uuid::now_v7().as_bytes());
    let tx = store.begin().await.unwrap();
    let claimed =
        queue::claim(&tx, Claimant { runner_id, labels: &labels }, &token, LEASE, now).await.unwrap();
    tx.commit().await.unwrap();
    claimed.map(|claimed| claimed.fence)
}

/// The next version of the state that a job's Spec has; the first where it has none. Nothing where it is locked.
#[cfg_attr(not(test), expect(dead_code, reason = "for the tests of upgrades alone"))]
pub(crate) async fn write_state_of(store: &Store, fence: Fence, now: DateTime<Utc>) {
    let spec_id = jobs::get(store, fence.job_id).await.unwrap().spec_id;
    let serial = states::current(store, spec_id).await.unwrap().map_or(1, |version| version.serial + 1);
    let content = state(serial);
    let write = Write { spec_id, fence, lock_id: None, content: content.as_bytes() };
    states::write(store, write, now).await.unwrap();
    assert_eq!(states::read(store, spec_id).await.unwrap().unwrap().1.as_ref(), content.as_bytes());
}

/// What the platform is, as those who use it see it. Nothing that moves by itself is in it.
pub(crate) async fn portrait(store: &Store, now: DateTime<Utc>) -> Value {
    json!({
        "zones": zones_of(store).await,
        "identities": identities::list(store, all()).await.unwrap().items.iter()
            .map(|identity| json!([identity.id, identity.name, identity.access, identity.revision]))
            .collect::<Vec<_>>(),
        "runners": runners::list(store, all()).await.unwrap().items.iter()
            .map(|runner| json!([runner.id, runner.name, runner.labels, runner.tool, runner.last_seen_at,
                runner.jobs.iter().collect::<BTreeSet<_>>()]))
            .collect::<Vec<_>>(),
        "tokens": tokens::list(store, all()).await.unwrap().items.iter()
            .map(|token| json!([token.id, token.name, token.role, token.expires_at]))
            .collect::<Vec<_>>(),
        "audit": audit::list(store, all()).await.unwrap().items.iter()
            .map(|entry| json!([entry.id, entry.at, entry.entry.actor, entry.entry.action, entry.entry.detail]))
            .collect::<Vec<_>>(),
        "setting": settings::get(store, "a_setting").await.unwrap(),
        "answer": kept_answer(store, now).await,
        "events": events::after(store, events::EventFilter::All, 0, 10_000).await.unwrap().iter()
            .map(|event| json!([event.id, event.at, event.spec_id, event.job_id, event.change]))
            .collect::<Vec<_>>(),
        "specs": specs_of(store).await,
        "jobs": jobs_of(store).await,
    })
}

async fn zones_of(store: &Store) -> Vec<Value> {
    let zones = zones::list(store, all()).await.unwrap().items;
    zones.iter().map(|zone| json!([zone.id, zone.name, zone.description, zone.live_specs])).collect()
}

async fn kept_answer(store: &Store, now: DateTime<Utc>) -> Value {
    let tx = store.begin().await.unwrap();
    let answer = idempotency::begin(&tx, &answered(), "hash", now).await.unwrap().unwrap();
    json!([answer.status, answer.body])
}

async fn specs_of(store: &Store) -> Vec<Value> {
    let mut portraits = Vec::new();
    for spec in specs::list(store, None, all()).await.unwrap().items {
        let listed = revisions::list(store, spec.id, PageRequest::first(200)).await.unwrap().items;
        let mut documents = Vec::new();
        for revision in listed {
            let detail = revisions::get(store, spec.id, revision.number).await.unwrap();
            let written = detail.document.to_string();
            documents.push(json!([
                revision.number,
                revision.hash,
                revision.author,
                revision.message,
                written
            ]));
        }
        let components = components::list(store, spec.id).await.unwrap();
        let components: Vec<Value> = components
            .iter()
            .map(|found| json!([found.component.to_string(), found.status.as_str(), found.outputs]))
            .collect();
        portraits.push(json!({
            "id": spec.id, "name": spec.name, "zone": spec.zone, "status": spec.status.as_str(),
            "reason": spec.status_reason, "revision": spec.revision, "deployed": spec.deployed_revision,
            "documents": documents, "components": components, "state": state_of(store, spec.id).await,
        }));
    }
    portraits
}

async fn state_of(store: &Store, spec: SpecId) -> Value {
    let state = states::get(store, spec).await.unwrap();
    let mut versions = Vec::new();
    for version in states::versions(store, spec, PageRequest::first(200)).await.unwrap().items {
        let (_, content) = states::read_version(store, spec, version.serial).await.unwrap();
        let content = String::from_utf8(content.to_vec()).unwrap();
        versions.push(json!([version.serial, version.lineage, version.md5, version.job_id, content]));
    }
    json!({
        "current": state.current.map(|version| version.serial),
        "lock": state.lock.map(|lock| json!([lock.id, lock.who, lock.info, lock.job_id])),
        "versions": versions,
    })
}

async fn jobs_of(store: &Store) -> Vec<Value> {
    let mut portraits = Vec::new();
    for job in jobs::list(store, jobs::JobFilter { spec_id: None, status: None }, all()).await.unwrap().items
    {
        let plan = match plans::get(store, job.id).await {
            Ok(plan) => {
                let file = plans::file(store, job.id).await.unwrap();
                json!([plan.digest, plan.basis, plan.summary, plan.file_sha256, sha256_hex(&file)])
            }
            Err(_) => Value::Null,
        };
        portraits.push(json!({
            "id": job.id, "type": job.job_type.as_str(), "status": job.status.as_str(), "spec": job.spec,
            "zone": job.zone, "revision": job.revision, "attempt": job.attempt, "plan_job": job.plan_job_id,
            "retry_of": job.retry_of, "failure": job.failure, "author": job.author, "created_at": job.created_at,
            "started_at": job.started_at, "finished_at": job.finished_at,
            "snapshot": jobs::snapshot(store, job.id).await.unwrap().document.to_string(),
            "plan": plan, "log": log_of(store, job.id).await,
        }));
    }
    portraits
}

/// The log, in pages of an odd size.
async fn log_of(store: &Store, job: JobId) -> Vec<Value> {
    let (mut lines, mut after) = (Vec::new(), None);
    loop {
        let page = logs::page(store, job, PageRequest { after, limit: 37 }).await.unwrap();
        lines.extend(
            page.items.iter().map(|chunk| json!([chunk.attempt, chunk.sequence, chunk.at, chunk.text])),
        );
        match page.next {
            Some(next) => after = Some(next),
            None => return lines,
        }
    }
}

fn all() -> PageRequest {
    PageRequest::first(200)
}

/// A small Terraform state.
pub(crate) fn state(serial: u64) -> String {
    json!({
        "version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": "a-lineage", "outputs": {},
        "resources": [{"mode": "managed", "type": "aws_vpc", "name": "this", "instances": [{"attributes": {"x": 1}}]}],
    })
    .to_string()
}

fn network() -> ComponentRef {
    ComponentRef::singleton(ComponentKind::Network)
}

fn database(name: &str) -> ComponentRef {
    ComponentRef::named(ComponentKind::Database, name)
}

/// Later code may say more, never less or something else.
#[cfg_attr(not(test), expect(dead_code, reason = "for tests alone"))]
pub(crate) fn must_include(now: &Value, before: &Value) {
    include(now, before, "");
}

fn include(now: &Value, before: &Value, place: &str) {
    match (now, before) {
        (Value::Object(now), Value::Object(before)) => {
            for (key, value) in before {
                let found = now.get(key).unwrap_or(&Value::Null);
                include(found, value, &format!("{place}.{key}"));
            }
        }
        (Value::Array(now), Value::Array(before)) => {
            assert_eq!(now.len(), before.len(), "{place}");
            for (index, (now, before)) in now.iter().zip(before).enumerate() {
                include(now, before, &format!("{place}[{index}]"));
            }
        }
        (now, before) => assert_eq!(now, before, "{place}"),
    }
}
