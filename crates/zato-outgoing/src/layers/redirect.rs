//! Follows redirects.
//!
//! Owns the rules by which a redirected request differs from the original one, which are those of the `requests` library of
//! Python. It sits outside of cookies and auth, which look at each hop anew, and inside of decompression, because only the
//! last reply has a body that anybody reads.

use std::future::Future;
use std::pin::Pin;
use std::str::Utf8Error;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use ::url::Url;
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, LOCATION, PROXY_AUTHORIZATION,
    TRANSFER_ENCODING,
};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Body;
use hyper::ext::ReasonPhrase;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::replay::{Kept, TryClone};
use super::soap::Unwrapped;
use crate::connect::Peer;
use crate::error::{Failure, Source};
use crate::origin::Origin;
use crate::progress::Progress;

/// How much of a redirect's own body is read so that its connection can be used again, in bytes. A longer one closes the
/// connection.
const DRAINED: usize = 64 * 1024;

/// Whether the redirects of one call are followed. It travels in the request's extensions; without it they are, except those
/// of HEAD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Redirects {
    /// They are followed, also those of HEAD.
    Follow,
    /// The reply which redirects is handed out.
    HandOut,
}

/// A reply that redirected the call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hop {
    /// The method of the request.
    pub method: Method,
    /// The URL that was called.
    pub url: Uri,
    /// The status of the reply.
    pub status: StatusCode,
}

/// The way a call has taken. It is in the extensions of a response to which redirects have led.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirected {
    /// The replies that redirected, in their order; there is at least one.
    pub history: Vec<Hop>,
    /// The method of the last request.
    pub method: Method,
    /// The URL which the last reply, the one handed out, came from.
    pub url: Uri,
}

/// Why a redirect cannot be followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectError {
    /// There were too many of them.
    #[error("there were more than {limit} redirects")]
    TooMany {
        /// How many are followed.
        limit: usize,
    },
    /// The `Location` is no URL that can be called.
    #[error("the reply redirects to an invalid URL")]
    Location(#[source] Source),
}

impl From<RedirectError> for Failure {
    fn from(error: RedirectError) -> Self {
        match error {
            RedirectError::TooMany { limit } => Self::TooManyRedirects { limit },
            RedirectError::Location(source) => Self::InvalidRedirect(source),
        }
    }
}

/// Makes [`Redirect`] services.
///
/// The replies 301, 302, 303, 307 and 308 with a `Location` are followed:
///
/// - 303 makes every method but HEAD a GET, so does 302, and 301 makes POST a GET;
/// - the body goes along with 307 and 308 only; a body that can be sent only once has these replies handed out;
/// - `Authorization` stays behind when host, port or scheme change, unless it is from `http` to `https` at their own ports;
/// - `Cookie` stays behind always: it is for the cookies layer to add it anew;
/// - so does `Proxy-Authorization`: it is for the pool to add it where a proxy forwards the request.
///
/// The next request has the extensions of the reply that redirected, because those of its request are in there:
/// [`Pool`](crate::pool::Pool) sees to that, and so has a service that takes its place.
///
/// Reads: [`Redirects`], [`Progress`]. Writes: [`Unwrapped`] into a request whose body was dropped, [`Redirected`] into the
/// response's extensions.
///
/// ```
/// use http::{Request, Response, StatusCode, header::LOCATION};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::{Body, Failure};
/// use zato_outgoing::layers::redirect::{RedirectLayer, Redirected};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = service_fn(async |request: Request<Body>| {
///     let mut response = Response::new(http_body_util::Empty::<bytes::Bytes>::new());
///     if request.uri().path() == "/old" {
///         *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
///         response.headers_mut().insert(LOCATION, "/new".parse().expect("a valid value"));
///     }
///     Ok::<_, Failure>(response)
/// });
/// let request = Request::get("http://example.com/old").body(Body::empty())?;
/// let response = RedirectLayer::limit(30).layer(server).oneshot(request).await?;
/// let redirected = response.extensions().get::<Redirected>().expect("it was redirected");
/// assert_eq!(redirected.url, "http://example.com/new");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RedirectLayer {
    limit: usize,
}

impl RedirectLayer {
    /// Follows at most `limit` redirects a call; one more is an error.
    pub fn limit(limit: usize) -> Self {
        Self { limit }
    }
}

impl<S: Clone> Layer<S> for RedirectLayer {
    type Service = Redirect<S>;

    fn layer(&self, inner: S) -> Redirect<S> {
        Redirect { again: Arc::new(inner.clone()), inner, limit: self.limit }
    }
}

/// Follows the redirects with which `S` replies.
#[derive(Clone, Debug)]
pub struct Redirect<S> {
    inner: S,
    /// The same service, shared by all calls: few of them need it.
    again: Arc<S>,
    limit: usize,
}

