//! The reaper: what it saw may be old when it acts.

use alethia_store::{
    StoreError,
    queue::{self, Expired},
};

use crate::{
    invariants::Verdict,
    world::{World, text},
};

/// Looks for attempts whose lease ended; what it saw may be old when it acts.
#[derive(Default)]
pub(crate) struct Reaper {
    seen: Vec<Expired>,
}

impl Reaper {
    pub(crate) async fn act(&mut self, world: &mut World<'_>) -> Verdict {
        match self.seen.pop() {
            Some(expired) => self.take_back(world, &expired).await,
            None => self.look(world).await,
        }
    }

    /// Looks, and takes back all that it sees.
    pub(crate) async fn sweep(&mut self, world: &mut World<'_>) -> Verdict {
        self.look(world).await?;
        while let Some(expired) = self.seen.pop() {
            self.take_back(world, &expired).await?;
        }
        Ok(())
    }

    async fn look(&mut self, world: &mut World<'_>) -> Verdict {
        if world.has_leases() {
            self.seen = queue::expired(&world.bench.store, world.now, 50).await.map_err(text)?;
        }
        Ok(())
    }

    async fn take_back(&mut self, world: &mut World<'_>, expired: &Expired) -> Verdict {
        let job = expired.fence.job_id;
        world.may_be_cut_off();
        let became = match world.take_back(expired).await {
            Ok(became) => became,
            Err(StoreError::Unavailable { .. }) => return world.nothing_happened("a loss").await,
            Err(other) => return Err(text(other)),
        };
        world.tell(format!("the reaper takes back {}: {became:?}", world.name(job)));
        if became.is_some() && world.leases.get(&job).is_none_or(|end| *end >= world.now) {
            return Err("an attempt was ended before its lease".to_owned());
        }
        if became.is_some() && !world.story.is_live(expired.fence) {
            return Err("an attempt was ended twice".to_owned());
        }
        world.read_events().await.map(drop)
    }
}
