//! What can go wrong, as cases that a caller acts on. The server turns them into answers in one place.

use std::sync::Arc;

use alethia_domain::lifecycle::IllegalTransition;
use chrono::{DateTime, Utc};
use sea_orm::{DbErr, SqlErr};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such thing.
    #[error("there is no {noun} {key}")]
    NotFound {
        /// What was looked for: `spec`, `job`, …
        noun: &'static str,
        /// Its id or name.
        key: String,
    },
    /// What is there does not allow it.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// Something else was changed in between.
    #[error("the spec is at revision {current}, not {expected}")]
    Stale {
        /// Revision that the caller had seen.
        expected: u32,
        /// Revision that is the newest now.
        current: u32,
    },
    /// The lifecycle does not allow it.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// The attempt that wrote is over.
    #[error("attempt {attempt} of job {job_id} is over")]
    LeaseLost {
        /// The job.
        job_id: alethia_domain::ids::JobId,
        /// The attempt that is over.
        attempt: u32,
    },
    /// The Terraform state may not be changed like that.
    #[error(transparent)]
    StateRefused(#[from] StateRefusal),
    /// The database or the blob store could not be reached or did not answer; trying again may help.
    #[error("the {what} is not available")]
    Unavailable {
        /// `database` or `blob store`.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is kept makes no sense, or the configuration does not fit it.
    #[error("{0}")]
    Corrupt(String),
}

/// What is there does not allow it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The name is in use.
    #[error("the {noun} {name} already exists")]
    NameTaken {
        /// What has the name.
        noun: &'static str,
        /// The name.
        name: String,
    },
    /// A Zone that has live Specs can't be deleted.
    #[error("the zone still has {count} live specs")]
    ZoneHasSpecs {
        /// How many.
        count: u64,
    },
    /// Others claimed in the same moment: another job of the Spec, or the last free places of a Zone with a limit. Claim
    /// anew in a new transaction.
    #[error("others claimed in the same moment")]
    ClaimedMeanwhile,
    /// A job can be killed only after it was asked to end.
    #[error("the job was not asked to end before")]
    NotAsked,
    /// One attempt has left as many states as it may.
    #[error("the attempt has left {most} states already")]
    RescuedEnough {
        /// How many it may.
        most: u32,
    },
    /// What it belongs to was deleted at the same time, or what is to be deleted got something that belongs to it.
    #[error("something that belongs together was deleted or made at the same time; look again")]
    Overtaken,
    /// A Spec with something in the cloud, or with a job that is not over, can't be deleted.
    #[error("the spec {0}")]
    SpecInUse(String),
    /// A Cloud Identity that Specs use can't be deleted.
    #[error("the cloud identity {name} is used by {count} specs")]
    IdentityInUse {
        /// Its name.
        name: String,
        /// How many Specs use it.
        count: u64,
    },
    /// A Runner that a job waits for can't be removed: nobody else may have that job.
    #[error("job {job_id} is for the runner {name} alone")]
    RunnerAwaited {
        /// Name of the Runner.
        name: String,
        /// One such job.
        job_id: alethia_domain::ids::JobId,
    },
    /// The Spec already has a job that changes the cloud and is not over.
    #[error("the spec already has a pending job that changes the cloud")]
    MutatingJobPending,
    /// The key was used with another request.
    #[error("the idempotency key was used with another request")]
    IdempotencyMismatch,
    /// A chunk of the log is missing.
    #[error("the log goes on at chunk {expected}, not {got}")]
    LogGap {
        /// Number that comes next.
        expected: u64,
        /// Number that came.
        got: u64,
    },
    /// A Console that runs does not know the key.
    #[error("the key {key} is not known to the Console {consoles}")]
    KeyUnknown {
        /// Id of the key.
        key: String,
        /// Names of such Consoles.
        consoles: String,
    },
    /// A key that is needed can't be removed.
    #[error("the key {key} {what}")]
    KeyInUse {
        /// Id of the key.
        key: String,
        /// What it does.
        what: String,
    },
    /// The plan file was not uploaded, or is not the reported one.
    #[error("the plan file {0}")]
    PlanFile(&'static str),
}

/// The Terraform state may not be changed like that.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StateRefusal {
    /// Somebody else holds the lock.
    #[error("the state is locked by {}", .0.who)]
    Locked(Box<crate::states::StateLock>),
    /// The lock to release is not the one that is held.
    #[error("the state is not locked with id {0:?}")]
    WrongLock(String),
    /// The serial goes back, or is taken by other content.
    #[error("serial {got} does not follow serial {current}")]
    Serial {
        /// Serial of the newest version.
        current: u64,
        /// Serial that came.
        got: u64,
    },
    /// It is another state altogether.
    #[error("lineage {got:?} is not {current:?}")]
    Lineage {
        /// Lineage of the newest version.
        current: String,
        /// Lineage that came.
        got: String,
    },
    /// It came late, and a later job or a person changed the state meanwhile.
    #[error("the state went on without it at {0}")]
    GoneOn(DateTime<Utc>),
    /// It is no Terraform state.
    #[error("the content is no terraform state: {0}")]
    Malformed(String),
}

