//! When jobs run: calendar arithmetic on the time of day.
//!
//! Owns the next run after an instant, for each type of job. It must not know a clock or a task: time is an argument.

use std::num::NonZeroU64;

use time::{Duration, OffsetDateTime};
use zato_service::JobType;

use crate::Cron;

/// How much later a one-time job runs whose time has passed already when the scheduler learns of it.
const LATE_START: Duration = Duration::seconds(10);

/// Times of cron-style jobs that have been served are not served again when the clock is put back by less than this. A
/// clock that is put back further is believed.
const SMALL_STEP_BACK: Duration = Duration::hours(3);

/// When a job runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are the types of jobs that the public API has")]
pub enum Schedule {
    /// Once, at a point in time or, if that has passed, ten seconds after the scheduler has learned of the job.
    OneTime {
        /// The point in time, UTC.
        start: OffsetDateTime,
    },
    /// At `start` and whenever another interval has passed since then.
    Interval {
        /// The first run, UTC.
        start: OffsetDateTime,
        /// How long an interval is, in seconds.
        every: NonZeroU64,
        /// After how many runs the job is done; without an end if none is given.
        repeats: Option<NonZeroU64>,
    },
    /// Whenever a cron expression says so.
    Cron(Cron),
}

/// What was done of a job so far, since it was created or edited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many times it has run.
    pub runs: u64,
    /// When the last run was due, UTC.
    pub last_due: Option<OffsetDateTime>,
}

impl Schedule {
    /// The type of jobs with such a schedule.
    #[must_use]
    pub fn job_type(&self) -> JobType {
        match self {
            Self::OneTime { .. } => JobType::OneTime,
            Self::Interval { .. } => JobType::IntervalBased,
            Self::Cron(_) => JobType::CronStyle,
        }
    }

    /// When the next run is due, as seen at `now`: at `now` itself or later, and none if the job is done.
    ///
    /// Times that passed while nobody looked are not made up for, with one exception: a one-time job still runs. Its
    /// ten seconds count from `learned`, which is when the scheduler learned of the job. A time that `progress` says was
    /// served is not served again, unless the clock was put back by more than an interval, or by three hours for a cron
    /// expression.
    #[must_use]
    pub fn next(
        &self,
        now: OffsetDateTime,
        learned: OffsetDateTime,
        progress: &Progress,
    ) -> Option<OffsetDateTime> {
        match self {
            Self::OneTime { .. } if progress.runs > 0 => None,
            Self::OneTime { start } if *start > learned => Some((*start).max(now)),
            Self::OneTime { .. } => Some(learned.checked_add(LATE_START)?.max(now)),
            Self::Interval { start, every, repeats } => {
                let every = Duration::seconds(i64::try_from(every.get()).ok()?);
                if let Some(repeats) = repeats
                    && is_over(*start, every, repeats.get(), now, progress)
                {
                    return None;
                }
                let next = next_multiple(*start, every, now)?;
                match progress.last_due {
                    Some(last) if next <= last && last - now < every => {
                        next_multiple(*start, every, last.checked_add(Duration::nanoseconds(1))?)
                    }
                    _ => Some(next),
                }
            }
            Self::Cron(cron) => {
                let served = progress.last_due.filter(|last| *last >= now && *last - now < SMALL_STEP_BACK);
                match served {
                    Some(last) => cron.next_from(last.checked_add(Duration::seconds(1))?),
                    None => cron.next_from(now),
                }
            }
        }
    }
}

/// Whether an interval-based job has had all its runs, or has missed all that were left.
fn is_over(
    start: OffsetDateTime,
    every: Duration,
    repeats: u64,
    now: OffsetDateTime,
    progress: &Progress,
) -> bool {
    let Some(left) = repeats.checked_sub(progress.runs).filter(|left| *left > 0) else { return true };
    // A series that has not begun ends as many intervals after its start as it has runs; one that has begun, after its
    // last run as many as it has left.
    let begin = progress.last_due.unwrap_or(start);
    let length = i64::try_from(left).ok().and_then(|left| every.whole_seconds().checked_mul(left));
    let end = length.and_then(|length| begin.checked_add(Duration::seconds(length)));
    end.is_some_and(|end| end < now)
}

/// The first of `start`, `start + every`, `start + 2 * every`.. that is not before `earliest`.
fn next_multiple(start: OffsetDateTime, every: Duration, earliest: OffsetDateTime) -> Option<OffsetDateTime> {
    if earliest <= start {
        return Some(start);
    }
    let (elapsed, every) = ((earliest - start).whole_nanoseconds(), every.whole_nanoseconds());
    let intervals = elapsed.checked_add(every - 1)? / every;
    let seconds = i64::try_from(intervals.checked_mul(every)? / 1_000_000_000).ok()?;
    start.checked_add(Duration::seconds(seconds))
}
