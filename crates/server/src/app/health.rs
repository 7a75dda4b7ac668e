//! Whether the Console can work, and what it counts.

use alethia_domain::lifecycle::JobStatus;
use alethia_store::queue;

use super::App;
use crate::{auth::Viewer, error::Result};

/// The database answers.
///
/// # Errors
/// When it does not.
pub async fn ready(app: &App) -> Result<()> {
    Ok(app.store.ping().await?)
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
    Ok(app.metrics.text())
}
