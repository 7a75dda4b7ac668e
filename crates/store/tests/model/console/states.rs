//! States and their locks.

use alethia_domain::ids::SpecId;
use alethia_store::{
    Result,
    jobs::Fence,
    states::{self, Force, Rescue, StateLock, StateVersion},
};
use serde_json::json;

use crate::world::World;

impl World<'_> {
    /// Keeps a state that its Runner could not write in time.
    pub(crate) async fn rescue(&self, spec: SpecId, fence: Fence, content: &[u8]) -> Result<()> {
        let rescue = Rescue { spec_id: spec, fence, content };
        states::rescue(&self.bench.store, rescue, self.now).await
    }

    pub(crate) async fn lock(&self, spec: SpecId, fence: Fence, id: &str) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        states::lock(&tx, spec, fence, &json!({ "ID": id, "Who": "r" }), self.now).await?;
        self.close(tx).await
    }

    pub(crate) async fn unlock(&self, spec: SpecId, fence: Fence, id: &str) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        states::unlock(&tx, spec, fence, Some(id)).await?;
        self.close(tx).await
    }

    pub(crate) async fn forget(&self, spec: SpecId, fence: Fence, id: &str) -> Result<()> {
        let tx = self.bench.store.begin().await?;
        states::forget(&tx, spec, fence, Some(id)).await?;
        self.close(tx).await
    }

    pub(crate) async fn force_unlock(&self, spec: SpecId, id: &str, force: Force) -> Result<StateLock> {
        let tx = self.bench.store.begin().await?;
        let lock = states::force_unlock(&tx, spec, id, force).await?;
        self.close(tx).await?;
        Ok(lock)
    }

    pub(crate) async fn restore(&self, spec: SpecId, serial: u64) -> Result<StateVersion> {
        let draft = states::draft_restore(&self.bench.store, spec, serial).await?;
        let tx = self.bench.store.begin().await?;
        match states::restore(&tx, &draft, self.now).await {
            Ok(version) => self.close(tx).await.map(|()| version),
            Err(error) => {
                draft.discard(&self.bench.store).await;
                Err(error)
            }
        }
    }
}
