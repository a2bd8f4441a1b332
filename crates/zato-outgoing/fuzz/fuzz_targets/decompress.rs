//! Decompresses arbitrary bytes, in each of the codings.
#![no_main]

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use libfuzzer_sys::fuzz_target;
use tower_layer::Layer;
use tower_service::Service;
use zato_outgoing::Failure;
use zato_outgoing::layers::decompress::DecompressLayer;

/// What the layer makes at once, in bytes.
const PIECE: usize = 16 * 1024;
/// How much of a bomb is looked at, in bytes.
const ENOUGH: usize = 16 * 1024 * 1024;

/// Replies with one body.
#[derive(Clone)]
struct Server(&'static str, Bytes);

type Body = http_body_util::combinators::MapErr<Full<Bytes>, fn(std::convert::Infallible) -> Failure>;

impl Service<Request<()>> for Server {
    type Response = Response<Body>;
    type Error = Failure;
    type Future = std::future::Ready<Result<Response<Body>, Failure>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<()>) -> Self::Future {
        let body: Body = Full::new(self.1.clone()).map_err(|never| match never {});
        let response = Response::builder().header(CONTENT_ENCODING, self.0).body(body);
        std::future::ready(Ok(response.expect("the header is valid")))
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((coding, compressed)) = data.split_first() else { return };
    let coding = ["gzip", "deflate", "br", "zstd"][usize::from(*coding) % 4];
    let server = Server(coding, Bytes::copy_from_slice(compressed));
    let mut service = DecompressLayer::accepting_all().layer(server);
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(response)) = pin!(service.call(Request::new(()))).poll(&mut cx) else {
        unreachable!("the server replies at once");
    };
    let mut body = response.into_body();
    let mut total = 0;
    // The whole body is there, so that nothing is ever waited for.
    while let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut cx) {
        let length = frame.data_ref().map_or(0, Bytes::len);
        // A body that is not compressed, because it is empty, is no piece of the layer's.
        assert!(length > 0 && length <= PIECE.max(compressed.len()));
        total += length;
        if total > ENOUGH {
            return;
        }
    }
});
