//! Replies in fewer bytes, for clients that ask for that.
//!
//! Owns which replies are worth it. It must not know what they mean, nor what made them.

use std::convert::Infallible;
use std::net::SocketAddr;

use http::{Request, Response, header};
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
/// clients that say nothing don't pay for the question.
pub(crate) async fn answer(
    dispatcher: Dispatcher,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Response<AnswerBody>, Infallible> {
    if !request.headers().contains_key(header::ACCEPT_ENCODING) {
        return Ok(dispatcher.dispatch(request, peer).await.map(Either::Left));
    }
    let answer = |request| {
        let dispatcher = dispatcher.clone();
        async move { Ok::<_, Infallible>(dispatcher.dispatch(request, peer).await) }
    };
    let service = Compression::new(service_fn(answer))
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(WORTH_IT));
    Ok(service.oneshot(request).await?.map(Either::Right))
}
