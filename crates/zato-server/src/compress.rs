//! Replies in fewer bytes, for clients that ask for that.
//!
//! Owns which replies are worth it. It must not know what they mean, nor what made them.

use std::convert::Infallible;
use std::future::ready;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, header};
use http_body::Body as _;
use http_body_util::Either;
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tower::{ServiceExt, service_fn};
use tower_http::CompressionLevel;
use tower_http::compression::predicate::SizeAbove;
use tower_http::compression::{Compression, CompressionBody};
use zato_channel::{Dispatcher, ReplyBody};

/// Below this many bytes a reply fits into a packet or two as it is.
const WORTH_IT: u64 = 1024;

/// The reply as it is will do, if nothing else will.
const UNCHANGED: HeaderValue = HeaderValue::from_static("identity;q=0.001");

/// A reply as it is, or compressed, which takes up so much that it is in a box of its own: connections move replies about.
pub(crate) type AnswerBody = Either<ReplyBody, Pin<Box<CompressionBody<ReplyBody>>>>;

pin_project! {
    /// A reply on its way, to which little is added: connections move it about.
    pub(crate) struct Answer<F> {
        #[pin]
        reply: F,
        // What the client says it understands.
        accepted: Vec<HeaderValue>,
        compressing: Option<BoxFuture<'static, Result<Response<AnswerBody>, Infallible>>>,
    }
}

/// Answers a request. The reply is compressed if it is large enough and the client says that it understands gzip or zstd;
/// clients that say nothing, and short replies, don't pay for the question.
#[inline]
pub(crate) fn answer(
    dispatcher: &Dispatcher,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Answer<impl Future<Output = Response<ReplyBody>> + use<>> {
    let accepted = request.headers().get_all(header::ACCEPT_ENCODING).into_iter().cloned().collect();
    Answer { reply: dispatcher.dispatch(request, peer), accepted, compressing: None }
}

impl<F: Future<Output = Response<ReplyBody>>> Future for Answer<F> {
    type Output = Result<Response<AnswerBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let compressing = match this.compressing {
            Some(compressing) => compressing,
            None => {
                let response = ready!(this.reply.poll(cx));
                let is_short = response.body().size_hint().exact().is_some_and(|length| length < WORTH_IT);
                if this.accepted.is_empty() || is_short {
                    return Poll::Ready(Ok(response.map(Either::Left)));
                }
                let accepted = std::mem::take(this.accepted);
                this.compressing.insert(Box::pin(compressed(accepted, response)))
            }
        };
        compressing.as_mut().poll(cx)
    }
}

async fn compressed(
    accepted: Vec<HeaderValue>,
    response: Response<ReplyBody>,
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
