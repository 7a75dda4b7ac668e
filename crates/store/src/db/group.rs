//! Group commit for SQLite, which has one writer: what costs is making a COMMIT durable, so transactions that wait for
//! each other share one.
//!
//! A [`Member`] has the writing connection for itself, and works behind a savepoint. When it is done and another waits,
//! that one goes on in the same outer transaction; the last one, or the one that makes the group too large or too old,
//! runs the COMMIT, and only then does anybody's [`Member::commit`] return. A member that is dropped rolls back to its
//! savepoint and takes nobody with it; a COMMIT that fails fails all of them, and nothing of any of them happened.
//!
//! A member sees what the members before it did, which is not durable yet. So whoever answers from what it saw commits
//! first, also when it wrote nothing.
//!
//! A member that does nothing while others wait loses its turn: what it did is taken back, and it can't go on.
//!
//! The connection is one of sea-orm's transactions, ended right after it began: from then on BEGIN, SAVEPOINT and COMMIT
//! are statements of this module, and sqlx counts none of them. SQLite ends a transaction by itself when the disk is
//! full or can't be read. The savepoint is gone with it: the next statement here names it, fails, and with it the group.
//! So none of them may begin with SAVEPOINT, which would begin a transaction where there is none. (Nor may the member go
//! on after the statement that failed: [`super::Tx`] sees to that.)

use std::{
    ops::Deref,
    pin::pin,
    sync::{
        self, Arc, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait};
use tokio::{
    runtime::Handle,
    sync::{Mutex, MutexGuard, OwnedMutexGuard, oneshot},
    time::{Instant, timeout},
};

use super::transaction::interrupted;
use crate::{Result, StoreError};

/// How long a transaction waits for its turn, and for the COMMIT after it.
const PATIENCE: Duration = Duration::from_secs(15);
/// A member that does nothing for so long while others wait hangs: no transaction waits for anything but its statements.
const MOST_IDLE: Duration = Duration::from_secs(10);
/// A group takes nobody in once it has so many members, or is so old: the first of them waits for the last.
const MOST_MEMBERS: usize = 64;
const LONGEST: Duration = Duration::from_millis(10);

/// Whether the outer transaction was committed. All members share the error.
type Outcome = std::result::Result<(), Arc<DbErr>>;

/// The one connection that writes, and who waits for it.
#[derive(Clone)]
pub(super) struct Group {
    writer: Arc<Mutex<Writer>>,
    waiting: Arc<AtomicUsize>,
    /// Whose turn it is, or was.
    turn: Arc<sync::Mutex<Weak<Turn>>>,
    most_idle: Duration,
}

/// A transaction of its own, as far as its owner can tell.
pub(super) struct Member {
    group: Group,
    turn: Arc<Turn>,
}

/// The turn of a member. `None` once it is over.
struct Turn(Mutex<Option<Working>>);

struct Working {
    writer: OwnedMutexGuard<Writer>,
    /// When its last statement ended.
    since: Instant,
}

/// The connection, for one statement of the member whose turn it is.
pub(super) struct Connection<'a>(MutexGuard<'a, Option<Working>>);

struct Writer {
    /// `None` once the store is closed.
    connection: Option<DatabaseTransaction>,
    place: Place,
    since: Instant,
    /// Members whose work is in the outer transaction.
    kept: Vec<oneshot::Sender<Outcome>>,
}

/// Where the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In no transaction.
    Outside,
    /// In the work of a member, after its savepoint.
    Working,
    /// Behind what a member left: its savepoint is still there.
    Behind,
    /// At a savepoint, with nothing after it.
    Clean,
}

impl Group {
    /// Takes the pool's only connection for good.
    pub(super) async fn on(pool: &DatabaseConnection) -> Result<Self> {
        let connection = pool.begin().await?;
        connection.execute_unprepared("ROLLBACK").await?;
        // What a savepoint keeps to go back to would be a new file each time that it is more than a few pages.
        connection.execute_unprepared("PRAGMA temp_store = MEMORY").await?;
        let writer = Writer {
            connection: Some(connection),
            place: Place::Outside,
            since: Instant::now(),
            kept: Vec::new(),
        };
        Ok(Self {
            writer: Arc::new(Mutex::new(writer)),
            waiting: Arc::default(),
            turn: Arc::default(),
            most_idle: MOST_IDLE,
        })
    }

    /// Waits for the connection. A caller that goes away meanwhile changes nothing: its turn comes, and passes.
    pub(super) async fn join(&self) -> Result<Member> {
        let group = self.clone();
        group.waiting.fetch_add(1, Ordering::SeqCst);
        let turn = tokio::spawn(async move {
            let writer = group.writer().await;
            group.waiting.fetch_sub(1, Ordering::SeqCst);
            Member::enter(group, writer).await
        });
        timeout(PATIENCE, turn).await.map_err(late)?.map_err(interrupted)?
    }

