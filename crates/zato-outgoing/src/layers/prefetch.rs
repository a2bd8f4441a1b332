//! Reads the body of a reply before the caller gets it.
//!
//! Owns the limit on buffered bodies. It sits inside the time-out, so that reading counts, and outside everything that
//! changes a body, so that the limit is on what the caller holds in memory.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::response::Parts;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::error::Failure;

/// For how many bytes to come there is room made at once.
const RESERVED: usize = 1024 * 1024;

/// Marks a call whose reply is not to be read in advance. It travels in the request's extensions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Streamed;

/// A body is larger than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reply is larger than {limit} bytes")]
pub struct TooLarge {
    /// The limit, in bytes.
    pub limit: usize,
}

impl From<TooLarge> for Failure {
    fn from(error: TooLarge) -> Self {
        Self::TooLarge { limit: error.limit }
    }
}

/// The body of a reply, read or not.
#[derive(Debug)]
pub enum Prefetched<B> {
    /// All of it.
    Whole(Bytes),
    /// What is left of it, still to be read.
    Stream(B),
}

/// Makes [`Prefetch`] services.
///
/// A body that is not [`Unpin`] has to be pinned in a box by the service inside.
///
/// Reads: [`Streamed`].
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use http_body_util::{BodyExt, Full};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::Failure;
/// use zato_outgoing::layers::prefetch::{PrefetchLayer, Prefetched};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Failure> {
/// let server = service_fn(async |_: Request<()>| {
///     let body = Full::new(Bytes::from("reply")).map_err(|never| -> Failure { match never {} });
///     Ok::<_, Failure>(Response::new(body))
/// });
/// let reply = PrefetchLayer::limit(5).layer(server.clone()).oneshot(Request::new(())).await?;
/// assert!(matches!(reply.into_body(), Prefetched::Whole(body) if body == "reply"));
/// let refused = PrefetchLayer::limit(4).layer(server).oneshot(Request::new(())).await;
/// assert_eq!(refused.unwrap_err().to_string(), "the reply is larger than 4 bytes");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PrefetchLayer {
    limit: usize,
}

impl PrefetchLayer {
    /// Reads replies of at most `limit` bytes; a larger one is an error.
    pub fn limit(limit: usize) -> Self {
        Self { limit }
    }
}

impl<S> Layer<S> for PrefetchLayer {
    type Service = Prefetch<S>;

    fn layer(&self, inner: S) -> Prefetch<S> {
        Prefetch { inner, limit: self.limit }
    }
}

/// Reads the replies of `S`, except those of calls marked with [`Streamed`].
#[derive(Clone, Copy, Debug)]
pub struct Prefetch<S> {
    inner: S,
    limit: usize,
}

impl<S, B, R> Service<Request<B>> for Prefetch<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: From<TooLarge> + From<R::Error>,
    R: Body<Data = Bytes> + Unpin,
{
    type Response = Response<Prefetched<R>>;
    type Error = S::Error;
    type Future = PrefetchFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let streamed = request.extensions().get::<Streamed>().is_some();
        let limit = (!streamed).then_some(self.limit);
        PrefetchFuture { state: State::Head { inner: self.inner.call(request), limit } }
    }
}

pin_project! {
    /// The future of [`Prefetch`].
    #[derive(Debug)]
    pub struct PrefetchFuture<F, R> {
        #[pin]
        state: State<F, R>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = Projected]
    enum State<F, R> {
        // Waiting for the head of the reply.
        Head {
            #[pin]
            inner: F,
            // Absent if the reply is to be streamed.
            limit: Option<usize>,
        },
        // Waiting for more of its body. Boxed because most bodies come with their heads, and each layer outside moves this future.
        Reading { reading: Option<Box<Reading<R>>> },
    }
}

/// A reply whose body is being read.
#[derive(Debug)]
struct Reading<R> {
    head: Parts,
    body: R,
    collected: Collected,
}

impl<R: Body<Data = Bytes> + Unpin> Reading<R> {
    /// Reads what is there.
    fn poll<E>(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), E>>
    where
        E: From<TooLarge> + From<R::Error>,
    {
        while let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(cx)?) {
            // Trailers are not part of the body and nobody asks for them.
            if let Ok(data) = frame.into_data() {
                self.collected.push(data, self.body.size_hint().lower())?;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn into_response(self) -> Response<Prefetched<R>> {
        Response::from_parts(self.head, Prefetched::Whole(self.collected.into_bytes()))
    }
}

impl<F, R, E> Future for PrefetchFuture<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body<Data = Bytes> + Unpin,
    E: From<TooLarge> + From<R::Error>,
{
    type Output = Result<Response<Prefetched<R>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        match state.as_mut().project() {
            Projected::Head { inner, limit } => {
                let response = ready!(inner.poll(cx))?;
                let Some(limit) = *limit else {
                    return Poll::Ready(Ok(response.map(Prefetched::Stream)));
                };
                let (head, body) = response.into_parts();
                if body.size_hint().lower() > limit as u64 {
                    return Poll::Ready(Err(TooLarge { limit }.into()));
                }
                let mut reading = Reading { head, body, collected: Collected::with_limit(limit) };
                if reading.poll::<E>(cx)?.is_ready() {
                    return Poll::Ready(Ok(reading.into_response()));
                }
                state.set(State::Reading { reading: Some(Box::new(reading)) });
                Poll::Pending
            }
            Projected::Reading { reading } => {
                let Some(present) = reading else { return Poll::Pending };
                ready!(present.poll::<E>(cx))?;
                // One that is polled after it has ended has nothing more to say.
                reading.take().map_or(Poll::Pending, |reading| Poll::Ready(Ok(reading.into_response())))
            }
        }
    }
}

/// What has been read of a body. Most replies are one piece, which is kept as it came; a second one makes a copy.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    first: Bytes,
    rest: BytesMut,
    limit: usize,
}

