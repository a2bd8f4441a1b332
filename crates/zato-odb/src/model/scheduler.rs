//! Jobs of the scheduler.
//!
//! Owns what a job is made of. One table holds jobs of all types: what a type does not have is absent. It must not know
//! when a job runs.

use time::OffsetDateTime;

use super::stored_as_text;
use crate::declare::stored_object;
use crate::read::NamedPerCluster;

stored_as_text! {
    /// When a job runs.
    JobType {
        /// Once.
        OneTime => "one_time",
        /// Again and again, an interval apart.
        IntervalBased => "interval_based",
        /// Whenever the clock matches a pattern.
        CronStyle => "cron_style",
    }
}

stored_object! {
    /// A job: when a service is invoked, and with what.
    pub struct Job in job {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// Whether it runs.
        is_active: bool,
        /// When it runs.
        job_type: JobType as Text<20>,
        /// Before which it does not run.
        start_date: OffsetDateTime as UtcTime,
        /// What the service is invoked with, at most 500 000 characters.
        extra: Option<String> as Option<Text<500000>>,
        /// The service that is invoked.
        service_id: i64,
        /// Part of the interval.
        weeks: Option<i32>,
        /// Part of the interval.
        days: Option<i32>,
        /// Part of the interval.
        hours: Option<i32>,
        /// Part of the interval.
        minutes: Option<i32>,
        /// Part of the interval.
        seconds: Option<i32>,
        /// How often a job with an interval runs, absent for ever.
        repeats: Option<i32>,
        /// The pattern that the clock has to match, at most 4000 characters.
        cron_definition: Option<String> as Option<Text<4000>>,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter JobFilter { service_id => ServiceId, }
}

impl NamedPerCluster for Job {}
