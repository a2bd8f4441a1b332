//! The scheduler job that a call is a run of.
//!
//! Owns the facts that a service learns about it. It must not know when jobs run or where they are stored.

use std::fmt;
use std::sync::Arc;

use time::OffsetDateTime;

/// What makes a job run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a service has a pair of hooks for each of them")]
pub enum JobType {
    /// A point in time.
    OneTime,
    /// The end of an interval, again and again.
    IntervalBased,
    /// A cron expression.
    CronStyle,
}

impl JobType {
    /// The name that the public API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OneTime => "one_time",
            Self::IntervalBased => "interval_based",
            Self::CronStyle => "cron_style",
        }
    }

    /// The type of a name of the public API, `None` if there is no such type.
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::OneTime, Self::IntervalBased, Self::CronStyle]
            .into_iter()
            .find(|job_type| job_type.as_str() == text)
    }
}

impl fmt::Display for JobType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One run of a scheduler job. The job's `extra` is the call's raw input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The job's name.
    pub name: Arc<str>,
    /// What makes the job run.
    pub job_type: JobType,
    /// The number of this run, counted from 1 since the job was created or edited; 0 for a run out of schedule.
    pub run: u64,
    /// When the run was due, UTC. It begins a little later.
    pub due: OffsetDateTime,
}
