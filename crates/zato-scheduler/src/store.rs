//! What the scheduler needs of whoever stores jobs.
//!
//! Owns how a run is claimed, so that it happens once in a cluster and restarts are survived. It must not know how
//! anything is stored.

use std::collections::HashMap;
use std::error::Error;

use futures_util::future::BoxFuture;
use time::OffsetDateTime;

use crate::Progress;

/// Why the store did not answer.
pub type StoreError = Box<dyn Error + Send + Sync>;

/// Remembers which runs were made. Shared by the servers of a cluster.
pub trait Store: Send + Sync {
    /// What was done so far of each job by its id. A job that never ran may be left out.
    ///
    /// # Errors
    /// The store is away; it is asked again.
    fn progress(&self) -> BoxFuture<'_, Result<HashMap<i64, Progress>, StoreError>>;

    /// Writes down that this server makes a run, durably, before the run begins. Of several attempts to claim the same
    /// run one succeeds, and none does from a server that is not the cluster's leader any more. A one-time job is
    /// inactive from then on.
    ///
    /// # Errors
    /// The store is away; it is asked again.
    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, StoreError>>;
}

/// A run that is about to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The job.
    pub job_id: i64,
    /// What was done of the job before this run.
    pub before: Progress,
    /// When the run was due, UTC.
    pub due: OffsetDateTime,
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the scheduler has to act on each of them")]
pub enum Claimed {
    /// The run is this server's to make.
    Granted,
    /// More, or less, was done of the job than the claim says.
    Superseded(Progress),
    /// The job is not there any more, or inactive.
    Gone,
    /// Another server makes the runs.
    NotLeader,
}