impl StoreError {
    /// Whether the database may be there a moment later: it does not run yet, or can't be reached. A wrong password or a
    /// name that it does not know stays as it is, and so does a file that can't be opened.
    pub fn may_pass(&self) -> bool {
        let Self::Unavailable { source, .. } = self else { return false };
        match source.downcast_ref::<sqlx::Error>() {
            // Class 57: it starts, or stops.
            Some(sqlx::Error::Database(said)) => said.code().is_some_and(|code| code.starts_with("57")),
            Some(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut) => true,
            Some(_) | None => false,
        }
    }

    /// The error of something that was done for many at once, as one of them is told.
    pub(crate) fn shared(error: &Arc<Self>) -> Self {
        match &**error {
            Self::Unavailable { what, .. } => Self::Unavailable { what, source: Box::new(error.clone()) },
            Self::Conflict(conflict) => conflict.clone().into(),
            Self::NotFound { .. }
            | Self::Stale { .. }
            | Self::Illegal(_)
            | Self::LeaseLost { .. }
            | Self::StateRefused(_)
            | Self::Corrupt(_) => Self::corrupt(error),
        }
    }

    pub(crate) fn not_found(noun: &'static str, key: impl ToString) -> Self {
        Self::NotFound { noun, key: key.to_string() }
    }

    pub(crate) fn corrupt(what: impl std::fmt::Display) -> Self {
        Self::Corrupt(what.to_string())
    }

    /// This conflict, when the database refused because something unique is there already; else the error itself.
    pub(crate) fn or_taken(self, conflict: Conflict) -> Self {
        if self.is_unique_violation() { conflict.into() } else { self }
    }

    pub(crate) fn is_unique_violation(&self) -> bool {
        matches!(self.sql_error(), Some(SqlErr::UniqueConstraintViolation(_)))
    }

    fn sql_error(&self) -> Option<SqlErr> {
        match self {
            Self::Unavailable { source, .. } => source.downcast_ref::<DbErr>().and_then(DbErr::sql_err),
            Self::NotFound { .. }
            | Self::Conflict(_)
            | Self::Stale { .. }
            | Self::Illegal(_)
            | Self::LeaseLost { .. }
            | Self::StateRefused(_)
            | Self::Corrupt(_) => None,
        }
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        if let Some(SqlErr::ForeignKeyConstraintViolation(_)) = error.sql_err() {
            return Conflict::Overtaken.into();
        }
        match error {
            DbErr::Type(message) => Self::Corrupt(format!("a column holds what it should not: {message}")),
            other => Self::Unavailable { what: "database", source: Box::new(other) },
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable { what: "database", source: Box::new(error) }
    }
}

impl From<object_store::Error> for StoreError {
    fn from(error: object_store::Error) -> Self {
        Self::Unavailable { what: "blob store", source: Box::new(error) }
    }
}