impl<S, B, R> Service<Request<B>> for Redirect<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: From<RedirectError>,
    B: TryClone + Default,
    R: Body,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = RedirectFuture<S, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let follow = match request.extensions().get::<Redirects>() {
            Some(Redirects::Follow) => true,
            Some(Redirects::HandOut) => false,
            None => request.method() != Method::HEAD,
        };
        let way = follow.then(|| {
            let (service, limit) = (Arc::clone(&self.again), self.limit);
            Box::new(Way { service, kept: Kept::without_extensions(&request), history: Vec::new(), limit })
        });
        RedirectFuture { way, state: State::Waiting { reply: self.inner.call(request) } }
    }
}

/// A call which may be redirected.
#[derive(Debug)]
struct Way<S, B> {
    service: Arc<S>,
    /// The present request.
    kept: Kept<B>,
    history: Vec<Hop>,
    limit: usize,
}

impl<S, B: TryClone + Default> Way<S, B> {
    /// The request to make after `response`, if it is a redirect that can be followed.
    fn next<R>(&mut self, response: &mut Response<R>) -> Result<Option<Request<B>>, RedirectError> {
        let status = response.status();
        let keeps_body = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        let drops_body =
            matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER);
        let can_follow = drops_body || (keeps_body && self.kept.body.is_some());
        if !can_follow {
            return Ok(None);
        }
        let location = response.headers().get(LOCATION).filter(|location| !location.is_empty());
        let Some(location) = location else { return Ok(None) };
        if self.history.len() >= self.limit {
            return Err(RedirectError::TooMany { limit: self.limit });
        }
        let url = resolve(&self.kept.url, location)?;
        let kept = &mut self.kept;
        kept.extensions = std::mem::take(response.extensions_mut());
        // Of the reply alone, and the next one may have none.
        kept.extensions.remove::<ReasonPhrase>();
        kept.extensions.remove::<Peer>();
        let left = std::mem::replace(&mut kept.url, url);
        if leaves_credentials(&left, &kept.url) {
            kept.headers.remove(&AUTHORIZATION);
        }
        if !Origin::of(&left).is_some_and(|origin| origin.matches(&kept.url)) {
            kept.headers.remove(&HOST);
        }
        kept.headers.remove(&COOKIE);
        kept.headers.remove(&PROXY_AUTHORIZATION);
        let method = kept.method.clone();
        if drops_body {
            if rewrites_method(status, &kept.method) {
                kept.method = Method::GET;
            }
            for name in [CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING] {
                kept.headers.remove(&name);
            }
            kept.body = Some(B::default());
            kept.extensions.insert(Unwrapped);
        }
        self.history.push(Hop { method, url: left, status });
        if let Some(progress) = kept.extensions.get::<Progress>() {
            progress.next_hop();
        }
        Ok(kept.request())
    }
}

fn rewrites_method(status: StatusCode, method: &Method) -> bool {
    match status {
        StatusCode::MOVED_PERMANENTLY => method == Method::POST,
        _ => method != Method::HEAD,
    }
}

/// Whether credentials for `from` must not be sent to `to`.
fn leaves_credentials(from: &Uri, to: &Uri) -> bool {
    !Origin::of(from).is_some_and(|origin| origin.trusts(to))
}

/// The URL that a `Location` means (RFC 9110, 10.2.2), without fragment and credentials, which are not sent.
fn resolve(base: &Uri, location: &HeaderValue) -> Result<Uri, RedirectError> {
    let invalid = |source: Source| RedirectError::Location(source);
    let text = std::str::from_utf8(location.as_bytes()).map_err(|error: Utf8Error| invalid(error.into()))?;
    let base = Url::parse(&base.to_string()).map_err(|error| invalid(error.into()))?;
    let mut url = base.join(text).map_err(|error| invalid(error.into()))?;
    url.set_fragment(None);
    // Neither fails for a URL with a host, which the next check asks for.
    let _without = (url.set_username(""), url.set_password(None));
    let url: Uri = url.as_str().parse().map_err(|error: http::uri::InvalidUri| invalid(error.into()))?;
    if Origin::of(&url).is_none() {
        return Err(invalid("it is neither http nor https".into()));
    }
    Ok(url)
}

pin_project! {
    /// The future of [`Redirect`].
    pub struct RedirectFuture<S, B, R>
    where
        S: Service<Request<B>>,
    {
        // Absent if redirects are not followed. Boxed so that the future stays small, which each layer outside moves.
        way: Option<Box<Way<S, B>>>,
        #[pin]
        state: State<S, S::Future, B, R>,
    }
}

impl<S, B, R> std::fmt::Debug for RedirectFuture<S, B, R>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let history = self.way.as_ref().map(|way| &way.history);
        f.debug_struct("RedirectFuture").field("history", &history).finish_non_exhaustive()
    }
}

