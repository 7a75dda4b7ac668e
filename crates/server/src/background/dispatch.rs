//! Wakes Runners that wait for a job: when the queue's bell rings, and when a job may be claimed that was held back, for
//! which nobody rings. One task a Console, however many Runners wait.

use std::time::Duration;

use alethia_store::{doorbell::Bell, queue};
use tokio::time::{sleep, timeout};

use crate::{app::App, error::Result};

/// Longest sleep where nothing is held back; the doorbell's own relay rings more often.
const LONGEST: Duration = Duration::from_secs(30);
/// Shortest time from one round to the next.
const TOGETHER: Duration = Duration::from_millis(2);

/// Works until the Console is told to end.
pub(crate) async fn run(app: App) {
    app.stop.run_until_cancelled(work(&app)).await;
}

async fn work(app: &App) {
    let mut ear = app.store.doorbell().listen(Bell::Queue);
    let mut rung = ear.count();
    loop {
        // Without the database nobody can be helped; its return rings.
        let due = app.while_available(until_due(app)).await.unwrap_or(LONGEST);
        let news = async {
            tokio::select! { () = ear.heard() => {}, () = app.room.arrived() => {} }
        };
        let is_due = timeout(due, news).await.is_err();
        let rings = ear.count() - rung;
        if (is_due || rings > 0) && !app.room.is_empty() {
            app.room.call(rings.max(1));
            call_assigned(app).await;
        }
        rung += rings;
        sleep(TOGETHER).await;
    }
}

/// How long until a job that is held back may be claimed.
async fn until_due(app: &App) -> Result<Duration> {
    if app.room.is_empty() {
        return Ok(LONGEST);
    }
    let now = app.now();
    let due = queue::next_due(&app.store, now).await?;
    Ok(due.map_or(LONGEST, |due| (due - now).to_std().unwrap_or_default()).min(LONGEST))
}

/// A job for one Runner alone wakes that one, wherever it is in the line.
async fn call_assigned(app: &App) {
    match app.while_available(async { Ok(queue::assigned(&app.store).await?) }).await {
        Ok(runners) => runners.into_iter().for_each(|runner| app.room.call_runner(runner)),
        Err(error) => tracing::debug!(%error, "who is waited for was not read; the next ring reads it"),
    }
}
