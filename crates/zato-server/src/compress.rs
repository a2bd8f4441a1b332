//! Replies in fewer bytes, for clients that ask for that.
//!
//! Owns which replies are worth it, and that HTTP/2 gets no body where there is to be none. It must not know what they mean, nor what made them.

use std::convert::Infallible;
use std::future::ready;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Method, Request, Response, Version, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Either;
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tower::{ServiceExt, service_fn};
use tower_http::CompressionLevel;
use tower_http::compression::predicate::SizeAbove;
use tower_http::compression::{Compression, CompressionBody};
use zato_channel::{BrokenOff, Dispatcher, Memory, ReplyBody};

/// Below this many bytes a reply fits into a packet or two as it is.
const WORTH_IT: u64 = 1024;

/// About what compressing takes up until a reply has been sent, in bytes. It is zstd that needs as much.
const MEMORY: usize = 1024 * 1024;

/// The reply as it is will do, if nothing else will.
const UNCHANGED: HeaderValue = HeaderValue::from_static("identity;q=0.001");

/// A reply as it is, or compressed, which takes up so much that it is in a box of its own: connections move replies about.
pub(crate) type AnswerBody = Either<ReplyBody, Pin<Box<CompressionBody<Source>>>>;

pin_project! {
    /// A reply on its way, to which little is added: connections move it about.
    pub(crate) struct Answer<F> {
        #[pin]
        reply: F,
        // Absent if the client says nothing of what it understands.
        wish: Option<Wish>,
        // Whether the head is all that the client wants, which HTTP/1 sees to by itself.
        is_head_of_http2: bool,
        compressing: Option<BoxFuture<'static, Result<Response<AnswerBody>, Infallible>>>,
    }
}

/// What a client would like its reply to be.
struct Wish {
    /// What it says it understands.
    accepted: Vec<HeaderValue>,
    dispatcher: Dispatcher,
}

/// Answers a request. The reply is compressed if it is large enough, there is memory for that, and the client says that it
/// understands gzip or zstd; clients that say nothing, and short replies, don't pay for the question.
#[inline]
pub(crate) fn answer(
    dispatcher: &Dispatcher,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Answer<impl Future<Output = Response<ReplyBody>> + use<>> {
    let headers = request.headers();
    let wish = headers.contains_key(header::ACCEPT_ENCODING).then(|| Wish {
        accepted: headers.get_all(header::ACCEPT_ENCODING).into_iter().cloned().collect(),
        dispatcher: dispatcher.clone(),
    });
    let is_head_of_http2 = request.version() == Version::HTTP_2 && request.method() == Method::HEAD;
    Answer { reply: dispatcher.dispatch(request, peer), wish, is_head_of_http2, compressing: None }
}

impl<F: Future<Output = Response<ReplyBody>>> Future for Answer<F> {
    type Output = Result<Response<AnswerBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let compressing = match this.compressing {
            Some(compressing) => compressing,
            None => {
                let response = ready!(this.reply.poll(cx));
                if *this.is_head_of_http2 {
                    return Poll::Ready(Ok(without_body(response)));
                }
                let is_short = response.body().size_hint().exact().is_some_and(|length| length < WORTH_IT);
                let wish = this.wish.take().filter(|_| !is_short);
                let memory = wish.as_ref().and_then(|wish| wish.dispatcher.take_memory(MEMORY));
                let (Some(Wish { accepted, .. }), Some(memory)) = (wish, memory) else {
                    return Poll::Ready(Ok(response.map(Either::Left)));
                };
                let response = response.map(|reply| Source { reply, _memory: Some(memory) });
                this.compressing.insert(Box::pin(compressed(accepted, response)))
            }
        };
        compressing.as_mut().poll(cx)
    }
}

/// The head of a response, with the length of the body that it would have had (RFC 9110, 9.3.2).
fn without_body(response: Response<ReplyBody>) -> Response<AnswerBody> {
    let length = response.body().size_hint().exact();
    let mut response = response.map(|_| Either::Left(ReplyBody::default()));
    if let Some(length) = length.filter(|length| *length > 0) {
        response.headers_mut().entry(header::CONTENT_LENGTH).or_insert_with(|| length.into());
    }
    response
}

async fn compressed(
    accepted: Vec<HeaderValue>,
    response: Response<Source>,
) -> Result<Response<AnswerBody>, Infallible> {
    let mut request = Request::new(());
    // The service has run, so whoever refuses the reply as it is gets it nevertheless (RFC 9110, 12.5.3). The first word counts.
    for value in [UNCHANGED].into_iter().chain(accepted) {
        request.headers_mut().append(header::ACCEPT_ENCODING, value);
    }
    let mut response = Some(response);
    // It is asked once.
    let reply = service_fn(|_| ready(Ok::<_, Infallible>(response.take().unwrap_or_default())));
    let service =
        Compression::new(reply).quality(CompressionLevel::Fastest).compress_when(SizeAbove::new(WORTH_IT));
    Ok(service.oneshot(request).await?.map(|body| Either::Right(Box::pin(body))))
}

/// A reply as it is, and the memory for compressing it.
#[derive(Default)]
pub(crate) struct Source {
    reply: ReplyBody,
    _memory: Option<Memory>,
}

impl Body for Source {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        Pin::new(&mut self.reply).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.reply.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.reply.size_hint()
    }
}
