//! A doorbell: it says that something changed, never what. Who hears it reads the tables.
//!
//! Waiting is exact when it is done in this order: [`Doorbell::listen`], read, [`Ear::heard`]. What happens after
//! `listen` is heard, also when it happens during the read. Inside one process it is a counter; on PostgreSQL NOTIFY
//! carries it to the other Consoles. A lost connection rings everything once it is back, and a slow poll of the caller
//! covers the time between.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sea_orm::sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    Result, Tx,
    db::{Query, values},
};

const CHANNEL: &str = "alethia_doorbell";
const RECONNECT_AFTER: Duration = Duration::from_secs(1);

/// What may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bell {
    /// A job may be there to be claimed.
    Queue,
    /// There are new events.
    Events,
    /// There are new log chunks.
    Logs,
}

/// Tells waiting tasks that something changed.
#[derive(Clone, Default)]
pub struct Doorbell {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    queue: watch::Sender<()>,
    events: watch::Sender<()>,
    logs: watch::Sender<()>,
    stop: CancellationToken,
    relay: Mutex<Option<JoinHandle<()>>>,
}

/// Hears one bell, from the moment it was made.
pub struct Ear(watch::Receiver<()>);

impl Bell {
    const ALL: [Self; 3] = [Self::Queue, Self::Events, Self::Logs];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Events => "events",
            Self::Logs => "logs",
        }
    }
}

impl Doorbell {
    /// Begins to hear a bell.
    pub fn listen(&self, bell: Bell) -> Ear {
        Ear(self.sender(bell).subscribe())
    }

    pub(crate) fn ring<'a>(&self, bells: impl IntoIterator<Item = &'a Bell>) {
        for bell in bells {
            self.sender(*bell).send_replace(());
        }
    }

    /// Also rings when another Console announces something.
    pub(crate) async fn relay(&self, pool: PgPool) -> Result<()> {
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(CHANNEL).await?;
        let doorbell = self.clone();
        let task = tokio::spawn(async move {
            let stop = doorbell.inner.stop.clone();
            stop.run_until_cancelled(doorbell.relay_all(pool, listener)).await;
        });
        *self.inner.relay.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        Ok(())
    }

    /// Ends the relay.
    pub(crate) fn stop(&self) {
        self.inner.stop.cancel();
    }

    /// Ends the relay and waits for its end.
    pub(crate) async fn close(&self) {
        self.stop();
        let relay = self.inner.relay.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = relay
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the doorbell's relay broke");
        }
    }

    async fn relay_all(&self, pool: PgPool, mut listener: PgListener) {
        loop {
            match listener.try_recv().await {
                Ok(Some(notification)) => self.ring_by_name(notification.payload()),
                Ok(None) => self.ring(&Bell::ALL), // the connection was lost and is back
                Err(error) => {
                    tracing::warn!(%error, "the doorbell lost its connection; it connects again");
                    listener = reconnect(&pool).await;
                    self.ring(&Bell::ALL);
                }
            }
        }
    }

    fn ring_by_name(&self, name: &str) {
        self.ring(Bell::ALL.iter().filter(|bell| bell.as_str() == name));
    }

    fn sender(&self, bell: Bell) -> &watch::Sender<()> {
        match bell {
            Bell::Queue => &self.inner.queue,
            Bell::Events => &self.inner.events,
            Bell::Logs => &self.inner.logs,
        }
    }
}

impl Ear {
    /// Returns when the bell rang since this ear was made or last returned. Wait with a timeout: a ring of another
    /// Console can be lost. Safe to cancel.
    pub async fn heard(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Tells the other Consoles, as part of the transaction: they hear it when it is committed.
pub(crate) async fn announce(tx: &Tx, bells: &BTreeSet<Bell>) -> Result<()> {
    if tx.is_postgres() {
        for bell in bells {
            tx.execute("SELECT pg_notify($1, $2)", values![CHANNEL, bell.as_str()]).await?;
        }
    }
    Ok(())
}

async fn reconnect(pool: &PgPool) -> PgListener {
    loop {
        if let Ok(mut listener) = PgListener::connect_with(pool).await
            && listener.listen(CHANNEL).await.is_ok()
        {
            return listener;
        }
        tokio::time::sleep(RECONNECT_AFTER).await;
    }
}
