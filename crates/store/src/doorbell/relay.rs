//! What keeps the bells of several Consoles together, and knows whether the database answers.
//!
//! Three tasks of one store, which joins them when it closes: `hear` listens for rings of others; `tell` sends ours, many
//! in one notification, and asks the database for a sign of life every second; `look` reads every few seconds what
//! changed in the tables and rings for it. What is lost between two Consoles (a broken connection, one that dies after
//! its commit) is rung again by `look`, for exactly what changed: a lost connection does not wake everybody.
//!
//! Both connections are the relay's own, outside the pools: a busy Console is not taken for one without a database.

use std::{
    collections::{BTreeSet, HashMap},
    io,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use alethia_domain::ids::JobId;
use sqlx::{
    Connection, Executor, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::{Bell, Doorbell, Rings};
use crate::{
    Result, Store,
    db::{Inner, Query, values},
    events,
};

const CHANNEL: &str = "alethia_doorbell";
/// How often the tables are looked at: how late a ring is at most that was lost on its way.
const SLOW_POLL: Duration = Duration::from_secs(5);
/// How often the database is asked for a sign of life, and how long it may take to give one.
const PING_EVERY: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(3);
/// Pause before the database is asked again that gave none.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// Rings that come while one is told are told together; this is the shortest time from one to the next.
const TOGETHER: Duration = Duration::from_millis(4);
/// Longest that one look may take.
const LOOK_TIME: Duration = Duration::from_secs(30);
const EVENTS: u16 = 1000;

/// The relay of a store.
pub(crate) struct Relay {
    stop: CancellationToken,
    tasks: TaskTracker,
    shared: Arc<Shared>,
}

struct Shared {
    doorbell: Doorbell,
    /// Tells our own notifications from those of others.
    name: String,
    began: Instant,
    /// How long the last of our own notifications took to come back, in microseconds.
    lag: AtomicU64,
    available: watch::Sender<bool>,
    /// Asks for a look at once.
    look: Notify,
}

/// What the tables said when they were looked at last.
struct Seen {
    /// Number of the last event.
    event: i64,
    /// Number of the last chunk of each log that is being written.
    chunks: HashMap<JobId, (i64, i64)>,
}

impl Relay {
    pub(crate) fn new(doorbell: Doorbell) -> Self {
        let shared = Shared {
            doorbell,
            name: Uuid::new_v4().simple().to_string(),
            began: Instant::now(),
            lag: AtomicU64::new(0),
            available: watch::Sender::new(true),
            look: Notify::new(),
        };
        Self { stop: CancellationToken::new(), tasks: TaskTracker::new(), shared: Arc::new(shared) }
    }

    /// Begins to work for a store whose newest event is this one, before anybody listens; with a pool where there may be
    /// other Consoles.
    pub(crate) fn start(&self, store: Weak<Inner>, newest: i64, postgres: Option<PgPool>) {
        self.spawn(look(Arc::clone(&self.shared), store, Seen::until(newest)));
        if let Some(pool) = postgres {
            let options = pool.connect_options();
            self.shared.doorbell.inner.outbox.open();
            self.spawn(hear(Arc::clone(&self.shared), PgConnectOptions::clone(&options)));
            self.spawn(tell(Arc::clone(&self.shared), PgConnectOptions::clone(&options)));
        }
        self.tasks.close();
    }

    /// Whether the database answered when it was asked last.
    pub(crate) fn available(&self) -> watch::Receiver<bool> {
        self.shared.available.subscribe()
    }

    /// How long a ring takes to come to another Console; zero where there can be none.
    pub(crate) fn lag(&self) -> Duration {
        Duration::from_micros(self.shared.lag.load(Ordering::Relaxed))
    }

    /// Ends the tasks.
    pub(crate) fn stop(&self) {
        self.shared.doorbell.inner.outbox.close();
        self.stop.cancel();
    }

    /// Ends the tasks and waits for their end.
    pub(crate) async fn close(&self) {
        self.stop();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.run_until_cancelled(task).await;
        });
    }
}

impl Shared {
    fn set_available(&self, available: bool) {
        let changed =
            self.available.send_if_modified(|known| std::mem::replace(known, available) != available);
        if changed && available {
            tracing::info!("the database answers again");
            self.look.notify_one();
        }
    }

