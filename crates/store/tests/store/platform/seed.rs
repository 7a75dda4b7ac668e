//! How the platform came about: Specs in every state of their life.

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
    Store, Tx, audit, components, idempotency, identities,
    jobs::{self, End, Fence, NewJob},
    logs::{self, LogChunk},
    plans,
    queue::{self, Loss},
    revisions::{self, NewRevision},
    runners::{self, NewRunner},
    settings, specs,
    states::{self, Write},
    tokens, zones,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, json};

use super::{LEASE, answered, claim, state};

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
        let failure = Failure {
            reason: FailureReason::RunnerLost,
            message: "the Runner was lost".to_owned(),
            address: None,
            hint: None,
        };
        self.lose(tried, &Loss::Retry { not_before, failure }).await;
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
        jobs::start(&tx, fence, LEASE, self.now).await.unwrap();
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

fn network() -> ComponentRef {
    ComponentRef::singleton(ComponentKind::Network)
}

fn database(name: &str) -> ComponentRef {
    ComponentRef::named(ComponentKind::Database, name)
}
