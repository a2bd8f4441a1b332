//! Stored jobs and the scheduler: what a stored job means, how far it got, and the jobs that every cluster has.
//!
//! Owns the translation from a row to a schedule and the claims of runs. It must not know when anything runs.

use std::collections::HashMap;
use std::num::NonZeroU64;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use zato_odb::model::{Job, JobType};
use zato_odb::{Action, Change, JobProgress, Object, Odb, Read};
use zato_scheduler::{Claim, Claimed, Cron, JobConfig, Progress, Schedule, Store, StoreError};
use zato_service::Error;

use crate::error::not_allowed;
use crate::holds_lease;

/// Who made a change, in events.
const ACTOR: &str = "scheduler";

/// The parts of an interval, in the order in which messages name them, with how many seconds each stands for.
fn interval_parts(job: &Job) -> [(&'static str, Option<i32>, u64); 5] {
    [
        ("weeks", job.weeks, 7 * 86_400),
        ("days", job.days, 86_400),
        ("hours", job.hours, 3600),
        ("minutes", job.minutes, 60),
        ("seconds", job.seconds, 1),
    ]
}

/// When a stored job runs.
///
/// # Errors
/// Its interval, number of repeats or cron expression is none.
pub(crate) fn schedule(job: &Job) -> Result<Schedule, Error> {
    let start = job.start_date;
    Ok(match job.job_type {
        JobType::OneTime => Schedule::OneTime { start },
        JobType::IntervalBased => {
            let mut total = 0_u64;
            for (name, value, seconds) in interval_parts(job) {
                let value = value.unwrap_or_default();
                let value = u64::try_from(value).map_err(|_| not_allowed(name, value, "0 or more"))?;
                total = total.saturating_add(value.saturating_mul(seconds));
            }
            let every = NonZeroU64::new(total).ok_or_else(|| {
                Error::bad_request(
                    "At least one of ['weeks', 'days', 'hours', 'minutes', 'seconds'] must be given",
                )
            })?;
            let repeats = job.repeats.unwrap_or_default();
            let repeats = u64::try_from(repeats).map_err(|_| not_allowed("repeats", repeats, "0 or more"))?;
            Schedule::Interval { start, every, repeats: NonZeroU64::new(repeats) }
        }
        JobType::CronStyle => {
            let expression = job.cron_definition.as_deref().unwrap_or_default();
            Schedule::Cron(Cron::parse(expression).map_err(|error| Error::bad_request(error.to_string()))?)
        }
    })
}

/// A stored job as the scheduler gets it.
///
/// # Errors
/// See [`schedule`].
pub(crate) fn config(job: &Job, service: &str, progress: JobProgress) -> Result<JobConfig, Error> {
    Ok(JobConfig {
        id: job.id,
        name: job.name.as_str().into(),
        service: service.into(),
        extra: Bytes::from(job.extra.clone().unwrap_or_default()),
        schedule: schedule(job)?,
        progress: from_stored(progress),
    })
}

fn from_stored(progress: JobProgress) -> Progress {
    Progress { runs: u64::try_from(progress.runs).unwrap_or(0), last_due: progress.last_due }
}

/// Claims runs in the operational database, on behalf of one server.
#[derive(Clone, Debug)]
pub struct JobStore {
    odb: Odb,
    cluster_id: i64,
    server_id: i64,
}

impl JobStore {
    /// A store of the jobs of a cluster. `server_id` is the id of this server's row.
    #[must_use]
    pub fn new(odb: Odb, cluster_id: i64, server_id: i64) -> Self {
        Self { odb, cluster_id, server_id }
    }

    async fn decide(&self, claim: Claim) -> Result<Claimed, StoreError> {
        let mut tx = self.odb.begin().await?;
        if !holds_lease(&tx, self.cluster_id, self.server_id).await? {
            return Ok(Claimed::NotLeader);
        }
        let job = tx.find::<Job>(claim.job_id).await?;
        let Some(mut job) = job.filter(|job| job.is_active && job.cluster_id == self.cluster_id) else {
            return Ok(Claimed::Gone);
        };
        let stored = from_stored(tx.job_progress(job.id).await?);
        if stored.runs != claim.before.runs {
            return Ok(Claimed::Superseded(stored));
        }
        let runs = i64::try_from(stored.runs.saturating_add(1))?;
        tx.set_job_progress(job.id, JobProgress { runs, last_due: Some(claim.due) }).await?;
        if job.job_type == JobType::OneTime {
            job.is_active = false;
            tx.update(&job).await?;
            let change = Change {
                cluster_id: self.cluster_id,
                object: Job::KIND,
                object_id: job.id,
                action: Action::Edited,
                name: &job.name,
                cid: "",
                actor: ACTOR,
            };
            tx.record(change).await?;
        }
        tx.commit().await?;
        Ok(Claimed::Granted)
    }
}

impl Store for JobStore {
    fn progress(&self) -> BoxFuture<'_, Result<HashMap<i64, Progress>, StoreError>> {
        async move {
            let stored = self.odb.all_job_progress().await?;
            Ok(stored.into_iter().map(|(id, progress)| (id, from_stored(progress))).collect())
        }
        .boxed()
    }

    fn claim(&self, claim: Claim) -> BoxFuture<'_, Result<Claimed, StoreError>> {
        self.decide(claim).boxed()
    }
}