    /// One notification: who sends it and when, then the bells.
    fn print(&self, bells: &BTreeSet<Bell>) -> String {
        let mut text = self.heading();
        for bell in bells {
            match bell {
                Bell::Queue => text += " queue",
                Bell::Events => text += " events",
                Bell::Job(job) => text += &format!(" {}", job.0.simple()),
            }
        }
        text
    }

    fn heading(&self) -> String {
        format!("{}:{}", self.name, self.began.elapsed().as_micros())
    }

    fn heard(&self, text: &str) {
        let mut words = text.split(' ');
        let heading = words.next().and_then(|heading| heading.split_once(':'));
        if let Some((_, sent)) = heading.filter(|(name, _)| *name == self.name) {
            self.note_lag(sent);
            return;
        }
        for word in words {
            match word {
                "queue" => self.doorbell.ring_here(&[Bell::Queue]),
                "events" => self.doorbell.ring_here(&[Bell::Events]),
                "everything" => self.look.notify_one(),
                job => match Uuid::parse_str(job) {
                    Ok(job) => self.doorbell.ring_here(&[Bell::Job(JobId(job))]),
                    Err(_) => self.look.notify_one(), // of a later version
                },
            }
        }
    }

    fn note_lag(&self, sent: &str) {
        let now = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.lag.store(now.saturating_sub(sent.parse().unwrap_or(now)), Ordering::Relaxed);
    }
}

/// Listens for rings of others; what was missed while the connection was lost is looked up.
async fn hear(shared: Arc<Shared>, options: PgConnectOptions) {
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE).connect_lazy_with(options);
    loop {
        if let Err(error) = hear_until_lost(&shared, &pool).await {
            tracing::debug!(%error, "the doorbell has no connection; it connects again");
        }
        sleep(RETRY_AFTER).await;
    }
}

async fn hear_until_lost(shared: &Shared, pool: &PgPool) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    shared.look.notify_one();
    while let Some(notification) = listener.try_recv().await? {
        shared.heard(notification.payload());
    }
    Ok(())
}

/// Tells others of our rings, and finds out whether the database answers.
async fn tell(shared: Arc<Shared>, options: PgConnectOptions) {
    let mut line = None;
    loop {
        let _filled_or_time_to_ask =
            timeout(PING_EVERY, shared.doorbell.inner.outbox.filled.notified()).await;
        let rings = shared.doorbell.inner.outbox.take();
        let told = timeout(PATIENCE, say(&shared, &options, line.take(), &rings)).await;
        let pause = match told.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into())) {
            Ok(connection) => {
                line = Some(connection);
                shared.set_available(true);
                TOGETHER
            }
            Err(error) => {
                if *shared.available.borrow() {
                    tracing::error!(%error, "the database is not available; it is asked until it is");
                }
                shared.doorbell.inner.outbox.give_back();
                shared.set_available(false);
                RETRY_AFTER
            }
        };
        sleep(pause).await;
    }
}

async fn say(
    shared: &Shared,
    options: &PgConnectOptions,
    line: Option<PgConnection>,
    rings: &Rings,
) -> sqlx::Result<PgConnection> {
    let mut line = match line {
        Some(line) => line,
        None => connect(options).await?,
    };
    let text = match rings {
        Rings::These(bells) if bells.is_empty() => None,
        Rings::Unwanted => None,
        Rings::These(bells) => Some(shared.print(bells)),
        Rings::Everything => Some(format!("{} queue events everything", shared.heading())),
    };
    match text {
        Some(text) => {
            let notify = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(text);
            line.execute(notify).await?;
        }
        None => line.ping().await?,
    }
    Ok(line)
}

/// A ring that is lost when the database dies is no loss: nothing waits for it to be durable.
async fn connect(options: &PgConnectOptions) -> sqlx::Result<PgConnection> {
    let mut line = PgConnection::connect_with(options).await?;
    line.execute("SET synchronous_commit = off").await?;
    Ok(line)
}

/// Looks into the tables now and then, and whenever rings may have been missed.
async fn look(shared: Arc<Shared>, store: Weak<Inner>, mut seen: Seen) {
    loop {
        let _asked_or_time_to_look = timeout(SLOW_POLL, shared.look.notified()).await;
        let Some(store) = Store::upgrade(&store) else { return };
        match timeout(LOOK_TIME, seen.catch_up(&store)).await {
            Ok(Ok(bells)) => shared.doorbell.ring_here(&bells),
            Ok(Err(error)) => tracing::debug!(%error, "the tables were not looked at"),
            Err(_) => tracing::debug!("a look at the tables took too long"),
        }
    }
}

