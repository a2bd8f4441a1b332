//! A layer that may be absent.
//!
//! Owns nothing but the choice, made when a stack is built, between a service with a layer and one without. It costs one
//! branch per call and per poll, and a layer that is absent costs nothing else.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

/// Applies a layer if there is one.
///
/// ```
/// use http::{Request, Response};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::Failure;
/// use zato_outgoing::layers::optional::OptionalLayer;
/// use zato_outgoing::layers::trace::TraceLayer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Failure> {
/// let server = service_fn(async |_: Request<()>| Ok::<_, Failure>(Response::new("reply")));
/// // Both stacks are of one type, so that configuration can choose.
/// for name in [Some("CRM"), None] {
///     let trace = name.map(|name| TraceLayer::named(name.into()));
///     let stack = OptionalLayer::if_some(trace).layer(server.clone());
///     assert_eq!(*stack.oneshot(Request::new(())).await?.body(), "reply");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OptionalLayer<L>(Option<L>);

impl<L> OptionalLayer<L> {
    /// Applies `layer` if it is there.
    pub fn if_some(layer: Option<L>) -> Self {
        Self(layer)
    }
}

impl<L: Layer<S>, S> Layer<S> for OptionalLayer<L> {
    type Service = Optional<L::Service, S>;

    fn layer(&self, inner: S) -> Self::Service {
        match &self.0 {
            Some(layer) => Optional::With(layer.layer(inner)),
            None => Optional::Without(inner),
        }
    }
}

/// A service with its layer or without it. There is no third possibility, so the enum is exhaustive.
#[derive(Clone, Copy, Debug)]
pub enum Optional<W, S> {
    /// The layer is there.
    With(W),
    /// It is not.
    Without(S),
}

impl<W, S, R> Service<R> for Optional<W, S>
where
    S: Service<R>,
    W: Service<R, Response = S::Response, Error = S::Error>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = OptionalFuture<W::Future, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        match self {
            Self::With(service) => service.poll_ready(cx),
            Self::Without(service) => service.poll_ready(cx),
        }
    }

    #[inline]
    fn call(&mut self, request: R) -> Self::Future {
        let state = match self {
            Self::With(service) => State::With { inner: service.call(request) },
            Self::Without(service) => State::Without { inner: service.call(request) },
        };
        OptionalFuture { state }
    }
}

pin_project! {
    /// The future of [`Optional`].
    #[derive(Debug)]
    pub struct OptionalFuture<W, S> {
        #[pin]
        state: State<W, S>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = Projected]
    enum State<W, S> {
        With {
            #[pin]
            inner: W,
        },
        Without {
            #[pin]
            inner: S,
        },
    }
}

impl<W, S> Future for OptionalFuture<W, S>
where
    S: Future,
    W: Future<Output = S::Output>,
{
    type Output = S::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            Projected::With { inner } => inner.poll(cx),
            Projected::Without { inner } => inner.poll(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;

    use http::header::AUTHORIZATION;
    use http::{Request, Uri};
    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::layers::auth::AuthLayer;
    use crate::origin::Origin;
    use zato_connections::Secret;

    async fn has_header(layer: Option<AuthLayer>) -> bool {
        let service = OptionalLayer::if_some(layer).layer(service_fn(|request: Request<()>| {
            std::future::ready(Ok::<_, Infallible>(request.headers().contains_key(AUTHORIZATION)))
        }));
        service.oneshot(Request::get("http://example.com/").body(()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn the_layer_is_there_or_not() {
        let origin = Origin::of(&Uri::from_static("http://example.com")).unwrap();
        assert!(has_header(Some(AuthLayer::basic("user", &Secret::from("secret"), Arc::new(origin)))).await);
        assert!(!has_header(None).await);
    }
}
