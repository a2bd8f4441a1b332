//! Measures a call.
//!
//! Owns the start and the end of the call's [`Progress`]. It is outside of every layer that takes time, so that whatever any of
//! them does counts, and it is the only one whose error type differs from that of the service inside: it adds the measurements.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::kind::{FailureKind, HasKind};
use crate::progress::{Progress, Timing as Measured};

/// Makes [`Timing`] services.
///
/// Reads: [`Progress`], or starts one. Writes: [`Progress`] for the layers inside, and into the response's extensions unless it is
/// there; it has the [timing of the reply](Progress::reply_timing) then.
///
/// ```
/// use http::{Request, Response};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::layers::timing::TimingLayer;
/// use zato_outgoing::{Failure, Phase, Progress};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = service_fn(async |request: Request<()>| {
///     // What is inside says where it is.
///     request.extensions().get::<Progress>().expect("the layer adds one").enter(Phase::FirstByte);
///     tokio::time::sleep(std::time::Duration::from_millis(5)).await;
///     Ok::<_, Failure>(Response::new(()))
/// });
/// let response = TimingLayer::new().layer(server).oneshot(Request::new(())).await?;
/// let timing = response.extensions().get().and_then(Progress::reply_timing).ok_or("not measured")?;
/// assert!(timing.total() >= timing.phase(Phase::FirstByte));
/// assert!(timing.phase(Phase::FirstByte).as_millis() >= 5);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TimingLayer;

impl TimingLayer {
    /// Measures every call.
    pub fn new() -> Self {
        Self
    }
}

impl<S> Layer<S> for TimingLayer {
    type Service = Timing<S>;

    fn layer(&self, inner: S) -> Timing<S> {
        Timing { inner }
    }
}

/// Measures the calls to `S`.
#[derive(Clone, Copy, Debug)]
pub struct Timing<S> {
    inner: S,
}

/// An error, and what had been measured when it happened.
#[derive(Debug, thiserror::Error)]
#[error("the call failed in {:?} while {phase}", timing.total(), phase = progress.phase())]
pub struct Timed<E: std::error::Error + 'static> {
    /// What went wrong.
    #[source]
    pub error: E,
    /// How long it took.
    pub timing: Measured,
    /// How far the call had got.
    pub progress: Progress,
}

impl<E: HasKind + std::error::Error + 'static> HasKind for Timed<E> {
    fn kind(&self) -> FailureKind {
        self.error.kind()
    }
}

impl<S, B, R> Service<Request<B>> for Timing<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: std::error::Error + 'static,
{
    type Response = Response<R>;
    type Error = Timed<S::Error>;
    type Future = TimingFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|error| Timed {
            error,
            timing: Measured::default(),
            progress: Progress::start(),
        })
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let progress = request.extensions_mut().get_or_insert_with(Progress::start).clone();
        TimingFuture { inner: self.inner.call(request), progress }
    }
}

pin_project! {
    /// The future of [`Timing`].
    #[derive(Debug)]
    pub struct TimingFuture<F> {
        #[pin]
        inner: F,
        progress: Progress,
    }
}

impl<F, R, E> Future for TimingFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: std::error::Error + 'static,
{
    type Output = Result<Response<R>, Timed<E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        Poll::Ready(match result {
            Ok(mut response) => {
                this.progress.set_replied();
                response.extensions_mut().get_or_insert_with(|| this.progress.clone());
                Ok(response)
            }
            Err(error) => {
                Err(Timed { error, timing: this.progress.timing(), progress: this.progress.clone() })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::io;
    use std::time::Duration;

    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::progress::Phase;

    #[tokio::test(start_paused = true)]
    async fn a_response_carries_its_timing() {
        let service = TimingLayer::new().layer(service_fn(async |request: Request<()>| {
            request.extensions().get::<Progress>().unwrap().enter(Phase::FirstByte);
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok::<_, Infallible>(Response::new(()))
        }));
        let response = service.oneshot(Request::new(())).await.unwrap();
        let timing = response.extensions().get().and_then(Progress::reply_timing).unwrap();
        assert!(timing.phase(Phase::FirstByte) >= Duration::from_millis(20));
        assert_eq!(timing.phase(Phase::Body), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_carries_its_timing() {
        let service = TimingLayer::new().layer(service_fn(async |request: Request<()>| {
            request.extensions().get::<Progress>().unwrap().enter(Phase::Tls);
            tokio::time::sleep(Duration::from_millis(20)).await;
            Err::<Response<()>, _>(io::Error::other("no"))
        }));
        let timed = service.oneshot(Request::new(())).await.unwrap_err();
        assert!(timed.timing.total() >= Duration::from_millis(20));
        assert_eq!(timed.progress.phase(), Phase::Tls);
    }
}