impl Seen {
    fn until(event: i64) -> Self {
        Self { event, chunks: HashMap::new() }
    }

    /// What changed since the last look. The queue is always looked at: time alone lets a job be claimed that was held
    /// back.
    async fn catch_up(&mut self, store: &Store) -> Result<BTreeSet<Bell>> {
        let mut bells = BTreeSet::from([Bell::Queue]);
        self.events(store, &mut bells).await?;
        self.chunks(store, &mut bells).await?;
        Ok(bells)
    }

    async fn events(&mut self, store: &Store, bells: &mut BTreeSet<Bell>) -> Result<()> {
        let settled = events::settled(store).await?;
        loop {
            let sql = "SELECT id, job_id FROM events WHERE id > $1 AND id <= $3 ORDER BY id LIMIT $2";
            let rows = store.all(sql, values![self.event, EVENTS, settled]).await?;
            for row in &rows {
                self.event = row.get("id")?;
                bells.insert(Bell::Events);
                bells.extend(row.optional_id("job_id")?.map(Bell::Job));
            }
            if rows.len() < usize::from(EVENTS) {
                return Ok(());
            }
        }
    }

    /// A log that has ended has an event that says so.
    async fn chunks(&mut self, store: &Store, bells: &mut BTreeSet<Bell>) -> Result<()> {
        let sql = "SELECT a.job_id, a.attempt, a.last_sequence FROM provision_jobs j \
            JOIN job_attempts a ON a.job_id = j.id AND a.attempt = j.attempt WHERE j.lease_expires_at IS NOT NULL";
        let mut now = HashMap::new();
        for row in store.all(sql, values![]).await? {
            let (job, place) = (row.id("job_id")?, (row.get("attempt")?, row.get("last_sequence")?));
            if self.chunks.get(&job) != Some(&place) {
                bells.insert(Bell::Job(job));
            }
            now.insert(job, place);
        }
        self.chunks = now;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alethia_domain::event::EventChange;
    use chrono::DateTime;

    use super::*;
    use crate::{StoreConfig, events::NewEvent};

    #[tokio::test]
    async fn what_one_relay_tells_another_one_rings() {
        let (one, other) = (Relay::new(Doorbell::default()), Relay::new(Doorbell::default()));
        let job = JobId::generate();
        let mut ears =
            [Bell::Queue, Bell::Events, Bell::Job(job)].map(|bell| other.shared.doorbell.listen(bell));
        let text = one.shared.print(&BTreeSet::from([Bell::Queue, Bell::Events, Bell::Job(job)]));
        other.shared.heard(&text);
        for ear in &mut ears {
            ear.heard().await;
        }
        let own = one.shared.doorbell.listen(Bell::Job(job));
        one.shared.heard(&text);
        assert_eq!(own.count(), 0, "its own rings were heard here already");
    }

    /// As of another Console, before this one hears its rings.
    #[tokio::test]
    async fn what_happened_before_the_first_look_is_rung_by_it() {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig::in_folder(folder.path()).unwrap();
        let store = Store::open(&config, DateTime::UNIX_EPOCH).await.unwrap();
        let (mut seen, job) = (Seen::until(events::latest(&store).await.unwrap()), JobId::generate());
        let change = EventChange::JobProgressed { step: "plan".to_owned(), done: 1, total: 9 };
        let tx = store.begin().await.unwrap();
        events::append(&tx, NewEvent { at: DateTime::UNIX_EPOCH, spec_id: None, job_id: Some(job), change });
        tx.commit().await.unwrap();
        let rung = seen.catch_up(&store).await.unwrap();
        assert_eq!(rung, BTreeSet::from([Bell::Queue, Bell::Events, Bell::Job(job)]));
        assert_eq!(seen.catch_up(&store).await.unwrap(), BTreeSet::from([Bell::Queue]), "once");
        store.close().await;
    }

    #[test]
    fn as_many_bells_as_are_told_one_by_one_fit_into_a_notification() {
        let relay = Relay::new(Doorbell::default());
        let bells = (0..super::super::MOST_BELLS).map(|_| Bell::Job(JobId::generate())).collect();
        assert!(relay.shared.print(&bells).len() < 8000);
    }
}
