//! Somebody who watches a job from its begin to its end, as `alethia apply` does, through the weather.

use std::sync::Arc;

use alethia_api::client::{Client, StreamItem};
use alethia_domain::ids::JobId;

use crate::history::{Followed, History};

/// Watches a job in a task of its own, and keeps what was told.
pub(super) fn follow(history: &Arc<History>, client: &Client, job: JobId) {
    let (told, mut stream) = (Arc::clone(history), client.follow_job(job, None));
    history.watchers.spawn(async move {
        let mut followed = Followed { job, chunks: Vec::new(), broke: None };
        loop {
            match stream.next().await {
                Ok(Some(StreamItem::Log(chunk))) => followed.chunks.push(chunk),
                Ok(Some(StreamItem::Change(_))) => {}
                Ok(None) => break,
                Err(error) => {
                    followed.broke = Some(error.to_string());
                    break;
                }
            }
        }
        told.followed(followed);
    });
}
