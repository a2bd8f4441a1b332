//! Adds credentials to requests: those which are the same for all of them.
//!
//! Owns the header of Basic authentication, API keys and Bearer tokens. Credentials which depend on the request or on the
//! other side have layers of their own: [`oauth`](super::oauth), [`digest`](super::digest), [`aws`](super::aws). It sits inside the X-Zato headers and outside of SOAP, whose WS-Security credentials are
//! part of the envelope. Credentials are never sent to another origin than the one they are for.

use std::sync::Arc;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Request};
use tower_layer::Layer;
use tower_service::Service;
use zeroize::Zeroizing;

use crate::origin::Origin;
use zato_connections::Secret;

/// Makes [`Auth`] services.
///
/// ```
/// use std::sync::Arc;
///
/// use http::{Request, Response, Uri};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::Origin;
/// use zato_outgoing::layers::auth::AuthLayer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let origin = Origin::of(&Uri::from_static("https://api.example.com")).ok_or("no origin")?;
/// let layer = AuthLayer::bearer(&"s3cret".into(), Arc::new(origin))?;
/// let inner = service_fn(async |request: Request<()>| {
///     Ok::<_, std::io::Error>(Response::new(request.headers()["Authorization"].clone()))
/// });
/// let request = Request::get("https://api.example.com/a").body(())?;
/// let response = layer.layer(inner).oneshot(request).await?;
/// assert_eq!(response.body(), "Bearer s3cret");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AuthLayer(Arc<Credentials>);

/// The header, and whom it is for.
#[derive(Debug)]
struct Credentials {
    name: HeaderName,
    value: HeaderValue,
    origin: Arc<Origin>,
}

/// A secret which a header cannot carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has characters that a header must not have")]
pub struct InvalidCredentials;

impl AuthLayer {
    /// HTTP Basic authentication (RFC 7617), username and password in UTF-8, for requests to `origin` which have no
    /// `Authorization` header yet. The header is made here, once, and marked as sensitive.
    pub fn basic(username: &str, password: &Secret, origin: Arc<Origin>) -> Self {
        Self::new(AUTHORIZATION, basic_credentials(username, password), origin)
    }

    /// A Bearer token (RFC 6750) for requests to `origin` which have no `Authorization` header yet.
    ///
    /// # Errors
    ///
    /// [`InvalidCredentials`] if a header cannot carry the token.
    pub fn bearer(token: &Secret, origin: Arc<Origin>) -> Result<Self, InvalidCredentials> {
        Ok(Self::new(AUTHORIZATION, bearer_credentials(token.expose())?, origin))
    }

    /// An API key in the header `name`, for requests to `origin` which have no such header yet.
    ///
    /// # Errors
    ///
    /// [`InvalidCredentials`] if a header cannot carry the key.
    pub fn api_key(name: HeaderName, key: &Secret, origin: Arc<Origin>) -> Result<Self, InvalidCredentials> {
        Ok(Self::new(name, sensitive(Zeroizing::new(key.expose().to_owned()))?, origin))
    }

    fn new(name: HeaderName, value: HeaderValue, origin: Arc<Origin>) -> Self {
        Self(Arc::new(Credentials { name, value, origin }))
    }
}

/// The value of the header of Basic authentication.
pub(crate) fn basic_credentials(username: &str, password: &Secret) -> HeaderValue {
    let pair = Zeroizing::new(format!("{username}:{}", password.expose()));
    let mut text = Zeroizing::new(String::with_capacity("Basic ".len() + pair.len() * 4 / 3 + 4));
    text.push_str("Basic ");
    STANDARD.encode_string(pair.as_bytes(), &mut text);
    #[expect(clippy::expect_used, reason = "the base64 alphabet has nothing that a header must not carry")]
    sensitive(text).expect("base64 is visible ASCII")
}

/// The value of the header with a Bearer token.
pub(crate) fn bearer_credentials(token: &str) -> Result<HeaderValue, InvalidCredentials> {
    sensitive(Zeroizing::new(format!("Bearer {token}")))
}

