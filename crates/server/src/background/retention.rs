//! Forgets events and audit entries that are older than they have to be kept, a few at a time: whatever has heaped up,
//! claims are not held up by it. The reaper calls it in its rounds.

use std::time::Duration;

use alethia_store::retention;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::{app::App, error::Result};

/// Pause between two looks.
const EVERY: Duration = Duration::from_secs(60);
/// Steps of one look, of a few hundred rows each. What is left waits for the next.
const MOST_STEPS: usize = 20;

/// Where it is.
pub(super) struct Retention {
    due: Instant,
    /// Events up to this number were looked at: those that are left belong to jobs that are not over.
    place: i64,
}

impl Retention {
    pub(super) fn new() -> Self {
        Self { due: Instant::now(), place: 0 }
    }

    /// Forgets some of what is old, when it is time to look.
    pub(super) async fn work(&mut self, app: &App) -> Result<()> {
        if Instant::now() < self.due {
            return Ok(());
        }
        self.due = Instant::now() + EVERY;
        if let Some(before) = before(app.now(), app.config.keep.events) {
            self.events(app, before).await?;
        }
        if let Some(before) = before(app.now(), app.config.keep.audit) {
            audit(app, before).await?;
        }
        Ok(())
    }

    async fn events(&mut self, app: &App, before: DateTime<Utc>) -> Result<()> {
        for _ in 0..MOST_STEPS {
            match retention::sweep_events(&app.store, before, self.place).await? {
                Some(place) => self.place = place,
                None => {
                    self.place = 0;
                    break;
                }
            }
        }
        Ok(())
    }
}

async fn audit(app: &App, before: DateTime<Utc>) -> Result<()> {
    for _ in 0..MOST_STEPS {
        if !retention::sweep_audit(&app.store, before).await? {
            break;
        }
    }
    Ok(())
}

/// What is from before this may go; nothing where it is kept for ever.
fn before(now: DateTime<Utc>, days: u32) -> Option<DateTime<Utc>> {
    (days > 0).then(|| now - TimeDelta::days(days.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_days_keep_for_ever() {
        let now = Utc::now();
        assert_eq!(before(now, 0), None);
        assert_eq!(before(now, 30), Some(now - TimeDelta::days(30)));
    }
}
