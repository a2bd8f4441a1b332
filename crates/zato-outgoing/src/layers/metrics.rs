//! Counts calls.
//!
//! Owns the moments at which a call begins and ends for the counters, which are those of [`Metrics`]. It sits inside
//! of timing, whose record it reads, and outside of everything that may refuse a call, so that refusals are counted too.

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
/// Reads: [`Progress`], or starts one.
///
/// ```
/// use std::sync::Arc;
///
/// use http::{Request, Response};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::layers::metrics::CountLayer;
/// use zato_outgoing::{Failure, Metrics};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Failure> {
/// let metrics = Arc::new(Metrics::default());
/// let server = service_fn(async |_: Request<()>| Ok::<_, Failure>(Response::new(())));
/// CountLayer::into(Arc::clone(&metrics)).layer(server).oneshot(Request::new(())).await?;
/// assert_eq!((metrics.snapshot().calls, metrics.snapshot().in_flight), (1, 0));
/// # Ok(())
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
        let progress = request.extensions_mut().get_or_insert_with(Progress::start).clone();
        self.metrics.begin();
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
    F: Future<Output = Result<Response<R>, E>>,
    E: HasKind,
{
    type Output = Result<Response<R>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        let ending = match &result {
            Ok(response) => Ending::Reply(response.status()),
            Err(error) => Ending::Failure(error.kind()),
        };
        let Counted { metrics, progress, ended } = this.counted;
        *ended = true;
        let timing = progress.timing();
        metrics.end(ending, timing.total(), timing.phase(Phase::Queue), progress.attempts() - 1);
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
    use crate::metrics::MetricsSnapshot;

    async fn call(result: Result<u16, Failure>) -> MetricsSnapshot {
        let metrics = Arc::new(Metrics::default());
        let mut result = Some(result);
        let service = CountLayer::into(Arc::clone(&metrics)).layer(service_fn(move |request: Request<()>| {
            let result = result.take().unwrap();
            async move {
                tokio::time::sleep(Duration::from_secs(2)).await;
                let progress = request.extensions().get::<Progress>().unwrap();
                progress.next_attempt();
                progress.enter(Phase::FirstByte);
                tokio::time::sleep(Duration::from_secs(1)).await;
                result.map(|status| Response::builder().status(status).body(()).unwrap())
            }
        }));
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
        let service = CountLayer::into(Arc::clone(&metrics)).layer(service_fn(async |_: Request<()>| {
            std::future::pending::<Result<Response<()>, Failure>>().await
        }));
        let call = service.oneshot(Request::new(()));
        let timed_out = tokio::time::timeout(Duration::from_secs(1), call).await;
        assert!(timed_out.is_err());
        let snapshot = metrics.snapshot();
        assert_eq!((snapshot.calls, snapshot.in_flight, snapshot.abandoned), (1, 0, 1));
    }
}
