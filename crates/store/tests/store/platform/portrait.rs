//! What the platform is, as those who use it see it.

use std::collections::BTreeSet;

use alethia_domain::{
    ids::{JobId, SpecId},
    plan::sha256_hex,
};
use alethia_store::{
    PageRequest, Store, audit, components, events, idempotency, identities, jobs, logs, plans, revisions,
    runners, settings, specs, states, tokens, zones,
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::answered;

/// The platform as a value. Nothing that moves by itself is in it.
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