impl Collected {
    pub(crate) fn with_limit(limit: usize) -> Self {
        Self { first: Bytes::new(), rest: BytesMut::new(), limit }
    }

    /// Adds a piece, of which at least `remaining` bytes are announced to follow.
    pub(crate) fn push(&mut self, data: Bytes, remaining: u64) -> Result<(), TooLarge> {
        let length = self.first.len() + self.rest.len() + data.len();
        let announced = usize::try_from(remaining).unwrap_or(usize::MAX).saturating_add(length);
        if announced > self.limit {
            return Err(TooLarge { limit: self.limit });
        }
        if self.rest.is_empty() && self.first.is_empty() {
            self.first = data;
        } else {
            if self.rest.is_empty() {
                // What the other side announces is trusted only as far as it is small; growing a larger buffer is cheap enough.
                self.rest.reserve(announced.min(length.saturating_add(RESERVED)));
                self.rest.extend_from_slice(&std::mem::take(&mut self.first));
            }
            self.rest.extend_from_slice(&data);
        }
        Ok(())
    }

    /// Sets another limit, which holds from the next piece on.
    pub(crate) fn limit_to(&mut self, limit: usize) {
        self.limit = limit;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_empty() && self.rest.is_empty()
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        if self.rest.is_empty() { self.first } else { self.rest.freeze() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use http::{HeaderValue, StatusCode};
    use http_body::Frame;
    use tower::{ServiceExt, service_fn};

    use super::*;

    /// A body which yields its pieces one a poll, each after a poll that yields nothing.
    #[derive(Debug)]
    struct Scripted {
        pieces: VecDeque<Result<&'static str, Failure>>,
        pending: bool,
    }

    impl Body for Scripted {
        type Data = Bytes;
        type Error = Failure;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
            self.pending = !self.pending;
            if self.pending {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let piece = self.pieces.pop_front();
            Poll::Ready(piece.map(|piece| piece.map(|text| Frame::data(Bytes::from_static(text.as_bytes())))))
        }
    }

    async fn call(
        pieces: Vec<Result<&'static str, Failure>>,
        streamed: bool,
    ) -> Result<Response<Prefetched<Scripted>>, Failure> {
        let mut pieces = Some(pieces);
        let service = PrefetchLayer::limit(6).layer(service_fn(move |_: Request<()>| {
            let pieces = pieces.take().unwrap_or_default().into();
            let mut response = Response::new(Scripted { pieces, pending: false });
            *response.status_mut() = StatusCode::CREATED;
            response.headers_mut().insert("a", HeaderValue::from_static("b"));
            std::future::ready(Ok::<_, Failure>(response))
        }));
        let mut request = Request::new(());
        if streamed {
            request.extensions_mut().insert(Streamed);
        }
        service.oneshot(request).await
    }

    #[track_caller]
    fn check(result: Result<Response<Prefetched<Scripted>>, Failure>, expected: &str) {
        let response = result.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers()["a"], "b");
        let Prefetched::Whole(body) = response.into_body() else { panic!("not read") };
        assert_eq!(body, expected);
    }

    #[tokio::test]
    async fn bodies_of_any_number_of_pieces_are_read() {
        check(call(vec![], false).await, "");
        check(call(vec![Ok("abc")], false).await, "abc");
        check(call(vec![Ok("ab"), Ok("cd"), Ok("ef")], false).await, "abcdef");
        check(call(vec![Ok(""), Ok("ab"), Ok("c")], false).await, "abc");
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_an_error() {
        let result = call(vec![Ok("abcd"), Ok("efg")], false).await;
        assert!(matches!(result, Err(Failure::TooLarge { limit: 6 })), "{result:?}");
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_an_error() {
        let result = call(vec![Ok("abcd"), Err(Failure::CutOff("reset".into()))], false).await;
        assert!(matches!(result, Err(Failure::CutOff(_))), "{result:?}");
    }

    #[tokio::test]
    async fn a_streamed_body_is_left_alone() {
        let response = call(vec![Ok("a body of any size")], true).await.unwrap();
        let Prefetched::Stream(body) = response.into_body() else { panic!("read") };
        assert_eq!(body.pieces.len(), 1);
    }

    #[test]
    fn an_announced_length_over_the_limit_is_refused_at_once() {
        let mut collected = Collected::with_limit(10);
        assert_eq!(collected.push(Bytes::from_static(b"a"), 10), Err(TooLarge { limit: 10 }));
        assert_eq!(collected.push(Bytes::from_static(b"a"), u64::MAX), Err(TooLarge { limit: 10 }));
    }
}
