//! Limits how long one phase of a call may take.
//!
//! Owns the limits that are narrower than the call's own time: connecting, TLS, the first byte, and each wait for a piece of
//! the body. It sits inside of whatever may make an attempt again, and watches the record that the layers inside keep, so
//! that none of them needs a timer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};
use tower_layer::Layer;
use tower_service::Service;

use super::timeout::Elapsed;
use crate::progress::{Phase, Progress};
use crate::timer::poll_in_time;

/// How long single phases may take. What is not limited may take as long as the call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseTimeouts {
    /// Looking up the host's addresses, and then again opening the TCP connection.
    pub connect: Option<Duration>,
    /// Agreeing on TLS.
    pub tls: Option<Duration>,
    /// Sending the request and waiting for the head of the reply.
    pub first_byte: Option<Duration>,
    /// Each wait for a piece of the reply's body, streamed or not; and reading the whole body of a reply which only leads to another
    /// request, such as a redirect.
    pub idle_body: Option<Duration>,
}

impl PhaseTimeouts {
    pub(crate) fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn has_zero(&self) -> bool {
        [self.connect, self.tls, self.first_byte, self.idle_body].contains(&Some(Duration::ZERO))
    }

    fn of(&self, phase: Phase) -> Option<Duration> {
        match phase {
            Phase::Resolve | Phase::Connect => self.connect,
            Phase::Tls => self.tls,
            Phase::FirstByte => self.first_byte,
            // That of a reply on the way, which a layer inside reads before it sends another request. The body of the one that is handed
            // out is watched in `IdleBody`.
            Phase::Body => self.idle_body,
            // Waiting for a free connection has the pool's own limit, and one that another call opens has the limits of that call.
            _ => None,
        }
    }
}

/// Makes [`PhaseTimeout`] services.
///
/// Reads: [`Progress`], or starts one.
///
/// ```
/// use std::time::Duration;
///
/// use http::{Request, Response};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::layers::phase_timeout::{PhaseTimeoutLayer, PhaseTimeouts};
/// use zato_outgoing::{Failure, Phase, Progress};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let server = service_fn(async |request: Request<()>| {
///     request.extensions().get::<Progress>().expect("the layer adds one").enter(Phase::FirstByte);
///     std::future::pending::<Result<Response<http_body_util::Empty<bytes::Bytes>>, Failure>>().await
/// });
/// let limits = PhaseTimeouts { first_byte: Some(Duration::from_millis(5)), ..PhaseTimeouts::default() };
/// let error = PhaseTimeoutLayer::within(limits).layer(server).oneshot(Request::new(())).await.unwrap_err();
/// assert_eq!(error.to_string(), "timed out while waiting for the reply");
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PhaseTimeoutLayer {
    limits: PhaseTimeouts,
}

impl PhaseTimeoutLayer {
    /// Gives each phase what `limits` has for it.
    pub fn within(limits: PhaseTimeouts) -> Self {
        Self { limits }
    }
}

impl<S> Layer<S> for PhaseTimeoutLayer {
    type Service = PhaseTimeout<S>;

    fn layer(&self, inner: S) -> PhaseTimeout<S> {
        PhaseTimeout { inner, limits: self.limits }
    }
}

/// Ends the calls to `S` one phase of which takes too long.
#[derive(Clone, Copy, Debug)]
pub struct PhaseTimeout<S> {
    inner: S,
    limits: PhaseTimeouts,
}

impl<S, B, R> Service<Request<B>> for PhaseTimeout<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: From<Elapsed>,
{
    type Response = Response<IdleBody<R>>;
    type Error = S::Error;
    type Future = PhaseTimeoutFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let watch = (!self.limits.is_unlimited()).then(|| {
            let progress = request.extensions_mut().get_or_insert_with(Progress::start).clone();
            Box::new(Watch { progress, limits: self.limits, seen: None, sleep: None })
        });
        PhaseTimeoutFuture { inner: self.inner.call(request), watch, idle_body: self.limits.idle_body }
    }
}

/// The phases of a call, as far as they have been seen.
#[derive(Debug)]
struct Watch {
    progress: Progress,
    limits: PhaseTimeouts,
    /// The phase which the timer is for, and when it was entered.
    seen: Option<(Phase, u64)>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Watch {
    /// Waits until the present phase has taken too long.
    #[inline]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Elapsed> {
        let (phase, entered) = self.progress.present();
        if self.seen != Some((phase, entered)) {
            self.seen = Some((phase, entered));
            self.sleep = self.limits.of(phase).map(|limit| Box::pin(sleep(limit)));
        }
        match &mut self.sleep {
            Some(sleep) => poll_in_time(sleep.as_mut(), cx).map(|()| Elapsed { phase }),
            None => Poll::Pending,
        }
    }
}

pin_project! {
    /// The future of [`PhaseTimeout`].
    #[derive(Debug)]
    pub struct PhaseTimeoutFuture<F> {
        #[pin]
        inner: F,
        // Absent if nothing is limited. Boxed because that is how most connections are.
        watch: Option<Box<Watch>>,
        idle_body: Option<Duration>,
    }
}

impl<F, R, E> Future for PhaseTimeoutFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: From<Elapsed>,
{
    type Output = Result<Response<IdleBody<R>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(result) = this.inner.poll(cx) {
            let limit = *this.idle_body;
            return Poll::Ready(result.map(|response| response.map(|body| IdleBody::new(body, limit))));
        }
        match this.watch {
            Some(watch) => watch.poll(cx).map(|elapsed| Err(elapsed.into())),
            None => Poll::Pending,
        }
    }
}

