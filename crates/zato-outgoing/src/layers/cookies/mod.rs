//! Keeps the cookies which a connection's peers set, and sends them back.
//!
//! Owns the jar. It sits inside of redirects and of authentication, so that the cookies of a redirect or of a challenge go with
//! the request to which that leads, and outside of everything that sends. The rules of domains, paths and expiry are those of
//! RFC 6265, as the cookie library has them, except for dates.

mod date;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

use ::url::Url;
use cookie_store::{Cookie, CookieStore, RawCookie};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

/// How many cookies a jar holds. More are ignored: a peer must not fill this process's memory.
const LIMIT: usize = 1000;

/// The cookies of one connection. It takes no memory worth mentioning until the first one is set.
#[derive(Default)]
pub struct CookieJar(OnceLock<Box<Mutex<CookieStore>>>);

impl fmt::Debug for CookieJar {
    /// The number only: cookies are often credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CookieJar({} cookies)", self.len())
    }
}

impl CookieJar {
    /// How many cookies there are.
    pub fn len(&self) -> usize {
        self.0.get().map_or(0, |store| lock(store).iter_unexpired().count())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `Cookie` header of a request to `url`, if any cookie is for it.
    pub fn header(&self, url: &Uri) -> Option<HeaderValue> {
        let store = lock(self.0.get()?);
        let url = Url::parse(&url.to_string()).ok()?;
        let mut cookies = store.matches(&url);
        // The most specific path goes first (RFC 6265, 5.4).
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.as_ref().len()));
        let pairs: Vec<String> =
            cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        let mut value = HeaderValue::try_from(pairs.join("; ")).ok().filter(|value| !value.is_empty())?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Takes over the cookies which the reply from `url` sets.
    pub fn store(&self, url: &Uri, headers: &HeaderMap) {
        if !headers.contains_key(SET_COOKIE) {
            return;
        }
        let Ok(url) = Url::parse(&url.to_string()) else { return };
        let mut store = lock(self.0.get_or_init(Box::default));
        for text in headers.get_all(SET_COOKIE) {
            let cookie = std::str::from_utf8(text.as_bytes()).ok().and_then(parse);
            if let Some(cookie) = cookie.filter(|cookie| is_acceptable(cookie, &url)) {
                // One for another domain is refused, which is fine.
                let Ok(cookie) = Cookie::try_from_raw_cookie(&cookie, &url) else { continue };
                if has_room(&mut store, &cookie) {
                    // An expired cookie removes its predecessor.
                    let _outcome = store.insert(cookie.into_owned(), &url);
                }
            }
        }
    }
}

/// Nothing that can panic happens with the lock held which would leave the store half changed.
fn lock(store: &Mutex<CookieStore>) -> MutexGuard<'_, CookieStore> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The library reads the usual dates only, and takes a cookie with another one for one without.
fn parse(text: &str) -> Option<RawCookie<'_>> {
    let mut cookie = RawCookie::parse(text).ok()?;
    if cookie.expires().is_none() {
        let attributes = text.split(';').skip(1).filter_map(|attribute| attribute.split_once('='));
        let dates = attributes.filter(|(name, _)| name.trim().eq_ignore_ascii_case("expires"));
        // The last one counts (RFC 6265, 5.3).
        if let Some(date) = dates.filter_map(|(_, date)| date::parse(date)).last() {
            cookie.set_expires(date);
        }
    }
    Some(cookie)
}

/// A cookie must not be for a whole top-level domain, such as `com`.
fn is_acceptable(cookie: &RawCookie<'_>, url: &Url) -> bool {
    cookie.domain().is_none_or(|domain| {
        let domain = domain.trim_matches('.');
        domain.contains('.') || url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(domain))
    })
}

/// A full jar makes room by throwing away what has expired, and still lets its cookies change and expire.
fn has_room(store: &mut CookieStore, cookie: &Cookie<'_>) -> bool {
    if store.iter_any().count() < LIMIT {
        return true;
    }
    let place = |cookie: &Cookie<'_>| {
        (String::from(&cookie.domain), String::from(&cookie.path), cookie.name().to_owned())
    };
    let expired: Vec<_> = store.iter_any().filter(|known| known.is_expired()).map(place).collect();
    for (domain, path, name) in &expired {
        store.remove(domain, path, name);
    }
    let (domain, path, name) = place(cookie);
    store.contains_any(&domain, &path, &name) || store.iter_any().count() < LIMIT
}

