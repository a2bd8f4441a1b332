//! Adds the headers that every request carries: the three X-Zato ones, `Accept` and `User-Agent`.
//!
//! Owns their names and forms. A header which the request already has is left alone, so that a caller's own value wins. It
//! sits inside of whatever may make a request again, so that only what the caller gave has to be kept for that; the time stamp is
//! that of the call all the same, because the call's record has it.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use tower_layer::Layer;
use tower_service::Service;

use crate::clock::{Clock, iso};
use crate::progress::Progress;

/// The correlation id of the caller. Its value is taken from a [`Cid`](zato_cid::Cid) in the request's extensions, or from the
/// record of the call there.
pub const X_ZATO_CID: HeaderName = HeaderName::from_static("x-zato-cid");
/// Which server, process and part of it sends the request.
pub const X_ZATO_COMPONENT: HeaderName = HeaderName::from_static("x-zato-component");
/// When the call was made: UTC, ISO 8601 with microseconds and without a zone.
pub const X_ZATO_MSG_TS: HeaderName = HeaderName::from_static("x-zato-msg-ts");

/// The `User-Agent` of all requests.
pub(super) const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("zato-outgoing/", env!("CARGO_PKG_VERSION")));

/// Makes [`ZatoHeaders`] services.
///
/// Reads: [`Cid`](zato_cid::Cid), or that of [`Progress`], and [`Progress`]. Requests with one [`Progress`] state one time, without one that of the moment.
///
/// ```
/// use std::sync::Arc;
///
/// use http::{HeaderValue, Request, Response};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::layers::zato_headers::ZatoHeadersLayer;
/// use zato_outgoing::{Failure, SystemClock};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = service_fn(async |request: Request<()>| Ok::<_, Failure>(Response::new(request.headers().clone())));
/// let component = HeaderValue::from_static("parallel/esb1/esb1.example.com/21358/main");
/// let layer = ZatoHeadersLayer::if_not_present(component.clone(), Arc::new(SystemClock));
/// let mut request = Request::new(());
/// request.extensions_mut().insert("K21353002988419985838198535608".parse::<zato_cid::Cid>()?);
/// let headers = layer.layer(server).oneshot(request).await?.into_body();
/// assert_eq!(headers["X-Zato-CID"], "K21353002988419985838198535608");
/// assert_eq!(headers["X-Zato-Component"], component);
/// assert!(headers.contains_key("X-Zato-Msg-TS"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ZatoHeadersLayer(Arc<Sources>);

/// Where the values come from. They are shared, because every call has a service of its own.
#[derive(Debug)]
struct Sources {
    component: HeaderValue,
    clock: Arc<dyn Clock>,
}

impl ZatoHeadersLayer {
    /// Adds each header that a request does not have yet.
    pub fn if_not_present(component: HeaderValue, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Sources { component, clock }))
    }

    pub(crate) fn component(&self) -> &HeaderValue {
        &self.0.component
    }
}

impl<S> Layer<S> for ZatoHeadersLayer {
    type Service = ZatoHeaders<S>;

    fn layer(&self, inner: S) -> ZatoHeaders<S> {
        ZatoHeaders { inner, sources: Arc::clone(&self.0) }
    }
}

/// Adds headers to the requests of `S`.
#[derive(Clone, Debug)]
pub struct ZatoHeaders<S> {
    inner: S,
    sources: Arc<Sources>,
}

impl<S, B> Service<Request<B>> for ZatoHeaders<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> S::Future {
        let sources = &*self.sources;
        let mut headers = std::mem::take(request.headers_mut());
        let extensions = request.extensions();
        if let Some(cid) = Progress::cid_of(extensions) {
            insert_if_absent(&mut headers, X_ZATO_CID, || cid.as_str().as_bytes().try_into().ok());
        }
        insert_if_absent(&mut headers, X_ZATO_COMPONENT, || Some(sources.component.clone()));
        insert_if_absent(&mut headers, X_ZATO_MSG_TS, || {
            let now = || sources.clock.now();
            let called_at = extensions.get::<Progress>().map_or_else(now, |progress| progress.called_at(now));
            iso(called_at).as_bytes().try_into().ok()
        });
        insert_if_absent(&mut headers, ACCEPT, || Some(HeaderValue::from_static("*/*")));
        insert_if_absent(&mut headers, USER_AGENT, || Some(AGENT));
        *request.headers_mut() = headers;
        self.inner.call(request)
    }
}

/// The value is made only if it is needed. Correlation ids and times consist of characters that a header can carry, so
/// that `None` does not occur.
fn insert_if_absent(headers: &mut HeaderMap, name: HeaderName, value: impl FnOnce() -> Option<HeaderValue>) {
    if let http::header::Entry::Vacant(entry) = headers.entry(name)
        && let Some(value) = value()
    {
        entry.insert(value);
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use time::macros::datetime;
    use tower::{ServiceExt, service_fn};
    use zato_cid::Cid;

    use super::*;
    use crate::clock::fixed::FixedClock;

    const CID: &str = "K21353002988419985838198535608";

    async fn sent(request: Request<()>) -> HeaderMap {
        let layer = ZatoHeadersLayer::if_not_present(
            HeaderValue::from_static("parallel/esb1/esb1.example.com/21358/main"),
            Arc::new(FixedClock(datetime!(2013-04-26 23:41:45.271911 UTC))),
        );
        let service = layer
            .layer(service_fn(async |request: Request<()>| Ok::<_, Infallible>(request.headers().clone())));
        service.oneshot(request).await.unwrap()
    }

    fn request() -> Request<()> {
        let mut request = Request::new(());
        request.extensions_mut().insert(CID.parse::<Cid>().unwrap());
        request
    }

    #[tokio::test]
    async fn every_request_has_them() {
        let headers = sent(request()).await;
        assert_eq!(headers["X-Zato-CID"], CID);
        assert_eq!(headers["X-Zato-Component"], "parallel/esb1/esb1.example.com/21358/main");
        assert_eq!(headers["X-Zato-Msg-TS"], "2013-04-26T23:41:45.271911");
        assert_eq!(headers["Accept"], "*/*");
        assert!(headers["User-Agent"].to_str().unwrap().starts_with("zato-outgoing/"));
        assert_eq!(headers.len(), 5);
    }

    #[tokio::test]
    async fn the_callers_own_win() {
        let mut request = request();
        for name in [X_ZATO_CID, X_ZATO_COMPONENT, X_ZATO_MSG_TS, ACCEPT, USER_AGENT] {
            request.headers_mut().insert(name, HeaderValue::from_static("own"));
        }
        let headers = sent(request).await;
        assert!(headers.values().all(|value| value == "own"), "{headers:?}");
    }

    #[tokio::test]
    async fn the_correlation_id_may_be_in_the_calls_record() {
        let mut request = Request::new(());
        request.extensions_mut().insert(Progress::start_of(CID.parse().unwrap()));
        assert_eq!(sent(request).await["X-Zato-CID"], CID);
        // One of the request's own wins.
        let mut request = self::request();
        request
            .extensions_mut()
            .insert(Progress::start_of("K00000000000000000000000000001".parse().unwrap()));
        assert_eq!(sent(request).await["X-Zato-CID"], CID);
    }

    #[tokio::test]
    async fn without_a_correlation_id_there_is_no_header_for_it() {
        assert!(!sent(Request::new(())).await.contains_key(X_ZATO_CID));
    }
}
