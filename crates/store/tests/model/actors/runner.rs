//! A Runner: it takes jobs and works on them, unless it dies or says nothing for a while.

use alethia_store::{StoreError, jobs};
use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt;

use super::work::Work;
use crate::{
    invariants::Verdict,
    world::{World, text},
};

/// A Runner with one slot.
pub(crate) struct Runner {
    number: usize,
    work: Option<Work>,
    silent_until: Option<DateTime<Utc>>,
}

impl Runner {
    pub(crate) fn new(number: usize) -> Self {
        Self { number, work: None, silent_until: None }
    }

    pub(crate) async fn act(&mut self, world: &mut World<'_>) -> Verdict {
        if world.faults && self.silent_until.is_some_and(|until| until > world.now) {
            return Ok(());
        }
        self.silent_until = None;
        let Some(mut work) = self.work.take() else { return self.claim(world).await };
        if world.faults && world.once_in(40) {
            world.tell(format!("r{} dies and starts anew", self.number + 1));
            return Ok(());
        }
        if world.faults && world.once_in(24) {
            let seconds = world.dice.random_range(5..90);
            world.tell(format!("r{} is silent for {seconds}s", self.number + 1));
            self.silent_until = Some(world.now + TimeDelta::seconds(seconds));
            self.work = Some(work);
            return Ok(());
        }
        if work.go_on(world).await? {
            self.work = Some(work);
        }
        Ok(())
    }

    async fn claim(&mut self, world: &mut World<'_>) -> Verdict {
        if !world.has_waiting() {
            return Ok(());
        }
        let token = uuid::Uuid::now_v7().to_string();
        world.may_be_cut_off();
        let claimed = match world.claim(self.number, &token).await {
            Ok(Some(claimed)) => claimed,
            Ok(None) | Err(StoreError::Unavailable { .. }) => return world.nothing_happened("a claim").await,
            Err(other) => return Err(text(other)),
        };
        world.tell(format!("r{} claims {}", self.number + 1, world.name(claimed.fence.job_id)));
        if world.unwanted.contains(&claimed.fence.job_id) {
            return Err("a Runner without the label got the job".to_owned());
        }
        world.read_events().await?;
        let zone = world.zone(claimed.spec_id);
        if world.limits[zone].is_some_and(|most| world.active_in(zone) > most as usize) {
            return Err("a Zone has more jobs with Runners than it may".to_owned());
        }
        world.has_token(claimed.fence, token);
        world.leases.insert(claimed.fence.job_id, claimed.lease_expires_at);
        if world.faults && world.once_in(10) {
            world.tell("and never hears of it");
            return Ok(());
        }
        let plan = jobs::get(&world.bench.store, claimed.fence.job_id).await.map_err(text)?.plan_job_id;
        self.work = Some(Work::new(world, claimed.fence, claimed.spec_id, claimed.job_type, plan));
        Ok(())
    }
}
