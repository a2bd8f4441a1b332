//! A service with its types erased, so that services of all types stand in one table.
//!
//! Owns the order in which decoding, hooks and the handler run. It must not know names or settings: the registry
//! keeps those.

use std::time::Instant;

use futures_util::future::BoxFuture;

use crate::{Context, Description, Error, FromInput, Input, JobType, Output, Service};

/// What is told that a service had its output, and when.
pub(crate) type Succeeded<'a> = dyn Fn(&Context, Instant, &dyn Output) + Sync + 'a;

/// An object-safe [`Service`].
pub(crate) trait Endpoint: Send + Sync {
    fn description(&self) -> Description;

    fn accept(&self, cx: &Context) -> bool;

    /// Decodes the input at once, so that the future borrows nothing of the request. `succeeded` learns when the
    /// service had its output.
    fn call<'a>(
        &'a self,
        cx: &'a mut Context,
        input: &Input<'_>,
        succeeded: &'a Succeeded<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Output>, Error>>;
}

impl<S: Service> Endpoint for S {
    fn description(&self) -> Description {
        Service::description(self)
    }

    fn accept(&self, cx: &Context) -> bool {
        Service::accept(self, cx)
    }

    fn call<'a>(
        &'a self,
        cx: &'a mut Context,
        input: &Input<'_>,
        succeeded: &'a Succeeded<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Output>, Error>> {
        let input = S::Input::from_input(input);
        Box::pin(async move {
            before_job(self, cx).await;
            let hook = self.before_handle(cx).await;
            log_hook("before_handle", cx, &hook);
            let input = input?;
            self.validate_input(cx, &input)?;
            let output = self.handle(cx, input).await?;
            self.validate_output(cx, &output)?;
            let hook = self.after_handle(cx).await;
            log_hook("after_handle", cx, &hook);
            after_job(self, cx).await;
            succeeded(cx, Instant::now(), &output);
            let hook = self.finalize_handle(cx).await;
            log_hook("finalize_handle", cx, &hook);
            let output: Box<dyn Output> = Box::new(output);
            Ok(output)
        })
    }
}

/// Runs the hooks of a scheduler job that come before its run, if the call is one.
async fn before_job<S: Service>(service: &S, cx: &mut Context) {
    let Some(job_type) = cx.job().map(|job| job.job_type) else { return };
    let hook = service.before_job(cx).await;
    if !log_hook("before_job", cx, &hook) {
        return;
    }
    match job_type {
        JobType::OneTime => {
            let hook = service.before_one_time_job(cx).await;
            log_hook("before_one_time_job", cx, &hook);
        }
        JobType::IntervalBased => {
            let hook = service.before_interval_based_job(cx).await;
            log_hook("before_interval_based_job", cx, &hook);
        }
        JobType::CronStyle => {
            let hook = service.before_cron_style_job(cx).await;
            log_hook("before_cron_style_job", cx, &hook);
        }
    }
}

/// Runs the hooks of a scheduler job that come after a successful run, if the call is one.
async fn after_job<S: Service>(service: &S, cx: &mut Context) {
    let Some(job_type) = cx.job().map(|job| job.job_type) else { return };
    let hook = service.after_job(cx).await;
    if !log_hook("after_job", cx, &hook) {
        return;
    }
    match job_type {
        JobType::OneTime => {
            let hook = service.after_one_time_job(cx).await;
            log_hook("after_one_time_job", cx, &hook);
        }
        JobType::IntervalBased => {
            let hook = service.after_interval_based_job(cx).await;
            log_hook("after_interval_based_job", cx, &hook);
        }
        JobType::CronStyle => {
            let hook = service.after_cron_style_job(cx).await;
            log_hook("after_cron_style_job", cx, &hook);
        }
    }
}

/// The hooks around a handler may not change its outcome; a log line is all that their failure leaves. Says whether the
/// hook succeeded.
fn log_hook(hook: &'static str, cx: &Context, result: &Result<(), Error>) -> bool {
    if let Err(error) = result {
        let causes = error.causes_in_line();
        tracing::warn!(cid = %cx.cid(), service = cx.service_name(), hook, %error, causes, "a hook failed");
    }
    result.is_ok()
}
