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
//! The connection is one of sea-orm's transactions, ended right after it began: from then on BEGIN, SAVEPOINT and COMMIT
//! are statements of this module, and sqlx counts none of them. SQLite ends a transaction by itself when the disk is
//! full or can't be read. The savepoint is gone with it: the next statement here names it, fails, and with it the group.
//! So none of them may begin with SAVEPOINT, which would begin a transaction where there is none. (Nor may the member go
//! on after the statement that failed: [`super::Tx`] sees to that.)

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard, oneshot},
    time::{Instant, timeout},
};

use super::transaction::interrupted;
use crate::{Result, StoreError};

/// How long a transaction waits for its turn, and for the COMMIT after it.
const PATIENCE: Duration = Duration::from_secs(15);
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
}

/// A transaction of its own, as far as its owner can tell.
pub(super) struct Member {
    group: Group,
    /// `None` once it is over.
    writer: Option<OwnedMutexGuard<Writer>>,
}

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
        let writer = Writer {
            connection: Some(connection),
            place: Place::Outside,
            since: Instant::now(),
            kept: Vec::new(),
        };
        Ok(Self { writer: Arc::new(Mutex::new(writer)), waiting: Arc::default() })
    }

    /// Waits for the connection. A caller that goes away meanwhile changes nothing: its turn comes, and passes.
    pub(super) async fn join(&self) -> Result<Member> {
        let group = self.clone();
        group.waiting.fetch_add(1, Ordering::SeqCst);
        let turn = tokio::spawn(async move {
            let writer = group.writer.clone().lock_owned().await;
            group.waiting.fetch_sub(1, Ordering::SeqCst);
            let mut member = Member { group, writer: Some(writer) };
            member.enter().await.map(|()| member)
        });
        timeout(PATIENCE, turn).await.map_err(late)?.map_err(interrupted)?
    }

    /// Waits until nobody has the connection, and gives it back to the pool.
    pub(super) async fn close(&self) {
        let mut writer = self.writer.lock().await;
        if writer.place != Place::Outside {
            writer.undo().await;
            writer.end().await;
        }
        drop(writer.connection.take());
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
    pub(super) fn connection(&self) -> &DatabaseTransaction {
        let writer = self.writer.as_ref().expect("a member has the connection until it is over");
        writer.connection.as_ref().expect("a member enters only where there is a connection")
    }

    /// Returns when the work is durable.
    pub(super) async fn commit(mut self) -> Result<()> {
        let mut writer = self.writer.take().expect("a member has the connection until it is over");
        let (tell, told) = oneshot::channel();
        writer.keep(tell);
        self.group.pass_on(writer).await;
        let outcome = timeout(PATIENCE * 2, told).await.map_err(late)?.map_err(interrupted)?;
        outcome.map_err(|error| StoreError::Unavailable { what: "database", source: Box::new(error) })
    }

    async fn enter(&mut self) -> Result<()> {
        let writer = self.writer.as_mut().expect("a member has the connection until it is over");
        writer.enter().await
    }
}

impl Drop for Member {
    /// Also without a runtime nothing of it is ever committed: the connection is not where a member could begin.
    fn drop(&mut self) {
        if let (Some(mut writer), Ok(runtime)) = (self.writer.take(), Handle::try_current()) {
            let group = self.group.clone();
            runtime.spawn(async move {
                writer.undo().await;
                group.pass_on(writer).await;
            });
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
        member.connection().execute_unprepared(&sql).await.unwrap();
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
        let rows = member.connection().query_all_raw(statement).await.unwrap();
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
        second.connection().execute_unprepared(dangling).await.unwrap();
        assert!(second.commit().await.is_err());
        assert!(told.await.unwrap().is_err());
        let third = group.join().await.unwrap();
        write(&third, "third").await;
        third.commit().await.unwrap();
        assert_eq!(words(&group).await, ["third"]);
    }

    /// SQLite ends the transaction by itself.
    async fn fill_the_disk(member: &Member) {
        member.connection().execute_unprepared("PRAGMA max_page_count = 1").await.unwrap();
        let large = "INSERT INTO words (word) VALUES (hex(zeroblob(100000)))";
        let full = member.connection().execute_unprepared(large).await.unwrap_err().to_string();
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
    async fn a_closed_group_lets_nobody_in() {
        let (group, _pool) = group().await;
        group.close().await;
        let refused = group.join().await.err().unwrap();
        assert!(format!("{refused:?}").contains("closed"), "{refused:?}");
    }
}
