//! Ends a call whose time is over.
//!
//! Owns the total time-out. It sits inside [`timing`](super::timing), which counts the time it allows, and outside
//! everything that waits: the queue for a connection, connecting, the reply and, unless it is streamed, the reply's body. It notes
//! the end of the call's time down in its record, so that nobody inside begins a wait that cannot end well.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Request;
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

use crate::error::Failure;
use crate::progress::{Phase, Progress};
use crate::timer::Timer;

/// A time-out for one call instead of the layer's own one. It travels in the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallTimeout(pub Duration);

/// A call took longer than it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("timed out while {phase}")]
pub struct Elapsed {
    /// What the call was doing.
    pub phase: Phase,
}

impl From<Elapsed> for Failure {
    fn from(elapsed: Elapsed) -> Self {
        Self::TimedOut { phase: elapsed.phase }
    }
}

/// Makes [`Timeout`] services.
///
/// Reads: [`CallTimeout`], [`Progress`].
///
/// ```
/// use std::time::Duration;
///
/// use http::{Request, Response};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::Failure;
/// use zato_outgoing::layers::timeout::{CallTimeout, TimeoutLayer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let server = service_fn(async |_: Request<()>| std::future::pending::<Result<Response<()>, Failure>>().await);
/// let mut request = Request::new(());
/// // Less than what other calls have.
/// request.extensions_mut().insert(CallTimeout(Duration::from_millis(5)));
/// let ended = TimeoutLayer::total(Duration::from_secs(10)).layer(server).oneshot(request).await;
/// assert_eq!(ended.unwrap_err().to_string(), "timed out while waiting for the reply");
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TimeoutLayer {
    total: Duration,
}

impl TimeoutLayer {
    /// Gives each call `total`, from its beginning to its end, unless the call has a [`CallTimeout`].
    pub fn total(total: Duration) -> Self {
        Self { total }
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = Timeout<S>;

    fn layer(&self, inner: S) -> Timeout<S> {
        Timeout { inner, total: self.total }
    }
}

/// Ends the calls to `S` whose time is over. Their futures are dropped, which closes what they held.
#[derive(Clone, Copy, Debug)]
pub struct Timeout<S> {
    inner: S,
    total: Duration,
}

impl<S, B> Service<Request<B>> for Timeout<S>
where
    S: Service<Request<B>>,
    S::Error: From<Elapsed>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = TimeoutFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let extensions = request.extensions();
        let total = extensions.get::<CallTimeout>().map_or(self.total, |timeout| timeout.0);
        let progress = extensions.get::<Progress>().cloned();
        let started = progress.as_ref().map_or_else(Instant::now, Progress::started);
        let timer = started.checked_add(total).map(Timer::until);
        if let Some(progress) = &progress {
            progress.set_time(total);
        }
        TimeoutFuture { inner: self.inner.call(request), timer, progress }
    }
}

pin_project! {
    /// The future of [`Timeout`].
    #[derive(Debug)]
    pub struct TimeoutFuture<F> {
        #[pin]
        inner: F,
        // Absent if the clock cannot express the end, which is thus never.
        timer: Option<Timer>,
        progress: Option<Progress>,
    }
}

impl<F, R, E> Future for TimeoutFuture<F>
where
    F: Future<Output = Result<R, E>>,
    E: From<Elapsed>,
{
    type Output = Result<R, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(result) = this.inner.poll(cx) {
            return Poll::Ready(result);
        }
        let Some(timer) = this.timer else { return Poll::Pending };
        timer.poll(cx).map(|()| {
            let phase = this.progress.as_ref().map_or(Phase::FirstByte, Progress::phase);
            Err(Elapsed { phase }.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use tower::{ServiceExt, service_fn};

    use super::*;

    const LAYER: Duration = Duration::from_secs(10);

    /// Calls a service that needs `needed` and says how it ended, and after what time.
    async fn call(needed: Duration, own: Option<Duration>) -> (Result<(), Failure>, Duration) {
        let service = TimeoutLayer::total(LAYER).layer(service_fn(async |request: Request<()>| {
            request.extensions().get::<Progress>().unwrap().enter(Phase::Connect);
            tokio::time::sleep(needed).await;
            Ok::<_, Failure>(())
        }));
        let progress = Progress::start();
        let mut request = Request::new(());
        request.extensions_mut().insert(progress.clone());
        if let Some(own) = own {
            request.extensions_mut().insert(CallTimeout(own));
        }
        let result = service.oneshot(request).await;
        (result, progress.timing().total())
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_in_time_is_left_alone() {
        assert!(call(LAYER / 2, None).await.0.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_call_ends_in_its_phase() {
        let (result, total) = call(LAYER * 2, None).await;
        assert!(matches!(result, Err(Failure::TimedOut { phase: Phase::Connect })), "{result:?}");
        assert!(total >= LAYER && total < LAYER * 2, "{total:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_may_have_more_or_less_time_of_its_own() {
        assert!(call(LAYER * 2, Some(LAYER * 3)).await.0.is_ok());
        assert!(call(LAYER / 2, Some(LAYER / 4)).await.0.is_err());
    }
}
