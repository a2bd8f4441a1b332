//! Follows a redirect to an arbitrary `Location`.
#![no_main]

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::header::{AUTHORIZATION, LOCATION};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::Empty;
use libfuzzer_sys::fuzz_target;
use tower_layer::Layer;
use tower_service::Service;
use zato_outgoing::layers::redirect::RedirectLayer;
use zato_outgoing::{Failure, Origin};

const START: &str = "https://example.com/a/b?c";

/// Redirects the first request, and looks at the one that comes then.
#[derive(Clone)]
struct Server(HeaderValue);

impl Service<Request<()>> for Server {
    type Response = Response<Empty<Bytes>>;
    type Error = Failure;
    type Future = std::future::Ready<Result<Self::Response, Failure>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let mut response = Response::new(Empty::new());
        if *request.uri() == START {
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert(LOCATION, self.0.clone());
        } else {
            let origin = Origin::of(request.uri()).expect("only http and https are followed");
            let own = Origin::of(&Uri::from_static(START)).expect("it is absolute");
            assert!(!request.uri().authority().is_some_and(|authority| authority.as_str().contains('@')));
            assert_eq!(request.headers().contains_key(AUTHORIZATION), origin == own);
        }
        std::future::ready(Ok(response))
    }
}

fuzz_target!(|location: &[u8]| {
    let Ok(location) = HeaderValue::from_bytes(location) else { return };
    let mut service = RedirectLayer::limit(3).layer(Server(location));
    let request = Request::get(START).header(AUTHORIZATION, "Bearer a").body(()).expect("it is valid");
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pin!(service.call(request)).poll(&mut cx).is_ready());
});
