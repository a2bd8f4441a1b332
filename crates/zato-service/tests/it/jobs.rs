//! What a service learns when a scheduler job runs it.

use std::sync::{Arc, Mutex};

use time::macros::datetime;
use zato_service::{ChannelKind, Context, Description, Error, Input, Job, JobType, Origin, Service};

use crate::support::Fixture;

/// Writes down which hooks ran.
struct Hooked {
    seen: Arc<Mutex<Vec<&'static str>>>,
    fails_in: &'static str,
}

impl Hooked {
    fn saw(&self, hook: &'static str) -> Result<(), Error> {
        self.seen.lock().unwrap().push(hook);
        if hook == self.fails_in { Err(Error::internal("refused")) } else { Ok(()) }
    }
}

impl Service for Hooked {
    type Input = ();
    type Output = ();

    fn description(&self) -> Description {
        Description::new("hooked")
    }

    async fn before_job(&self, _: &mut Context) -> Result<(), Error> {
        self.saw("before_job")
    }

    async fn before_one_time_job(&self, _: &mut Context) -> Result<(), Error> {
        self.saw("before_one_time_job")
    }

    async fn before_interval_based_job(&self, _: &mut Context) -> Result<(), Error> {
        self.saw("before_interval_based_job")
    }

    async fn before_cron_style_job(&self, _: &mut Context) -> Result<(), Error> {
        self.saw("before_cron_style_job")
    }

    async fn before_handle(&self, _: &mut Context) -> Result<(), Error> {
        self.saw("before_handle")
    }

    async fn handle(&self, cx: &mut Context, (): ()) -> Result<(), Error> {
        if let Some(job) = cx.job() {
            assert_eq!((&*job.name, job.run, job.due), ("nightly", 3, datetime!(2026-01-02 03:04:05 UTC)));
            assert_eq!(cx.channel().as_str(), "scheduler");
        }
        self.saw("handle")
    }

    async fn after_handle(&self, _: &mut Context) -> Result<(), Error> {
        self.saw("after_handle")
    }

    async fn after_job(&self, _: &mut Context) -> Result<(), Error> {
        self.saw("after_job")
    }

    async fn after_one_time_job(&self, _: &mut Context) -> Result<(), Error> {
        self.saw("after_one_time_job")
    }

    async fn after_interval_based_job(&self, _: &mut Context) -> Result<(), Error> {
        self.saw("after_interval_based_job")
    }

    async fn after_cron_style_job(&self, _: &mut Context) -> Result<(), Error> {
        self.saw("after_cron_style_job")
    }
}

/// Runs the service as a job of a type, or as no job at all, and compares which hooks ran.
async fn check(job_type: Option<JobType>, fails_in: &'static str, succeeds: bool, expected: &[&str]) {
    let fixture = Fixture::new().await;
    let seen = Arc::default();
    let service = fixture.registry.register(Hooked { seen: Arc::clone(&seen), fails_in }).unwrap();
    let job =
        |job_type| Job { name: "nightly".into(), job_type, run: 3, due: datetime!(2026-01-02 03:04:05 UTC) };
    let channel = if job_type.is_some() { ChannelKind::Scheduler } else { ChannelKind::Invoke };
    let origin = Origin { job: job_type.map(job), ..Origin::default() };
    let mut context = fixture.environment.context(fixture.environment.new_cid(), channel, origin);
    let outcome = service.call(&mut context, Input::Empty).await;
    assert_eq!(outcome.is_ok(), succeeds, "{job_type:?} {fails_in}");
    assert_eq!(*seen.lock().unwrap(), expected, "{job_type:?} {fails_in}");
}

#[tokio::test]
async fn jobs_have_hooks_of_their_own_around_the_others() {
    check(None, "", true, &["before_handle", "handle", "after_handle"]).await;
    for (job_type, before, after) in [
        (JobType::OneTime, "before_one_time_job", "after_one_time_job"),
        (JobType::IntervalBased, "before_interval_based_job", "after_interval_based_job"),
        (JobType::CronStyle, "before_cron_style_job", "after_cron_style_job"),
    ] {
        let job_type = Some(job_type);
        let all = ["before_job", before, "before_handle", "handle", "after_handle", "after_job", after];
        check(job_type, "", true, &all).await;
        check(job_type, before, true, &all).await;
        check(job_type, after, true, &all).await;
        check(job_type, "handle", false, &all[..4]).await;
        let without_before = ["before_job", "before_handle", "handle", "after_handle", "after_job", after];
        check(job_type, "before_job", true, &without_before).await;
        check(job_type, "after_job", true, &all[..6]).await;
    }
}

#[test]
fn job_types_have_the_names_of_the_public_api() {
    for (job_type, name) in [
        (JobType::OneTime, "one_time"),
        (JobType::IntervalBased, "interval_based"),
        (JobType::CronStyle, "cron_style"),
    ] {
        assert_eq!((job_type.to_string().as_str(), JobType::from_text(name)), (name, Some(job_type)));
    }
    assert_eq!(JobType::from_text("yearly"), None);
}
