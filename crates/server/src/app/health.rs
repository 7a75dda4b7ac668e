//! Whether the Console can work, and what it counts.

use std::time::Duration;

use alethia_domain::lifecycle::JobStatus;
use alethia_store::queue;

use super::App;
use crate::{
    auth::Viewer,
    error::{Error, Result},
};

/// How long the database may take to give a sign of life.
const PATIENCE: Duration = Duration::from_secs(2);

/// The database answers, and the Console is not about to end.
///
/// # Errors
/// When it does not, or is.
pub async fn ready(app: &App) -> Result<()> {
    if app.ending.is_cancelled() {
        return Err(Error::Unavailable("the Console is about to end".to_owned()));
    }
    let ping = app.while_available(async { Ok(app.store.ping().await?) });
    let late = |_| Error::Unavailable("the database is slow to answer".to_owned());
    tokio::time::timeout(PATIENCE, ping).await.map_err(late)?
}

/// Every counter as text; jobs are counted now.
///
/// # Errors
/// When the database is not available.
pub async fn metrics(app: &App, _: &Viewer) -> Result<Vec<u8>> {
    let depth = queue::depth(&app.store).await?;
    for status in JobStatus::ALL.into_iter().filter(|status| !status.is_final()) {
        let count = depth.iter().find(|(known, _)| *known == status).map_or(0, |(_, count)| *count);
        app.metrics.jobs(status.as_str(), count);
    }
    app.metrics.now(app.room.waiting(), app.store.doorbell_lag());
    Ok(app.metrics.text())
}
