//! A service with its types erased, so that services of all types stand in one table.
//!
//! Owns the order in which decoding, hooks and the handler run. It must not know names or settings: the registry
//! keeps those.

use std::time::Instant;

use futures_util::future::BoxFuture;

use crate::{Context, Description, Error, FromInput, Input, Output, Service};

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
        succeeded: &'a (dyn Fn(&Context, Instant) + Sync),
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
        succeeded: &'a (dyn Fn(&Context, Instant) + Sync),
    ) -> BoxFuture<'a, Result<Box<dyn Output>, Error>> {
        let input = S::Input::from_input(input);
        Box::pin(async move {
            let hook = self.before_handle(cx).await;
            log_hook("before_handle", cx, hook);
            let input = input?;
            self.validate_input(cx, &input)?;
            let output = self.handle(cx, input).await?;
            self.validate_output(cx, &output)?;
            let hook = self.after_handle(cx).await;
            log_hook("after_handle", cx, hook);
            succeeded(cx, Instant::now());
            let hook = self.finalize_handle(cx).await;
            log_hook("finalize_handle", cx, hook);
            let output: Box<dyn Output> = Box::new(output);
            Ok(output)
        })
    }
}

/// The hooks around a handler may not change its outcome; a log line is all that their failure leaves.
fn log_hook(hook: &'static str, cx: &Context, result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::warn!(cid = %cx.cid(), service = cx.service_name(), hook, %error, "a hook failed");
    }
}
