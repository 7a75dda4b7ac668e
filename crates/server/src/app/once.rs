//! A creating request that is sent twice under one Idempotency-Key is done once; the second gets the first one's answer.
//!
//! Both calls belong into the transaction that creates. Who answers a repetition commits it as well: what it saw may be
//! on its way to the disk with it. Without a key nothing is kept.

use alethia_domain::plan::sha256_hex;
use alethia_store::{
    Tx,
    idempotency::{self, Answer, Key},
};
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    auth::Person,
    error::{Error, Result},
};

/// One request under a key, or without one.
pub(super) struct Once {
    key: Option<Key>,
    request: String,
}

impl Once {
    /// `route` names what is called, with the ids in it; `request` is everything that the caller decides.
    pub(super) fn new(caller: &Person, key: Option<String>, route: String, request: &impl Serialize) -> Self {
        let request = serde_json::to_vec(request).expect("what came as JSON goes out as JSON");
        let key = key.map(|key| Key { key, author: caller.name.clone(), route });
        Self { key, request: sha256_hex(&request) }
    }

    /// The answer that was given before, if this is a repetition.
    pub(super) async fn answer<T: DeserializeOwned>(&self, tx: &Tx, now: DateTime<Utc>) -> Result<Option<T>> {
        let Some(key) = &self.key else { return Ok(None) };
        let Some(answer) = idempotency::begin(tx, key, &self.request, now).await? else { return Ok(None) };
        serde_json::from_value(answer.body)
            .map(Some)
            .map_err(|error| Error::internal("reading the answer kept under an Idempotency-Key", error))
    }

    /// Keeps the answer.
    pub(super) async fn keep(&self, tx: &Tx, answer: &impl Serialize) -> Result<()> {
        let Some(key) = &self.key else { return Ok(()) };
        let body = serde_json::to_value(answer).expect("answers are JSON");
        Ok(idempotency::complete(tx, key, &Answer { status: 201, body }).await?)
    }
}
