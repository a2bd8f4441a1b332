//! Replies in fewer bytes, for clients that ask for that.
//!
//! Owns which replies are worth it. It must not know what they mean, nor what made them.

use std::convert::Infallible;
use std::future::ready;
use std::net::SocketAddr;

use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body::Body as _;
use http_body_util::Either;
use hyper::body::Incoming;
use tower::{ServiceExt, service_fn};
use tower_http::CompressionLevel;
use tower_http::compression::predicate::SizeAbove;
use tower_http::compression::{Compression, CompressionBody};
use zato_channel::{Dispatcher, ReplyBody};

/// Below this many bytes a reply fits into a packet or two as it is.
const WORTH_IT: u64 = 1024;

/// A reply as it is, or compressed.
pub(crate) type AnswerBody = Either<ReplyBody, CompressionBody<ReplyBody>>;

/// Answers a request. The reply is compressed if it is large enough and the client says that it understands gzip or zstd;
/// clients that say nothing, and short replies, don't pay for the question.
pub(crate) async fn answer(
    dispatcher: Dispatcher,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Response<AnswerBody>, Infallible> {
    let accepted = accepted(request.headers());
    let response = dispatcher.dispatch(request, peer).await;
    let is_short = response.body().size_hint().exact().is_some_and(|length| length < WORTH_IT);
    if accepted.is_empty() || is_short {
        return Ok(response.map(Either::Left));
    }
    compressed(accepted, response).await
}

/// What the client says it understands.
fn accepted(headers: &HeaderMap) -> HeaderMap {
    let values = headers.get_all(header::ACCEPT_ENCODING).into_iter();
    values.map(|value: &HeaderValue| (header::ACCEPT_ENCODING, value.clone())).collect()
}

async fn compressed(
    accepted: HeaderMap,
    response: Response<ReplyBody>,
) -> Result<Response<AnswerBody>, Infallible> {
    let mut request = Request::new(());
    *request.headers_mut() = accepted;
    let mut response = Some(response);
    // It is asked once.
    let reply = service_fn(|_| ready(Ok::<_, Infallible>(response.take().unwrap_or_default())));
    let service =
        Compression::new(reply).quality(CompressionLevel::Fastest).compress_when(SizeAbove::new(WORTH_IT));
    Ok(service.oneshot(request).await?.map(Either::Right))
}
