//! The effect of stored jobs: the scheduler knows those that are active.
//!
//! Owns which jobs the scheduler is told about. It must not know when they run.

use std::collections::HashMap;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use zato_odb::ObjectKind;
use zato_odb::model::{Everything, Job, JobFilter, Service};
use zato_scheduler::Scheduler;
use zato_service::Error;

use super::{Cluster, Effect, logged};
use crate::error::OrError;
use crate::jobs;

/// Tells the scheduler about jobs.
pub(super) struct Jobs {
    scheduler: Scheduler,
}

impl Jobs {
    pub(super) fn new(scheduler: Scheduler) -> Self {
        Self { scheduler }
    }
}

impl Effect for Jobs {
    fn kinds(&self) -> &'static [ObjectKind] {
        &[ObjectKind::Job]
    }

    fn load_all<'a>(&'a self, stored: &'a Cluster) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let services = stored.list::<Service>(&Everything).await?;
            let services: HashMap<i64, String> =
                services.into_iter().map(|service| (service.id, service.name)).collect();
            let progress = stored.odb.all_job_progress().await.or_error()?;
            let jobs = stored.list::<Job>(&JobFilter::default()).await?;
            let active = jobs.iter().filter(|job| job.is_active).filter_map(|job| {
                let service = services.get(&job.service_id)?;
                let progress = progress.get(&job.id).copied().unwrap_or_default();
                logged(job, jobs::config(job, service, progress))
            });
            self.scheduler.replace_all(active.collect());
            Ok(())
        }
        .boxed()
    }

    fn apply<'a>(&'a self, stored: &'a Cluster, _: ObjectKind, id: i64) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let job = stored.find::<Job>(id).await?.filter(|job| job.is_active);
            let service = match &job {
                Some(job) => stored.find::<Service>(job.service_id).await?,
                None => None,
            };
            let config = match job.zip(service) {
                Some((job, service)) => {
                    let progress = stored.odb.job_progress(id).await.or_error()?;
                    logged(&job, jobs::config(&job, &service.name, progress))
                }
                None => None,
            };
            match config {
                Some(config) => self.scheduler.put(config),
                None => self.scheduler.remove(id),
            }
            Ok(())
        }
        .boxed()
    }
}
