//! The one of the layers that add credentials which a connection is configured with.
//!
//! Owns nothing but that choice, made when a stack is built: HTTP authentication is by a fixed header, by OAuth 2.0 or by
//! Digest, or there is none.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Request;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::auth::Auth;
use super::digest::Digest;
use super::oauth::OAuth;
use crate::body::Body;

/// A service `S` with its HTTP authentication; `T` fetches tokens.
#[derive(Clone, Debug)]
pub(crate) enum Authentication<S, T> {
    Nothing(S),
    Header(Auth<S>),
    OAuth(OAuth<S, T>),
    Digest(Digest<S>),
}

impl<S, T> Service<Request<Body>> for Authentication<S, T>
where
    S: Service<Request<Body>>,
    OAuth<S, T>: Service<Request<Body>, Response = S::Response, Error = S::Error>,
    Digest<S>: Service<Request<Body>, Response = S::Response, Error = S::Error>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = AuthenticationFuture<
        S::Future,
        <OAuth<S, T> as Service<Request<Body>>>::Future,
        <Digest<S> as Service<Request<Body>>>::Future,
    >;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        match self {
            Self::Nothing(service) => service.poll_ready(cx),
            Self::Header(service) => service.poll_ready(cx),
            Self::OAuth(service) => service.poll_ready(cx),
            Self::Digest(service) => service.poll_ready(cx),
        }
    }

    #[inline]
    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self {
            Self::Nothing(service) => AuthenticationFuture::Same { inner: service.call(request) },
            Self::Header(service) => AuthenticationFuture::Same { inner: service.call(request) },
            Self::OAuth(service) => AuthenticationFuture::OAuth { inner: service.call(request) },
            Self::Digest(service) => AuthenticationFuture::Digest { inner: service.call(request) },
        }
    }
}

pin_project! {
    /// The future of [`Authentication`].
    #[project = Projected]
    pub(crate) enum AuthenticationFuture<S, O, D> {
        // That of the service inside, which a fixed header does not change.
        Same {
            #[pin]
            inner: S,
        },
        OAuth {
            #[pin]
            inner: O,
        },
        Digest {
            #[pin]
            inner: D,
        },
    }
}

impl<S, O, D> Future for AuthenticationFuture<S, O, D>
where
    S: Future,
    O: Future<Output = S::Output>,
    D: Future<Output = S::Output>,
{
    type Output = S::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Projected::Same { inner } => inner.poll(cx),
            Projected::OAuth { inner } => inner.poll(cx),
            Projected::Digest { inner } => inner.poll(cx),
        }
    }
}
