//! `zato.scheduler.job`: jobs, and running one out of schedule.
//!
//! Owns what a job can be and the order in which mistakes are reported. It must not know when jobs run: `jobs` says what
//! a stored one means.

use zato_catalogue::scheduler::job;
use zato_catalogue::scheduler::job::{create, edit, execute, set_active_status};
use zato_odb::model::{Job, JobType, Service};
use zato_service::{Context, Error};

use crate::change::{ConfigurationChange, Family};
use crate::error::OrError;
use crate::family::services;
use crate::field::Field;
use crate::{Admin, Handle, family, jobs};

pub(crate) struct Jobs;

impl Family for Jobs {
    type Object = Job;

    const NOUN: &'static str = "job";
    const TAKEN: &'static str = "Job";

    async fn check(_: &ConfigurationChange<'_>, job: &Job) -> Result<(), Error> {
        jobs::schedule(job).map(drop)
    }
}

services! {
    Jobs in job: delete, get_by_name, get_list;
    {
        object Job {
            is_active, job_type, start_date, service_id, extra, weeks, days, hours, minutes, seconds, repeats,
            cron_definition,
        }
        names(job) { service_name: Service = job.service_id }
    }
}

/// The job that a request describes. `found` is what is stored of it before: its id and, until the check of the name, its
/// service.
macro_rules! job {
    ($request:expr, $id:expr, $service_id:expr) => {{
        let request = $request;
        let job_type = JobType::from_text(&request.job_type)
            .ok_or_else(|| Error::bad_request(format!("Unrecognized job type [{}]", request.job_type)))?;
        let is_interval = job_type == JobType::IntervalBased;
        // A part that is zero is one that is not there.
        let number = |name: &str, value: Option<i64>| -> Result<Option<i32>, Error> {
            Field::stored(name, value.filter(|value| is_interval && *value != 0))
        };
        let is_given = |text: &String| !text.trim().is_empty();
        let cron = request.cron_definition.as_ref().filter(|_| job_type == JobType::CronStyle);
        Job {
            id: $id,
            cluster_id: request.cluster_id,
            name: request.name.clone(),
            is_active: request.is_active,
            job_type,
            start_date: request.start_date.get(),
            extra: request.extra.clone().filter(is_given),
            service_id: $service_id,
            weeks: number("weeks", request.weeks)?,
            days: number("days", request.days)?,
            hours: number("hours", request.hours)?,
            minutes: number("minutes", request.minutes)?,
            seconds: number("seconds", request.seconds)?,
            repeats: number("repeats", request.repeats)?,
            cron_definition: cron
                .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
                .filter(is_given),
        }
    }};
}

impl Handle for create::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<create::Response, Error> {
        let mut job = job!(&self, 0, 0);
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        change.check_name::<Jobs>(&job, None).await?;
        job.service_id = change.service(job.cluster_id, &self.service).await?.id;
        let Job { id, name, cron_definition, .. } = change.create::<Jobs>(job).await?;
        change.commit().await?;
        Ok(create::Response { id, name, cron_definition })
    }
}

impl Handle for edit::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<edit::Response, Error> {
        let mut job = job!(&self, self.id, 0);
        let change = ConfigurationChange::begin(admin, cx).await?;
        let stored = change.find::<Jobs>(self.id).await?;
        change.check_name::<Jobs>(&job, Some(self.id)).await?;
        job.service_id = change.service(job.cluster_id, &self.service).await?.id;
        replace(change, &stored, &job).await?;
        Ok(edit::Response { id: job.id, name: job.name, cron_definition: job.cron_definition })
    }
}

impl Handle for set_active_status::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        let change = ConfigurationChange::begin(admin, cx).await?;
        let stored = change.find::<Jobs>(self.id).await?;
        let job = Job { is_active: self.is_active, ..stored.clone() };
        replace(change, &stored, &job).await
    }
}

/// Replaces a job by one that begins anew: what was done of the one before does not count.
async fn replace(mut change: ConfigurationChange<'_>, stored: &Job, job: &Job) -> Result<(), Error> {
    change.replace::<Jobs>(stored, job).await?;
    change.tx().reset_job_progress(job.id).await.or_error()?;
    change.commit().await
}

impl Handle for execute::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<(), Error> {
        let job = family::find::<Jobs>(admin, self.id).await?;
        admin.background()?.scheduler.execute(job.id);
        Ok(())
    }
}
