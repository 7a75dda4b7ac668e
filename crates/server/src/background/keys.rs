//! Looks after sealed content: which key seals now, what is to be sealed again, which blobs nothing names any more.
//!
//! Every Console tells the others that it runs and which keys it knows; one of them, the first by its name, seals again
//! what older keys sealed. Two that do so at once would be right too, only slower.

use std::time::Duration;

use alethia_store::{blobs, keys};
use tokio::time::Instant;

use crate::{
    app::{self, App},
    error::Result,
};

/// Pause between two looks: also how long a Console may seal with a key that was replaced.
const EVERY: Duration = Duration::from_secs(10);
/// How long what could not be sealed again is left alone.
const AFTER_FAILURE: Duration = Duration::from_secs(600);

/// Works until the Console is told to end.
pub(crate) async fn run(app: App) {
    let mut due = Instant::now();
    loop {
        if let Err(error) = round(&app, &mut due).await {
            tracing::error!(%error, "sealed content was not looked after; the next round tries again");
        }
        let pause = tokio::time::timeout(EVERY, app.rotated.notified());
        if app.stop.run_until_cancelled(pause).await.is_none() {
            break;
        }
    }
    if let Err(error) = keys::leave(&app.store, &app::keys::name(&app)).await {
        tracing::warn!(%error, "other Consoles were not told that this one ends");
    }
}

async fn round(app: &App, due: &mut Instant) -> Result<()> {
    app::keys::refresh(app).await?;
    blobs::sweep(&app.store, app.now()).await?;
    if Instant::now() < *due || !keys::is_first(&app.store, &app::keys::name(app), app.now()).await? {
        return Ok(());
    }
    let resealed = keys::reseal(&app.store, &app.stop).await?;
    if resealed.failed > 0 {
        *due = Instant::now() + AFTER_FAILURE;
    }
    if resealed.done > 0 {
        tracing::info!(
            done = resealed.done,
            failed = resealed.failed,
            "content was sealed with the key in force"
        );
    }
    Ok(())
}