    /// Waits until nobody has the connection, and gives it back to the pool.
    pub(super) async fn close(&self) {
        let mut writer = self.writer().await;
        if writer.place != Place::Outside {
            writer.undo().await;
            writer.end().await;
        }
        drop(writer.connection.take());
    }

    /// The connection, as soon as nobody has it. Whoever only sits on it is not waited for.
    async fn writer(&self) -> OwnedMutexGuard<Writer> {
        let mut free = pin!(self.writer.clone().lock_owned());
        loop {
            if let Ok(writer) = timeout(self.most_idle, free.as_mut()).await {
                return writer;
            }
            let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
            let Some(turn) = turn else { continue };
            if let Some(writer) = turn.end_idle(self.most_idle).await {
                tracing::error!("a transaction that did nothing was ended: others wait for the database");
                self.undo(writer).await;
            }
        }
    }

    /// Takes back what the member did whose turn ends.
    async fn undo(&self, mut writer: OwnedMutexGuard<Writer>) {
        writer.undo().await;
        self.pass_on(writer).await;
    }

    /// The turn of a member is over: the next one goes on, or the group ends.
    async fn pass_on(&self, mut writer: OwnedMutexGuard<Writer>) {
        let open = writer.kept.len() < MOST_MEMBERS && writer.since.elapsed() < LONGEST;
        if writer.place != Place::Outside && !(open && self.waiting.load(Ordering::SeqCst) > 0) {
            writer.end().await;
        }
    }
}

impl Member {
    async fn enter(group: Group, mut writer: OwnedMutexGuard<Writer>) -> Result<Self> {
        writer.enter().await?;
        let turn = Arc::new(Turn(Mutex::new(Some(Working { writer, since: Instant::now() }))));
        *group.turn.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&turn);
        Ok(Self { group, turn })
    }

    /// The connection, for one statement.
    pub(super) async fn connection(&self) -> std::result::Result<Connection<'_>, DbErr> {
        let working = self.turn.0.lock().await;
        if working.is_some() { Ok(Connection(working)) } else { Err(sat_idle()) }
    }

    /// Returns when the work is durable.
    pub(super) async fn commit(self) -> Result<()> {
        let mut writer = self.turn.0.lock().await.take().ok_or_else(sat_idle)?.writer;
        let (tell, told) = oneshot::channel();
        writer.keep(tell);
        self.group.pass_on(writer).await;
        let outcome = timeout(PATIENCE * 2, told).await.map_err(late)?.map_err(interrupted)?;
        outcome.map_err(|error| StoreError::Unavailable { what: "database", source: Box::new(error) })
    }
}

impl Drop for Member {
    /// Also without a runtime nothing of it is ever committed: the connection is not where a member could begin.
    fn drop(&mut self) {
        let working = self.turn.0.try_lock().ok().and_then(|mut working| working.take());
        if let (Some(Working { writer, .. }), Ok(runtime)) = (working, Handle::try_current()) {
            let group = self.group.clone();
            runtime.spawn(async move { group.undo(writer).await });
        }
    }
}

impl Turn {
    /// Ends the turn of a member that did nothing for so long. A statement of it that runs is waited for.
    async fn end_idle(&self, most_idle: Duration) -> Option<OwnedMutexGuard<Writer>> {
        let mut working = self.0.lock().await;
        working.take_if(|working| working.since.elapsed() >= most_idle).map(|working| working.writer)
    }
}

impl Deref for Connection<'_> {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        let working = self.0.as_ref().expect("it is made only in a turn, and keeps it");
        working.writer.connection.as_ref().expect("a member enters only where there is a connection")
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        if let Some(working) = self.0.as_mut() {
            working.since = Instant::now();
        }
    }
}

impl Writer {
    async fn enter(&mut self) -> Result<()> {
        let statement = match self.place {
            Place::Outside => "BEGIN IMMEDIATE; SAVEPOINT member",
            Place::Working => "ROLLBACK TO member",
            Place::Behind => "RELEASE member; SAVEPOINT member",
            Place::Clean => "",
        };
        if let Err(error) = self.run(statement).await {
            return Err(self.fail(error).await);
        }
        if self.place == Place::Outside {
            self.since = Instant::now();
        }
        self.place = Place::Working;
        Ok(())
    }

    /// Leaves the work of the member whose turn it is in the outer transaction.
    fn keep(&mut self, member: oneshot::Sender<Outcome>) {
        self.place = Place::Behind;
        self.kept.push(member);
    }