/// A header value which `Debug` does not show, HTTP/2 does not compress, and which is wiped in the end.
fn sensitive(text: Zeroizing<String>) -> Result<HeaderValue, InvalidCredentials> {
    let value = HeaderValue::from_maybe_shared(Bytes::from_owner(Wiped(text)));
    let mut value = value.map_err(|_| InvalidCredentials)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The header's text, wiped when the last request that shares it is gone.
struct Wiped(Zeroizing<String>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { inner, credentials: Arc::clone(&self.0) }
    }
}

/// Adds credentials to the requests of `S`.
#[derive(Clone, Debug)]
pub struct Auth<S> {
    inner: S,
    credentials: Arc<Credentials>,
}

impl<S, B> Service<Request<B>> for Auth<S>
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
        let Credentials { name, value, origin } = &*self.credentials;
        if origin.trusts(request.uri()) {
            request.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{HeaderMap, Uri};
    use tower::{ServiceExt, service_fn};

    use super::*;

    /// The header of a request to `url`, which may have its own one already.
    async fn sent(
        username: &str,
        password: &str,
        url: &'static str,
        own: Option<&'static str>,
    ) -> Option<HeaderValue> {
        let origin = Origin::of(&Uri::from_static("https://example.com")).unwrap();
        let service = AuthLayer::basic(username, &Secret::from(password), Arc::new(origin)).layer(
            service_fn(async |request: Request<()>| {
                Ok::<_, Infallible>(request.headers().get(AUTHORIZATION).cloned())
            }),
        );
        let mut request = Request::get(url).body(()).unwrap();
        if let Some(own) = own {
            request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static(own));
        }
        service.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn the_header_is_exact() {
        // The first pair is the example of RFC 7617, section 2; the second that of its section 2.1.
        for (username, password, expected) in [
            ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("test", "123\u{a3}", "Basic dGVzdDoxMjPCow=="),
            ("", "", "Basic Og=="),
        ] {
            assert_eq!(sent(username, password, "https://example.com/a", None).await.unwrap(), expected);
        }
    }

    /// The headers of a request without any of its own, sent through `layer`.
    async fn headers(layer: AuthLayer) -> HeaderMap {
        let service = layer
            .layer(service_fn(async |request: Request<()>| Ok::<_, Infallible>(request.headers().clone())));
        service.oneshot(Request::get("https://example.com/").body(()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn tokens_and_keys() {
        let origin = || Arc::new(Origin::of(&Uri::from_static("https://example.com")).unwrap());
        let sent = headers(AuthLayer::bearer(&Secret::from("abc.def"), origin()).unwrap()).await;
        assert_eq!(sent["authorization"], "Bearer abc.def");
        assert!(sent["authorization"].is_sensitive());

        let name = HeaderName::from_static("x-api-key");
        let sent = headers(AuthLayer::api_key(name.clone(), &Secret::from("k3y"), origin()).unwrap()).await;
        assert_eq!(sent["x-api-key"], "k3y");
        assert!(sent["x-api-key"].is_sensitive());
        assert_eq!(sent.len(), 1);

        assert!(AuthLayer::bearer(&Secret::from("a\nb"), origin()).is_err());
        assert!(AuthLayer::api_key(name, &Secret::from("a\nb"), origin()).is_err());
    }

    #[tokio::test]
    async fn it_is_never_shown() {
        let header = sent("user", "secret", "https://example.com/a", None).await.unwrap();
        assert!(header.is_sensitive());
        assert_eq!(format!("{header:?}"), "Sensitive");
        let origin = Origin::of(&Uri::from_static("https://example.com")).unwrap();
        let layer = AuthLayer::basic("user", &Secret::from("secret"), Arc::new(origin));
        assert!(!format!("{layer:?}").contains("Basic"));
    }

    #[tokio::test]
    async fn the_callers_own_wins() {
        assert_eq!(
            sent("user", "secret", "https://example.com/a", Some("Bearer 1")).await.unwrap(),
            "Bearer 1"
        );
    }

    #[tokio::test]
    async fn other_origins_get_nothing() {
        for url in ["http://example.com/a", "https://example.org/a", "https://example.com:444/a"] {
            assert_eq!(sent("user", "secret", url, None).await, None, "{url}");
        }
    }
}