/// A job that a server adds at its start if there is none of its name: users may change it, and it comes back if it is
/// deleted. The job has the name of its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StartupJob {
    pub(crate) service: &'static str,
    pub(crate) minutes: Option<i32>,
    pub(crate) seconds: Option<i32>,
    pub(crate) extra: Option<&'static str>,
}

const fn every_minutes(service: &'static str, minutes: i32) -> StartupJob {
    StartupJob { service, minutes: Some(minutes), seconds: None, extra: None }
}

const fn every_seconds(service: &'static str, seconds: i32, extra: Option<&'static str>) -> StartupJob {
    StartupJob { service, minutes: None, seconds: Some(seconds), extra }
}

/// Those whose service is built are added.
pub(crate) const STARTUP_JOBS: [StartupJob; 10] = [
    every_seconds("zato.stats.process-raw-times", 90, Some("max_batch_size=99999")),
    every_seconds("zato.stats.aggregate-by-minute", 60, None),
    every_minutes("zato.stats.aggregate-by-hour", 10),
    every_minutes("zato.stats.aggregate-by-day", 60),
    every_minutes("zato.stats.aggregate-by-month", 60),
    every_minutes("zato.stats.summary.create-summary-by-day", 10),
    every_minutes("zato.stats.summary.create-summary-by-week", 10),
    every_minutes("zato.stats.summary.create-summary-by-month", 60),
    every_minutes("zato.stats.summary.create-summary-by-year", 60),
    every_minutes("zato.outgoing.sql.auto-ping", 3),
];

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn job(job_type: JobType) -> Job {
        Job {
            id: 1,
            cluster_id: 1,
            name: "job".to_owned(),
            is_active: true,
            job_type,
            start_date: datetime!(2026-01-01 00:00 UTC),
            extra: None,
            service_id: 1,
            weeks: None,
            days: None,
            hours: None,
            minutes: None,
            seconds: None,
            repeats: None,
            cron_definition: None,
        }
    }

    #[track_caller]
    fn check(job: &Job, seconds: u64, repeats: u64) {
        let Schedule::Interval { every, repeats: found, .. } = schedule(job).unwrap() else {
            panic!("{job:?}")
        };
        assert_eq!((every.get(), found.map_or(0, NonZeroU64::get)), (seconds, repeats));
    }

    #[track_caller]
    fn check_error(job: &Job, message: &str) {
        assert_eq!(schedule(job).unwrap_err().message(), message);
    }

    #[test]
    fn an_interval_is_the_sum_of_its_parts() {
        let new = job(JobType::IntervalBased);
        check(&Job { seconds: Some(1), ..new.clone() }, 1, 0);
        check(&Job { weeks: Some(1), days: Some(2), hours: Some(3), ..new.clone() }, 788_400, 0);
        check(&Job { minutes: Some(90), seconds: Some(0), repeats: Some(3), ..new.clone() }, 5_400, 3);
        check_error(&new, "At least one of ['weeks', 'days', 'hours', 'minutes', 'seconds'] must be given");
        let negative = Job { hours: Some(-1), seconds: Some(9), ..new.clone() };
        check_error(&negative, "hours [-1] is not allowed: it must be 0 or more");
        let repeats = Job { seconds: Some(9), repeats: Some(-2), ..new };
        check_error(&repeats, "repeats [-2] is not allowed: it must be 0 or more");
    }

    #[test]
    fn a_cron_style_job_needs_an_expression() {
        let new = job(JobType::CronStyle);
        let daily = Job { cron_definition: Some("@daily".to_owned()), ..new.clone() };
        assert!(matches!(schedule(&daily).unwrap(), Schedule::Cron(cron) if cron.as_str() == "@daily"));
        let message = schedule(&new).unwrap_err().message().to_owned();
        assert!(message.contains("exactly 5 whitespace-separated fields"), "{message}");
    }
}
