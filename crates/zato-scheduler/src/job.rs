//! A job as the scheduler gets it.
//!
//! Owns what a job is made of. It must not know where jobs come from.

use std::sync::Arc;

use bytes::Bytes;

use crate::{Progress, Schedule};

/// An active job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobConfig {
    /// The job's id.
    pub id: i64,
    /// The job's name.
    pub name: Arc<str>,
    /// The name of the service that it runs.
    pub service: Arc<str>,
    /// What the service gets as its raw input.
    pub extra: Bytes,
    /// When it runs.
    pub schedule: Schedule,
    /// What was done of it so far.
    pub progress: Progress,
}
