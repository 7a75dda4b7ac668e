//! A platform in the middle of its life: something of everything that the store keeps, and a portrait of it.
//!
//! `examples/fixture.rs` seeds one with the code of a release and keeps it; the tests of upgrades read it with the code
//! of today. A portrait holds what people and programs would notice: a later version may say more, never less.

mod portrait;
mod seed;

use alethia_domain::{ids::RunnerId, plan::sha256_hex};
use alethia_store::{
    Store, idempotency,
    jobs::{self, Fence},
    queue::{Claimant, Claims},
    states::{self, Write},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

pub(crate) use portrait::portrait;
pub(crate) use seed::seed;

const LEASE: TimeDelta = TimeDelta::seconds(30);

/// The request whose answer is kept.
pub(crate) fn answered() -> idempotency::Key {
    idempotency::Key { key: "k-1".to_owned(), author: "ada".to_owned(), route: "POST /tokens".to_owned() }
}

/// Takes the next job, with the labels of the Runner `blue`.
pub(crate) async fn claim(store: &Store, runner_id: RunnerId, now: DateTime<Utc>) -> Option<Fence> {
    let labels = ["gpu".to_owned(), "eu".to_owned()];
    let token = sha256_hex(uuid::Uuid::now_v7().as_bytes());
    let claimant =
        Claimant { runner_id, name: "blue".to_owned(), labels: labels.to_vec(), token_hash: token };
    let answer = Claims::default().next(store, claimant, LEASE, now).await.unwrap();
    answer.job().map(|claimed| claimed.fence)
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

/// A small Terraform state.
pub(crate) fn state(serial: u64) -> String {
    json!({
        "version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": "a-lineage", "outputs": {},
        "resources": [{"mode": "managed", "type": "aws_vpc", "name": "this", "instances": [{"attributes": {"x": 1}}]}],
    })
    .to_string()
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