/// Makes [`Cookies`] services.
///
/// A request that has a `Cookie` header already is sent as it is.
///
/// ```
/// use std::sync::Arc;
///
/// use http::{Request, Response, header::{COOKIE, SET_COOKIE}};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::layers::cookies::{CookieJar, CookiesLayer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = service_fn(async |request: Request<()>| {
///     let sent = request.headers().contains_key(COOKIE);
///     Response::builder().header(SET_COOKIE, "session=1; Path=/").body(sent)
/// });
/// let service = CookiesLayer::keeping(Arc::new(CookieJar::default())).layer(server);
/// let request = || Request::get("http://example.com/").body(());
/// assert!(!service.clone().oneshot(request()?).await?.into_body());
/// assert!(service.oneshot(request()?).await?.into_body());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CookiesLayer(Arc<CookieJar>);

impl CookiesLayer {
    /// Keeps cookies in `jar`.
    pub fn keeping(jar: Arc<CookieJar>) -> Self {
        Self(jar)
    }
}

impl<S> Layer<S> for CookiesLayer {
    type Service = Cookies<S>;

    fn layer(&self, inner: S) -> Cookies<S> {
        Cookies { inner, jar: Arc::clone(&self.0) }
    }
}

/// Keeps the cookies which `S` replies with, and adds them to its requests.
#[derive(Clone, Debug)]
pub struct Cookies<S> {
    inner: S,
    jar: Arc<CookieJar>,
}

impl<S, B, R> Service<Request<B>> for Cookies<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = CookiesFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // Most jars are empty, which takes less time to find out than what headers there are.
        if let Some(value) = self.jar.header(request.uri()) {
            request.headers_mut().entry(COOKIE).or_insert(value);
        }
        let url = request.uri().clone();
        CookiesFuture { inner: self.inner.call(request), url, jar: Arc::clone(&self.jar) }
    }
}

pin_project! {
    /// The future of [`Cookies`].
    #[derive(Debug)]
    pub struct CookiesFuture<F> {
        #[pin]
        inner: F,
        url: Uri,
        jar: Arc<CookieJar>,
    }
}