pin_project! {
    /// A body each piece of which has to come in time.
    #[derive(Debug)]
    pub struct IdleBody<B> {
        #[pin]
        inner: B,
        limit: Option<Duration>,
        // Made when the first piece has to be waited for, and used again for the others.
        sleep: Option<Pin<Box<Sleep>>>,
        waiting: bool,
    }
}

impl<B> IdleBody<B> {
    fn new(inner: B, limit: Option<Duration>) -> Self {
        Self { inner, limit, sleep: None, waiting: false }
    }
}

impl<B> Body for IdleBody<B>
where
    B: Body,
    B::Error: From<Elapsed>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        if let Poll::Ready(frame) = this.inner.poll_frame(cx) {
            *this.waiting = false;
            return Poll::Ready(frame);
        }
        let Some(limit) = *this.limit else { return Poll::Pending };
        let timer = this.sleep.get_or_insert_with(|| Box::pin(sleep(limit)));
        if !std::mem::replace(this.waiting, true) {
            // A time that the clock can't express never comes, and that is how the timer was made.
            if let Some(end) = tokio::time::Instant::now().checked_add(limit) {
                timer.as_mut().reset(end);
            }
        }
        poll_in_time(timer.as_mut(), cx).map(|()| Some(Err(Elapsed { phase: Phase::Body }.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream::unfold;
    use http_body_util::{BodyExt, StreamBody};
    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::error::Failure;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits() -> PhaseTimeouts {
        PhaseTimeouts {
            connect: Some(SECOND * 2),
            tls: Some(SECOND * 4),
            first_byte: Some(SECOND * 8),
            idle_body: Some(SECOND * 3),
        }
    }

    /// A call that goes through `phases`, each of which takes some seconds, and the time it took.
    async fn call(limits: PhaseTimeouts, phases: &'static [(Phase, u32)]) -> (Result<(), Failure>, Duration) {
        let service = PhaseTimeoutLayer::within(limits).layer(service_fn(async |request: Request<()>| {
            let progress = request.extensions().get::<Progress>().unwrap();
            for (phase, seconds) in phases {
                progress.enter(*phase);
                sleep(SECOND * *seconds).await;
            }
            Ok::<_, Failure>(Response::new(()))
        }));
        let mut request = Request::new(());
        let progress = Progress::start();
        request.extensions_mut().insert(progress.clone());
        let result = service.oneshot(request).await.map(|_| ());
        (result, progress.timing().total())
    }

    #[track_caller]
    fn check((result, total): (Result<(), Failure>, Duration), phase: Phase, seconds: u32) {
        let Err(Failure::TimedOut { phase: timed_out }) = result else { panic!("{result:?}") };
        assert_eq!(timed_out, phase);
        // The timer has a resolution of a millisecond.
        assert!((SECOND * seconds..SECOND * seconds + SECOND / 100).contains(&total), "{total:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn each_phase_has_its_own_time() {
        use Phase::{Body, Connect, FirstByte, Queue, Resolve, Tls};
        let all = &[(Queue, 60), (Resolve, 1), (Connect, 1), (Tls, 3), (FirstByte, 7)];
        assert!(call(limits(), all).await.0.is_ok());
        check(call(limits(), &[(Resolve, 5)]).await, Resolve, 2);
        check(call(limits(), &[(Resolve, 1), (Connect, 5)]).await, Connect, 3);
        check(call(limits(), &[(Connect, 1), (Tls, 9)]).await, Tls, 5);
        check(call(limits(), &[(Tls, 1), (FirstByte, 9)]).await, FirstByte, 9);
        // A reply that only leads to another request is read on the way.
        check(call(limits(), &[(FirstByte, 1), (Body, 9)]).await, Body, 4);
        // A second connection attempt starts anew.
        assert!(call(limits(), &[(Connect, 1), (FirstByte, 7), (Connect, 1)]).await.0.is_ok());
        assert!(call(PhaseTimeouts::default(), &[(FirstByte, 600)]).await.0.is_ok());
    }

    /// Reads a body whose pieces take some seconds each, and says how many came.
    async fn read(limit: Option<Duration>, pieces: Vec<u32>) -> (usize, Option<Failure>) {
        let pieces = unfold(pieces.into_iter(), async |mut pieces| {
            sleep(SECOND * pieces.next()?).await;
            Some((Ok::<_, Failure>(Frame::data(Bytes::from_static(b"a"))), pieces))
        });
        let mut body = Box::pin(IdleBody::new(StreamBody::new(pieces), limit));
        let mut count = 0;
        loop {
            match body.frame().await {
                Some(Ok(_)) => count += 1,
                Some(Err(failure)) => return (count, Some(failure)),
                None => return (count, None),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_piece_of_a_body_has_its_own_time() {
        assert!(matches!(read(Some(SECOND * 3), vec![2, 2, 2]).await, (3, None)));
        let failure = read(Some(SECOND * 3), vec![2, 4, 2]).await;
        assert!(matches!(failure, (1, Some(Failure::TimedOut { phase: Phase::Body }))), "{failure:?}");
        for unlimited in [None, Some(Duration::MAX)] {
            assert!(matches!(read(unlimited, vec![600]).await, (1, None)));
        }
    }
}