pin_project! {
    #[project = Projected]
    enum State<S, F, B, R> {
        // Waiting for a reply.
        Waiting {
            #[pin]
            reply: F,
        },
        // Reading the rest of a redirect, so that its connection can be used again.
        Draining {
            #[pin]
            body: R,
            left: usize,
            // Boxed because few calls are redirected.
            next: Option<Box<(S, Request<B>)>>,
        },
        // Waiting until the service can take the next request.
        Entering {
            // Boxed because few calls are redirected.
            next: Option<Box<(S, Request<B>)>>,
        },
    }
}

impl<S, B, R> Future for RedirectFuture<S, B, R>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: From<RedirectError>,
    B: TryClone + Default,
    R: Body,
{
    type Output = Result<Response<R>, S::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut state = this.state;
        loop {
            let following = match state.as_mut().project() {
                Projected::Waiting { reply } => {
                    let mut response = ready!(reply.poll(cx))?;
                    let Some(way) = this.way else { return Poll::Ready(Ok(response)) };
                    match way.next(&mut response)? {
                        Some(next) => State::Draining {
                            body: response.into_body(),
                            left: DRAINED,
                            next: Some(Box::new((S::clone(&way.service), next))),
                        },
                        None => {
                            if !way.history.is_empty() {
                                let history = std::mem::take(&mut way.history);
                                let (method, url) = (way.kept.method.clone(), way.kept.url.clone());
                                response.extensions_mut().insert(Redirected { history, method, url });
                            }
                            return Poll::Ready(Ok(response));
                        }
                    }
                }
                Projected::Draining { mut body, left, next } => {
                    // A redirect counts even if its body is broken: nobody asked for that.
                    while let Some(Ok(frame)) = ready!(body.as_mut().poll_frame(cx)) {
                        let length = frame.data_ref().map_or(0, bytes::Buf::remaining);
                        match left.checked_sub(length) {
                            Some(rest) => *left = rest,
                            None => break,
                        }
                    }
                    State::Entering { next: next.take() }
                }
                Projected::Entering { next } => {
                    let Some((service, _)) = next.as_deref_mut() else { return Poll::Pending };
                    ready!(service.poll_ready(cx))?;
                    let Some((mut service, request)) = next.take().map(|next| *next) else {
                        return Poll::Pending;
                    };
                    State::Waiting { reply: service.call(request) }
                }
            };
            state.set(following);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use bytes::Bytes;
    use http_body_util::Full;
    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::body::Body as RequestBody;

    /// Redirects the first call to `location` and says which request came then.
    async fn redirected(
        request: Request<RequestBody>,
        status: u16,
        location: &'static str,
    ) -> (Result<Response<Full<Bytes>>, Failure>, Vec<Request<RequestBody>>) {
        let seen: Arc<Mutex<Vec<Request<RequestBody>>>> = Arc::default();
        let recorded = Arc::clone(&seen);
        let service = RedirectLayer::limit(30).layer(service_fn(move |request| {
            let mut seen = recorded.lock().unwrap();
            let mut response = Response::new(Full::from("reply"));
            if seen.is_empty() {
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                response.headers_mut().insert(LOCATION, HeaderValue::from_static(location));
            }
            seen.push(request);
            std::future::ready(Ok::<_, Failure>(response))
        }));
        let result = service.oneshot(request).await;
        let seen = std::mem::take(&mut *seen.lock().unwrap());
        (result, seen)
    }

    fn request(method: &str, url: &str) -> Request<RequestBody> {
        Request::builder()
            .method(method)
            .uri(url)
            .header(CONTENT_TYPE, "text/plain")
            .header(AUTHORIZATION, "Basic a")
            .header(COOKIE, "a=b")
            .header(PROXY_AUTHORIZATION, "Basic b")
            .body(RequestBody::from(Bytes::from("body")))
            .unwrap()
    }

    /// `expected` is the method of the second request and how many bytes it has.
    async fn check_method(method: &str, status: u16, expected: (&str, u64)) {
        let (result, seen) = redirected(request(method, "http://a/b"), status, "/c").await;
        assert_eq!(result.unwrap().status(), 200);
        assert_eq!((seen[1].method().as_str(), seen[1].body().len().unwrap()), expected, "{method} {status}");
        assert_eq!(seen[1].headers().contains_key(CONTENT_TYPE), expected.1 > 0);
        assert_eq!(seen[1].extensions().get::<Unwrapped>().is_none(), expected.1 > 0);
        assert!(seen[0].headers().contains_key(PROXY_AUTHORIZATION));
        for name in [COOKIE, PROXY_AUTHORIZATION] {
            assert!(!seen[1].headers().contains_key(name));
        }
    }

    #[tokio::test]
    async fn methods_are_rewritten_as_requests_does() {
        for (method, status, expected) in [
            ("POST", 301, ("GET", 0)),
            ("PUT", 301, ("PUT", 0)),
            ("GET", 301, ("GET", 0)),
            ("POST", 302, ("GET", 0)),
            ("PUT", 302, ("GET", 0)),
            ("DELETE", 303, ("GET", 0)),
            ("POST", 307, ("POST", 4)),
            ("PUT", 307, ("PUT", 4)),
            ("POST", 308, ("POST", 4)),
        ] {
            check_method(method, status, expected).await;
        }
    }

    #[tokio::test]
    async fn credentials_stay_with_their_origin() {
        for (from, to, kept) in [
            ("http://a/b", "http://a/c", true),
            ("http://a/b", "http://A:80/c", true),
            ("http://a/b", "https://a/c", true),
            ("http://a:80/b", "https://a:443/c", true),
            ("https://a/b", "http://a/c", false),
            ("http://a:8080/b", "https://a/c", false),
            ("http://a/b", "http://a:8080/c", false),
            ("http://a/b", "http://b/c", false),
            ("http://a/b", "//b/c", false),
        ] {
            let (_, seen) = redirected(request("GET", from), 302, to).await;
            assert_eq!(seen[1].headers().contains_key(AUTHORIZATION), kept, "{from} {to}");
        }
    }

    #[tokio::test]
    async fn locations_are_resolved() {
        for (location, expected) in [
            ("c", "http://a/b/c"),
            ("../c?d=e#f", "http://a/c?d=e"),
            ("?q", "http://a/b/?q"),
            ("//x:1/c d", "http://x:1/c%20d"),
            ("https://user:password@x", "https://x/"),
        ] {
            let (result, _) = redirected(request("GET", "http://a/b/"), 302, location).await;
            let response = result.unwrap();
            let way = response.extensions().get::<Redirected>().unwrap();
            assert_eq!(way.url, expected);
            let url = Uri::from_static("http://a/b/");
            let hop = Hop { method: Method::GET, url, status: StatusCode::FOUND };
            assert_eq!(way.history, [hop]);
        }
    }

    #[tokio::test]
    async fn a_location_that_cannot_be_called_is_an_error() {
        for location in ["ftp://a/b", "http://", "mailto:a@b", "file:///a"] {
            let (result, seen) = redirected(request("GET", "http://a/b"), 302, location).await;
            assert!(matches!(result, Err(Failure::InvalidRedirect(_))), "{location}");
            assert_eq!(seen.len(), 1);
        }
    }

    #[tokio::test]
    async fn some_redirects_are_handed_out() {
        let stream = futures_util::stream::empty::<Result<Bytes, std::io::Error>>();
        let streamed = request("POST", "http://a/b").map(|_| RequestBody::streamed(stream, None));
        let mut unasked = request("GET", "http://a/b");
        unasked.extensions_mut().insert(Redirects::HandOut);
        for (request, status) in [
            (streamed, 307),
            (unasked, 302),
            (request("HEAD", "http://a/b"), 302),
            (request("GET", "http://a/b"), 304),
            (request("GET", "http://a/b"), 300),
        ] {
            let (result, seen) = redirected(request, status, "/c").await;
            assert_eq!(result.unwrap().status(), status);
            assert_eq!(seen.len(), 1);
        }
        let mut asked = request("HEAD", "http://a/b");
        asked.extensions_mut().insert(Redirects::Follow);
        assert_eq!(redirected(asked, 302, "/c").await.1[1].method(), Method::HEAD);
    }

    #[tokio::test]
    async fn without_a_location_it_is_no_redirect() {
        let service = RedirectLayer::limit(30).layer(service_fn(async |_: Request<RequestBody>| {
            let mut response = Response::new(Full::<Bytes>::default());
            *response.status_mut() = StatusCode::FOUND;
            Ok::<_, Failure>(response)
        }));
        assert_eq!(service.oneshot(request("GET", "http://a/b")).await.unwrap().status(), 302);
    }

    #[tokio::test]
    async fn a_loop_ends_at_the_limit() {
        let calls = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&calls);
        let service = RedirectLayer::limit(30).layer(service_fn(move |_: Request<RequestBody>| {
            *counted.lock().unwrap() += 1;
            let mut response = Response::new(Full::<Bytes>::default());
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert(LOCATION, HeaderValue::from_static("/b"));
            std::future::ready(Ok::<_, Failure>(response))
        }));
        let error = service.oneshot(request("GET", "http://a/b")).await.unwrap_err();
        assert!(matches!(error, Failure::TooManyRedirects { limit: 30 }));
        assert_eq!(error.to_string(), "there were more than 30 redirects");
        assert_eq!(*calls.lock().unwrap(), 31);
    }
}