    /// Takes back what the member did whose turn it is.
    async fn undo(&mut self) {
        if self.place != Place::Working {
            return;
        }
        match self.run("ROLLBACK TO member").await {
            Ok(()) => self.place = Place::Clean,
            Err(error) => drop(self.fail(error).await),
        }
    }

    /// Makes the group durable, and tells its members.
    async fn end(&mut self) {
        let statement = if self.kept.is_empty() { "ROLLBACK" } else { "RELEASE member; COMMIT" };
        match self.run(statement).await {
            Ok(()) => self.tell(&Ok(())),
            Err(error) => drop(self.fail(error).await),
        }
    }

    /// Nothing of the group happened. SQLite may have ended the transaction by itself; then there is none to roll back.
    async fn fail(&mut self, error: DbErr) -> StoreError {
        let error = Arc::new(error);
        if let Err(none) = self.run("ROLLBACK").await {
            tracing::debug!(error = %none, "a failed group was rolled back before");
        }
        self.tell(&Err(error.clone()));
        StoreError::Unavailable { what: "database", source: Box::new(error) }
    }

    fn tell(&mut self, outcome: &Outcome) {
        self.place = Place::Outside;
        for member in self.kept.drain(..) {
            // Whoever went away meanwhile is not told.
            drop(member.send(outcome.clone()));
        }
    }

    async fn run(&self, statement: &str) -> std::result::Result<(), DbErr> {
        let closed = || DbErr::Custom("the store was closed".to_owned());
        let connection = self.connection.as_ref().ok_or_else(closed)?;
        if statement.is_empty() {
            return Ok(());
        }
        connection.execute_unprepared(statement).await.map(drop)
    }
}

fn sat_idle() -> DbErr {
    DbErr::Custom("the transaction did nothing while others waited, and was ended".to_owned())
}

fn late(error: tokio::time::error::Elapsed) -> StoreError {
    StoreError::Unavailable { what: "database", source: Box::new(error) }
}

#[cfg(test)]
mod tests {
    use sea_orm::Database;

    use super::*;

    async fn group() -> (Group, DatabaseConnection) {
        let mut options = sea_orm::ConnectOptions::new("sqlite::memory:");
        options.max_connections(1).min_connections(1).idle_timeout(Duration::MAX);
        let pool = Database::connect(options).await.unwrap();
        let tables = "CREATE TABLE words (word TEXT NOT NULL UNIQUE); CREATE TABLE things (id INTEGER PRIMARY KEY, \
            word TEXT NOT NULL REFERENCES words (word) DEFERRABLE INITIALLY DEFERRED)";
        pool.execute_unprepared(tables).await.unwrap();
        (Group::on(&pool).await.unwrap(), pool)
    }

    async fn write(member: &Member, word: &str) {
        let sql = format!("INSERT INTO words (word) VALUES ('{word}')");
        member.connection().await.unwrap().execute_unprepared(&sql).await.unwrap();
    }

    /// Lets `next` begin behind `member`, and ends the turn of `member`.
    async fn hand_over(group: &Group, member: Member) -> (tokio::task::JoinHandle<Result<()>>, Member) {
        let next = tokio::spawn({
            let group = group.clone();
            async move { group.join().await.unwrap() }
        });
        while group.waiting.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let committed = tokio::spawn(member.commit());
        (committed, next.await.unwrap())
    }

