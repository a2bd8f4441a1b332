//! Counts calls.
//!
//! Owns the moments at which a call begins and ends for the counters, which are those of [`Metrics`]. It sits outside
//! of [`timing`](super::timing), which measures what it counts, and of everything that may refuse a call, so that refusals are
//! counted too.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::kind::HasKind;
use crate::layers::timing::Timed;
use crate::metrics::{Ending, Metrics};
use crate::progress::{Phase, Progress, Timing};

/// Makes [`Count`] services.
///
/// Reads: [`Timing`] and [`Progress`] from the response; without them it counts a call that took no time and one attempt.
///
/// ```
/// use std::sync::Arc;
///
/// use http::{Request, Response};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::layers::metrics::CountLayer;
/// use zato_outgoing::layers::timing::TimingLayer;
/// use zato_outgoing::{Failure, Metrics};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let metrics = Arc::new(Metrics::default());
/// let server = service_fn(async |_: Request<()>| Ok::<_, Failure>(Response::new(())));
/// let measured = TimingLayer::new().layer(server);
/// let reply = CountLayer::into(Arc::clone(&metrics)).layer(measured).oneshot(Request::new(())).await;
/// assert!(reply.is_ok());
/// assert_eq!((metrics.snapshot().calls, metrics.snapshot().in_flight), (1, 0));
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

impl<S, B, R, E> Service<Request<B>> for Count<S>
where
    S: Service<Request<B>, Response = Response<R>, Error = Timed<E>>,
    E: HasKind + Error + 'static,
{
    type Response = Response<R>;
    type Error = Timed<E>;
    type Future = CountFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Timed<E>>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.metrics.begin();
        let counted = Counted { metrics: Arc::clone(&self.metrics), ended: false };
        CountFuture { inner: self.inner.call(request), counted }
    }
}

/// A call that has begun. If it is dropped before its end, the caller has lost interest.
#[derive(Debug)]
struct Counted {
    metrics: Arc<Metrics>,
    ended: bool,
}

impl Drop for Counted {
    fn drop(&mut self) {
        if !self.ended {
            self.metrics.abandon();
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
    F: Future<Output = Result<Response<R>, Timed<E>>>,
    E: HasKind + Error + 'static,
{
    type Output = Result<Response<R>, Timed<E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        let (ending, timing, progress) = match &result {
            Ok(response) => {
                let extensions = response.extensions();
                let timing = extensions.get::<Timing>().copied().unwrap_or_default();
                (Ending::Reply(response.status()), timing, extensions.get())
            }
            Err(timed) => (Ending::Failure(timed.error.kind()), timed.timing, Some(&timed.progress)),
        };
        let retries = progress.map_or(0, |progress: &Progress| progress.attempts() - 1);
        this.counted.ended = true;
        this.counted.metrics.end(ending, timing.total(), timing.phase(Phase::Queue), retries);
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

    async fn call(result: Result<u16, Failure>) -> MetricsSnapshot {
        let metrics = Arc::new(Metrics::default());
        let mut result = Some(result);
        let measured = TimingLayer::new().layer(service_fn(move |request: Request<()>| {
            let result = result.take().unwrap();
            async move {
                tokio::time::sleep(Duration::from_secs(2)).await;
                let progress = request.extensions().get::<Progress>().unwrap();
                progress.next_attempt();
                progress.enter(Phase::FirstByte);
                tokio::time::sleep(Duration::from_secs(1)).await;
                result.map(|status| {
                    let response = Response::builder().status(status).extension(progress.clone());
                    response.body(()).unwrap()
                })
            }
        }));
        let service = CountLayer::into(Arc::clone(&metrics)).layer(measured);
        let _result = service.oneshot(Request::new(())).await;
        metrics.snapshot()
    }

    #[tokio::test(start_paused = true)]
    async fn replies_and_failures() {
        let snapshot = call(Ok(503)).await;
        assert_eq!((snapshot.calls, snapshot.in_flight, snapshot.retries), (1, 0, 1));
        assert_eq!(snapshot.replies().find(|(class, _)| *class == 5), Some((5, 1)));
        assert_eq!(snapshot.queued.as_secs(), 2);
        assert_eq!(snapshot.latency.sum().as_secs(), 3);
        let snapshot = call(Err(Failure::NoReply("gone".into()))).await;
        assert!(snapshot.failures().any(|counted| counted == (FailureKind::NoReply, 1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_nobody_waits_for_any_more_is_abandoned() {
        let metrics = Arc::new(Metrics::default());
        let measured = TimingLayer::new().layer(service_fn(async |_: Request<()>| {
            std::future::pending::<Result<Response<()>, Failure>>().await
        }));
        let service = CountLayer::into(Arc::clone(&metrics)).layer(measured);
        let call = service.oneshot(Request::new(()));
        let timed_out = tokio::time::timeout(Duration::from_secs(1), call).await;
        assert!(timed_out.is_err());
        let snapshot = metrics.snapshot();
        assert_eq!((snapshot.calls, snapshot.in_flight, snapshot.abandoned), (1, 0, 1));
    }
}
