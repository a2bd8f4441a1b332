//! Counts calls.
//!
//! Owns the moments at which a call begins and ends for the counters, which are those of [`Metrics`]. It sits outside
//! of everything that may refuse a call, so that refusals are counted too, and of [`timing`](super::timing), so that a reply
//! has been measured already.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::kind::HasKind;
use crate::metrics::{Ending, Metrics};
use crate::progress::{Phase, Progress};

/// Makes [`Count`] services.
///
/// Reads: [`Progress`], or starts one; where [`timing`](super::timing) is inside, the record has the timing of the reply, which
/// saves a look at the clock. Writes: [`Progress`] for the layers inside.
///
/// ```
/// use std::sync::Arc;
///
/// use http::{Request, Response};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::layers::metrics::CountLayer;
/// use zato_outgoing::{Failure, FailureKind, Metrics};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let server = service_fn(async |request: Request<bool>| match request.into_body() {
///     true => Ok(Response::new(())),
///     false => Err(Failure::NoReply("gone".into())),
/// });
/// let metrics = Arc::new(Metrics::default());
/// let counted = CountLayer::into(Arc::clone(&metrics)).layer(server);
/// assert!(counted.clone().oneshot(Request::new(true)).await.is_ok());
/// assert!(counted.oneshot(Request::new(false)).await.is_err());
/// let snapshot = metrics.snapshot();
/// assert_eq!((snapshot.calls, snapshot.in_flight, snapshot.latency.count()), (2, 0, 2));
/// assert!(snapshot.failures().any(|failures| failures == (FailureKind::NoReply, 1)));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CountLayer(Arc<Metrics>);

impl CountLayer {
    /// Counts in `metrics`.
    pub fn into(metrics: Arc<Metrics>) -> Self {
        Self(metrics)
    }
}

impl<S> Layer<S> for CountLayer {
    type Service = Count<S>;

    fn layer(&self, inner: S) -> Count<S> {
        Count { inner, metrics: Arc::clone(&self.0) }
    }
}

/// Counts the calls to `S`.
#[derive(Clone, Debug)]
pub struct Count<S> {
    inner: S,
    metrics: Arc<Metrics>,
}

impl<S, B, R> Service<Request<B>> for Count<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: HasKind,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = CountFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        self.metrics.begin();
        let progress = request.extensions_mut().get_or_insert_with(Progress::start).clone();
        let counted = Counted { metrics: Arc::clone(&self.metrics), progress, ended: false };
        CountFuture { inner: self.inner.call(request), counted }
    }
}

/// A call that has begun. If it is dropped before its end, the caller has lost interest.
#[derive(Debug)]
struct Counted {
    metrics: Arc<Metrics>,
    progress: Progress,
    ended: bool,
}

impl Counted {
    fn retries(&self) -> u32 {
        self.progress.attempts() - 1
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if !self.ended {
            self.metrics.abandon(self.progress.timing().phase(Phase::Queue), self.retries());
        }
    }
}

pin_project! {
    /// The future of [`Count`].
    #[derive(Debug)]
    pub struct CountFuture<F> {
        #[pin]
        inner: F,
        counted: Counted,
    }
}

impl<F, R, E> Future for CountFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: HasKind,
{
    type Output = Result<Response<R>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        let counted = this.counted;
        let (ending, measured) = match &result {
            Ok(response) => (Ending::Reply(response.status()), counted.progress.reply_timing()),
            Err(error) => (Ending::Failure(error.kind()), None),
        };
        let timing = measured.unwrap_or_else(|| counted.progress.timing());
        counted.ended = true;
        counted.metrics.end(ending, timing.total(), timing.phase(Phase::Queue), counted.retries());
        Poll::Ready(result)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::error::Failure;
    use crate::kind::FailureKind;
    use crate::layers::timing::TimingLayer;
    use crate::metrics::MetricsSnapshot;

    /// Answers after two seconds in the queue and one of waiting for the reply, in the second attempt.
    async fn server(request: Request<Result<u16, Failure>>) -> Result<Response<()>, Failure> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let progress = request.extensions().get::<Progress>().unwrap();
        progress.next_attempt();
        progress.enter(Phase::FirstByte);
        tokio::time::sleep(Duration::from_secs(1)).await;
        request.into_body().map(|status| Response::builder().status(status).body(()).unwrap())
    }

    /// What is counted of two calls, of which the first one gets a reply and the second one none.
    async fn count<S, E>(service: S) -> MetricsSnapshot
    where
        S: Service<Request<Result<u16, Failure>>, Response = Response<()>, Error = E> + Clone,
        E: HasKind,
    {
        let metrics = Arc::new(Metrics::default());
        let counted = CountLayer::into(Arc::clone(&metrics)).layer(service);
        let replied = counted.clone().oneshot(Request::new(Ok(503))).await;
        let failed = counted.oneshot(Request::new(Err(Failure::NoReply("gone".into())))).await;
        assert!(replied.is_ok() && failed.is_err());
        metrics.snapshot()
    }

    #[tokio::test(start_paused = true)]
    async fn replies_and_failures_are_the_same_measured_or_not() {
        for snapshot in
            [count(service_fn(server)).await, count(TimingLayer::new().layer(service_fn(server))).await]
        {
            assert_eq!((snapshot.calls, snapshot.in_flight, snapshot.retries), (2, 0, 2));
            assert_eq!(snapshot.replies().find(|(class, _)| *class == 5), Some((5, 1)));
            assert!(snapshot.failures().any(|counted| counted == (FailureKind::NoReply, 1)));
            assert_eq!(snapshot.queued.as_secs(), 4);
            assert_eq!(snapshot.latency.sum().as_secs(), 6);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_nobody_waits_for_any_more_is_abandoned() {
        let metrics = Arc::new(Metrics::default());
        let service =
            CountLayer::into(Arc::clone(&metrics)).layer(service_fn(async |request: Request<()>| {
                request.extensions().get::<Progress>().unwrap().next_attempt();
                std::future::pending::<Result<Response<()>, Failure>>().await
            }));
        let call = service.oneshot(Request::new(()));
        let timed_out = tokio::time::timeout(Duration::from_secs(1), call).await;
        assert!(timed_out.is_err());
        let snapshot = metrics.snapshot();
        assert_eq!((snapshot.calls, snapshot.in_flight, snapshot.abandoned), (1, 0, 1));
        // What it has cost until then is counted, too.
        assert_eq!((snapshot.retries, snapshot.queued.as_secs()), (1, 1));
    }
}