    async fn words(group: &Group) -> Vec<String> {
        let member = group.join().await.unwrap();
        let statement = sea_orm::Statement::from_string(
            sea_orm::DbBackend::Sqlite,
            "SELECT word FROM words ORDER BY word",
        );
        let rows = member.connection().await.unwrap().query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get("", "word").unwrap()).collect()
    }

    #[tokio::test]
    async fn nobody_is_told_before_the_last_of_the_group_is_done() {
        let (group, _pool) = group().await;
        let first = group.join().await.unwrap();
        write(&first, "first").await;
        let (told, second) = hand_over(&group, first).await;
        write(&second, "second").await;
        assert!(!told.is_finished(), "the group is not committed");
        second.commit().await.unwrap();
        told.await.unwrap().unwrap();
        assert_eq!(words(&group).await, ["first", "second"]);
    }

    #[tokio::test]
    async fn a_dropped_member_takes_nobody_with_it() {
        let (group, _pool) = group().await;
        let first = group.join().await.unwrap();
        write(&first, "first").await;
        let (told, second) = hand_over(&group, first).await;
        write(&second, "second").await;
        drop(second);
        told.await.unwrap().unwrap();
        assert_eq!(words(&group).await, ["first"]);
    }

    #[tokio::test]
    async fn a_dropped_first_member_leaves_the_next_a_clean_start() {
        let (group, _pool) = group().await;
        let first = group.join().await.unwrap();
        write(&first, "first").await;
        drop(first);
        let second = group.join().await.unwrap();
        write(&second, "second").await;
        second.commit().await.unwrap();
        assert_eq!(words(&group).await, ["second"]);
    }

    #[tokio::test]
    async fn a_failed_commit_fails_all_members_and_the_next_group_is_well() {
        let (group, _pool) = group().await;
        let first = group.join().await.unwrap();
        write(&first, "first").await;
        let (told, second) = hand_over(&group, first).await;
        let dangling = "INSERT INTO things (word) VALUES ('nothing')";
        second.connection().await.unwrap().execute_unprepared(dangling).await.unwrap();
        assert!(second.commit().await.is_err());
        assert!(told.await.unwrap().is_err());
        let third = group.join().await.unwrap();
        write(&third, "third").await;
        third.commit().await.unwrap();
        assert_eq!(words(&group).await, ["third"]);
    }

    /// SQLite ends the transaction by itself.
    async fn fill_the_disk(member: &Member) {
        member.connection().await.unwrap().execute_unprepared("PRAGMA max_page_count = 1").await.unwrap();
        let large = "INSERT INTO words (word) VALUES (hex(zeroblob(100000)))";
        let full =
            member.connection().await.unwrap().execute_unprepared(large).await.unwrap_err().to_string();
        assert!(full.contains("full"), "{full}");
    }

    #[tokio::test]
    async fn a_transaction_that_ended_by_itself_is_not_begun_again_by_the_next_member() {
        let (group, _pool) = group().await;
        let first = group.join().await.unwrap();
        write(&first, "first").await;
        fill_the_disk(&first).await;
        let next = tokio::spawn({
            let group = group.clone();
            async move { group.join().await.map(drop) }
        });
        while group.waiting.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        assert!(first.commit().await.is_err(), "its work is gone");
        assert!(next.await.unwrap().is_err(), "it did not begin");
        assert!(words(&group).await.is_empty());
    }

    #[tokio::test]
    async fn a_transaction_that_ended_by_itself_fails_all_members() {
        let (group, _pool) = group().await;
        let first = group.join().await.unwrap();
        write(&first, "first").await;
        let (told, second) = hand_over(&group, first).await;
        fill_the_disk(&second).await;
        assert!(second.commit().await.is_err());
        assert!(told.await.unwrap().is_err());
        assert!(words(&group).await.is_empty());
    }

    #[tokio::test]
    async fn who_goes_away_while_it_waits_keeps_nobody_from_their_turn() {
        let (group, _pool) = group().await;
        let first = group.join().await.unwrap();
        write(&first, "first").await;
        let gone = tokio::spawn({
            let group = group.clone();
            async move { group.join().await.map(drop) }
        });
        while group.waiting.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        gone.abort();
        first.commit().await.unwrap();
        assert_eq!(words(&group).await, ["first"]);
    }

    #[tokio::test]
    async fn a_member_that_does_nothing_loses_its_turn_to_those_who_wait() {
        let (group, _pool) = group().await;
        let first = group.join().await.unwrap();
        write(&first, "first").await;
        let (told, hangs) = hand_over(&group, first).await;
        write(&hangs, "hangs").await;
        let group = Group { most_idle: Duration::from_millis(20), ..group };
        let next = group.join().await.unwrap();
        write(&next, "next").await;
        next.commit().await.unwrap();
        told.await.unwrap().unwrap();
        assert!(hangs.connection().await.is_err(), "its turn is over");
        assert!(hangs.commit().await.is_err(), "its work is gone");
        assert_eq!(words(&group).await, ["first", "next"]);
    }

    #[tokio::test]
    async fn a_member_that_is_at_work_keeps_its_turn() {
        let (group, _pool) = group().await;
        let group = Group { most_idle: Duration::ZERO, ..group };
        let busy = group.join().await.unwrap();
        write(&busy, "busy").await;
        let statement = busy.connection().await.unwrap();
        let next = tokio::spawn({
            let group = group.clone();
            async move { group.join().await.map(drop) }
        });
        while group.waiting.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(!next.is_finished(), "a statement runs");
        drop(statement);
        next.await.unwrap().unwrap();
        assert!(busy.commit().await.is_err());
    }

    #[tokio::test]
    async fn a_closed_group_lets_nobody_in() {
        let (group, _pool) = group().await;
        group.close().await;
        let refused = group.join().await.err().unwrap();
        assert!(format!("{refused:?}").contains("closed"), "{refused:?}");
    }
}