impl<F, R, E> Future for CookiesFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<R>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        if let Ok(response) = &result {
            this.jar.store(this.url, response.headers());
        }
        Poll::Ready(result)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tower::{ServiceExt, service_fn};

    use super::*;

    /// The `Cookie` header of a request to `url` after the reply from `http://www.example.com/a/b` has set `cookies`.
    #[track_caller]
    fn check(cookies: &[&str], url: &'static str, expected: Option<&str>) {
        let jar = CookieJar::default();
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(SET_COOKIE, HeaderValue::from_bytes(cookie.as_bytes()).unwrap());
        }
        jar.store(&Uri::from_static("http://www.example.com/a/b"), &headers);
        let header = jar.header(&Uri::from_static(url));
        let header = header.as_ref().map(|value| std::str::from_utf8(value.as_bytes()).unwrap());
        assert_eq!(header, expected, "{cookies:?} {url}");
    }

    #[test]
    fn domains() {
        check(&["a=b"], "http://www.example.com/a/c", Some("a=b"));
        check(&["a=b"], "http://example.com/a/c", None);
        check(&["a=b; Domain=example.com; Path=/"], "http://api.example.com/", Some("a=b"));
        check(&["a=b; Domain=.example.com; Path=/"], "http://api.example.com/", Some("a=b"));
        check(&["a=b; Domain=example.org; Path=/"], "http://example.org/", None);
        check(&["a=b; Domain=com; Path=/"], "http://www.example.com/", None);
    }

    #[test]
    fn paths() {
        check(&["a=b"], "http://www.example.com/", None);
        check(&["a=b"], "http://www.example.com/a", Some("a=b"));
        check(&["a=b"], "http://www.example.com/ab", None);
        check(&["a=1; Path=/", "b=2; Path=/a"], "http://www.example.com/a", Some("b=2; a=1"));
        check(&["a=1; Path=/", "b=2; Path=/"], "http://www.example.com/a", Some("a=1; b=2"));
    }

    #[test]
    fn values() {
        check(&["a=b%20c=\"d\""], "http://www.example.com/a", Some("a=b%20c=\"d\""));
        check(&["a=1", "a=2"], "http://www.example.com/a", Some("a=2"));
        check(&["a=1; Secure"], "http://www.example.com/a", None);
        check(&["a=1; Secure"], "https://www.example.com/a", Some("a=1"));
        check(&["a=é", "b=1"], "http://www.example.com/a", Some("a=é; b=1"));
        check(&["not a cookie", "=", ""], "http://www.example.com/a", None);
    }

    #[test]
    fn expiry() {
        check(&["a=b; Max-Age=60"], "http://www.example.com/a", Some("a=b"));
        check(&["a=b", "a=; Max-Age=0"], "http://www.example.com/a", None);
        let past = "a=b; Expires=Wed, 21 Oct 2015 07:28:00 GMT";
        check(&["a=b", past], "http://www.example.com/a", None);
        check(&[past], "http://www.example.com/a", None);
        for date in [
            "Thu, 01 Jan 1970 00:00:00 UTC",
            "Thu, 01 Jan 1970 00:00:00 +0000",
            "Thu, 1 Jan 1970 00:00:00",
            "Thursday, 01-Jan-1970 00:00:00 GMT",
        ] {
            let past = format!("a=; Path=/a; expires = {date}; HttpOnly");
            check(&["a=b; Path=/a", &past], "http://www.example.com/a", None);
        }
        for kept in [
            "a=b; Expires=0",
            "a=b; Expires=1 Jan 1970 00:00:00; Max-Age=60",
            "a=b; Expires=1 Jan 9999 0:0:0",
        ] {
            check(&[kept], "http://www.example.com/a", Some("a=b"));
        }
    }

    #[test]
    fn a_jar_has_a_limit_and_shows_no_values() {
        let (jar, url) = (CookieJar::default(), Uri::from_static("http://example.com/"));
        assert!(jar.is_empty());
        let set = |text: String| {
            let headers = HeaderMap::from_iter([(SET_COOKIE, HeaderValue::try_from(text).unwrap())]);
            jar.store(&url, &headers);
        };
        (0..LIMIT + 10).for_each(|number| set(format!("c{number}=secret")));
        assert_eq!(format!("{jar:?}"), format!("CookieJar({LIMIT} cookies)"));
        set("c1=other; Path=/a".to_owned());
        assert_eq!(jar.len(), LIMIT);
        set("c1=; Max-Age=0".to_owned());
        assert_eq!(jar.len(), LIMIT - 1);
        // What has expired makes room.
        set("new=1".to_owned());
        set("too_many=1".to_owned());
        set("c2=changed".to_owned());
        assert_eq!(jar.len(), LIMIT);
        let header = jar.header(&url).unwrap();
        let sent = header.to_str().unwrap();
        assert!(
            sent.contains("new=1") && sent.contains("c2=changed") && !sent.contains("too_many"),
            "{sent}"
        );
    }

    #[tokio::test]
    async fn the_callers_own_header_wins() {
        let jar = Arc::new(CookieJar::default());
        let service =
            CookiesLayer::keeping(Arc::clone(&jar)).layer(service_fn(async |request: Request<()>| {
                let cookie = request.headers().get(COOKIE).cloned();
                let mut response = Response::new(cookie);
                response.headers_mut().insert(SET_COOKIE, HeaderValue::from_static("a=1"));
                Ok::<_, Infallible>(response)
            }));
        let sent = async |own: Option<&'static str>| {
            let mut request = Request::get("http://example.com/").body(()).unwrap();
            if let Some(own) = own {
                request.headers_mut().insert(COOKIE, HeaderValue::from_static(own));
            }
            service.clone().oneshot(request).await.unwrap().into_body()
        };
        assert_eq!(sent(None).await, None);
        let header = sent(None).await.unwrap();
        assert_eq!(header, "a=1");
        assert!(header.is_sensitive());
        assert_eq!(sent(Some("own=1")).await.unwrap(), "own=1");
    }
}
