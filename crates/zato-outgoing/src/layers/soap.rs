//! Puts the body of a request into a SOAP envelope.
//!
//! Owns the headers of a SOAP request over HTTP. The envelope itself is made by `zato-soap` when the layer is made; per
//! request it is two pieces put around the body, which is not looked at; only a token with a digest is made anew for each.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Request};
use tower_layer::Layer;
use tower_service::Service;
use zato_soap::{Frame, FrameOptions, UsernameToken, Version};
use zeroize::Zeroizing;

use crate::body::Body;
use crate::clock::{Clock, iso};
use crate::nonce::{NoRandomness, Nonces};
use crate::origin::Origin;
use zato_connections::Secret;

/// The header that names the operation. It is sent for SOAP 1.2 too, whose own `action` parameter is not used.
pub const SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");

/// Marks a request whose body is sent as it is, such as a ping's. It travels in the request's extensions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwrapped;

/// Makes [`Soap`] services.
///
/// Reads: [`Unwrapped`].
///
/// ```
/// use bytes::Bytes;
/// use http::{HeaderValue, Request, Response};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::{Body, Failure};
/// use zato_outgoing::layers::soap::SoapLayer;
/// use zato_soap::Version;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Failure> {
/// let server = service_fn(async |request: Request<Body>| {
///     assert_eq!(request.headers()["SOAPAction"], "urn:get");
///     Ok::<_, Failure>(Response::new(request.into_body().pieces().unwrap().concat()))
/// });
/// let layer = SoapLayer::enveloping(Version::V11, HeaderValue::from_static("urn:get"), None);
/// let request = Request::new(Body::from(Bytes::from("<get/>")));
/// let sent = layer.layer(server).oneshot(request).await?.into_body();
/// assert!(String::from_utf8_lossy(&sent).ends_with("<s11:Body><get/></s11:Body></s11:Envelope>"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SoapLayer {
    message: Arc<Message>,
    origin: Option<Arc<Origin>>,
}

/// What is the same in all messages.
struct Message {
    head: Bytes,
    /// The head without a security header, for requests that must not have one.
    plain_head: Bytes,
    tail: Bytes,
    digest: Option<Digest>,
    content_type: HeaderValue,
    action: HeaderValue,
}

impl fmt::Debug for Message {
    /// The head may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("action", &self.action).finish_non_exhaustive()
    }
}

/// What a UsernameToken is made of that is another one in each message.
struct Digest {
    username: String,
    password: Secret,
    clock: Arc<dyn Clock>,
    nonces: Nonces,
    /// Where in the head the token belongs.
    at: usize,
}

impl Message {
    /// What precedes the body: the same in all messages, or one with a new token.
    fn head(&self) -> Bytes {
        let Some(digest) = &self.digest else { return self.head.clone() };
        let created = format!("{}Z", iso(digest.clock.now()));
        let (nonce, password) = (digest.nonces.next(), digest.password.expose());
        let token = UsernameToken::digest(&*digest.username, password, nonce, created).header_xml();
        let (before, after) = self.head.split_at(digest.at);
        Bytes::from([before, token.as_bytes(), after].concat())
    }
}

impl SoapLayer {
    /// Puts each body, verbatim, into an envelope of `version`. The envelope's header has `security`, the content of a
    /// WS-Security header, if it is given. `action` is sent as it is, without quotes added.
    ///
    /// Content type and action are added only to requests which do not have their own.
    pub fn enveloping(version: Version, action: HeaderValue, security: Option<&str>) -> Self {
        Self::with(version, action, security, None)
    }

    /// As [`enveloping`](Self::enveloping), with a WS-Security UsernameToken that proves knowledge of the password without
    /// carrying it: each message has a random nonce of 128 bits and the time at which it was made.
    ///
    /// # Errors
    ///
    /// [`NoRandomness`].
    pub fn with_password_digest(
        version: Version,
        action: HeaderValue,
        username: impl Into<String>,
        password: Secret,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NoRandomness> {
        let (username, nonces) = (username.into(), Nonces::seeded()?);
        // The header is written empty, and each token goes into it.
        let digest = Digest { username, password, clock, nonces, at: 0 };
        Ok(Self::with(version, action, Some(""), Some(digest)))
    }

    /// Keeps the security header for requests to `origin`: those which a redirect leads elsewhere have an envelope without it.
    #[must_use]
    pub fn with_credentials_for(self, origin: Arc<Origin>) -> Self {
        Self { origin: Some(origin), ..self }
    }

    fn with(version: Version, action: HeaderValue, header: Option<&str>, digest: Option<Digest>) -> Self {
        let prefix = match version {
            Version::V11 => "s11",
            Version::V12 => "s12",
        };
        let frame = |header| {
            Frame::new(&FrameOptions {
                version,
                prefix,
                declaration: true,
                default_namespace: None,
                extra_namespaces: &[("xsi", "http://www.w3.org/2001/XMLSchema-instance")],
                header,
            })
        };
        let plain_head = header.map(|_| Bytes::copy_from_slice(frame(None).head()));
        let frame = frame(header);
        let after_token = format!("</{prefix}:Header><{prefix}:Body>").len();
        let at = frame.head().len().saturating_sub(after_token);
        // The head may contain a password.
        let head = Bytes::from_owner(Zeroizing::new(frame.head().to_vec()));
        let message = Arc::new(Message {
            plain_head: plain_head.unwrap_or_else(|| head.clone()),
            head,
            tail: Bytes::copy_from_slice(frame.tail()),
            digest: digest.map(|digest| Digest { at, ..digest }),
            content_type: HeaderValue::from_static(version.content_type()),
            action,
        });
        Self { message, origin: None }
    }
}

impl<S> Layer<S> for SoapLayer {
    type Service = Soap<S>;

    fn layer(&self, inner: S) -> Soap<S> {
        Soap { inner, message: Arc::clone(&self.message), origin: self.origin.clone() }
    }
}

/// Puts the bodies of the requests of `S` into envelopes, except those of requests marked with [`Unwrapped`], which get the
/// action only.
#[derive(Clone, Debug)]
pub struct Soap<S> {
    inner: S,
    message: Arc<Message>,
    origin: Option<Arc<Origin>>,
}

impl<S> Service<Request<Body>> for Soap<S>
where
    S: Service<Request<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> S::Future {
        let message = &*self.message;
        let unwrapped = request.extensions().get::<Unwrapped>().is_some();
        let headers = request.headers_mut();
        headers.entry(SOAP_ACTION).or_insert_with(|| message.action.clone());
        if !unwrapped {
            headers.entry(CONTENT_TYPE).or_insert_with(|| message.content_type.clone());
            let is_trusted = self.origin.as_ref().is_none_or(|origin| origin.trusts(request.uri()));
            let head = if is_trusted { message.head() } else { message.plain_head.clone() };
            request = request.map(|body| body.framed(head, message.tail.clone()));
        }
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::HeaderMap;
    use time::macros::datetime;
    use tower::{ServiceExt, service_fn};
    use zato_soap::{Envelope, Limits};

    use super::*;
    use crate::clock::fixed::FixedClock;

    async fn sent(layer: SoapLayer, request: Request<Body>) -> (HeaderMap, Bytes) {
        let service = layer.layer(service_fn(async |request: Request<Body>| {
            let (head, body) = request.into_parts();
            Ok::<_, Infallible>((head.headers, Bytes::from(body.pieces().unwrap().concat())))
        }));
        service.oneshot(request).await.unwrap()
    }

    fn request(body: &'static str) -> Request<Body> {
        Request::new(Body::from(Bytes::from_static(body.as_bytes())))
    }

    fn action() -> HeaderValue {
        HeaderValue::from_static("urn:set-balance")
    }

    #[track_caller]
    fn check((headers, body): (HeaderMap, Bytes), content_type: &str, expected: &str) {
        assert_eq!(headers["Content-Type"], content_type);
        assert_eq!(headers["SOAPAction"], "urn:set-balance");
        assert_eq!(body, expected);
    }

    #[tokio::test]
    async fn soap_1_1() {
        let expected = "<?xml version='1.0' encoding='UTF-8'?>\n\
            <s11:Envelope xmlns:s11=\"http://schemas.xmlsoap.org/soap/envelope/\" \
            xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
            <s11:Body><data>&lt;</data></s11:Body></s11:Envelope>";
        let layer = SoapLayer::enveloping(Version::V11, action(), None);
        check(sent(layer, request("<data>&lt;</data>")).await, "text/xml; charset=utf-8", expected);
    }

    #[tokio::test]
    async fn soap_1_2_has_its_data_too() {
        let expected = "<?xml version='1.0' encoding='UTF-8'?>\n\
            <s12:Envelope xmlns:s12=\"http://www.w3.org/2003/05/soap-envelope\" \
            xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
            <s12:Body><data/></s12:Body></s12:Envelope>";
        let layer = SoapLayer::enveloping(Version::V12, action(), None);
        check(sent(layer, request("<data/>")).await, "application/soap+xml; charset=utf-8", expected);
    }

    #[tokio::test]
    async fn credentials_are_for_one_origin() {
        let token = UsernameToken::text("user", "secret").header_xml();
        let origin = Origin::of(&http::Uri::from_static("https://example.com")).unwrap();
        let layer = SoapLayer::enveloping(Version::V11, action(), Some(&token))
            .with_credentials_for(Arc::new(origin));
        let plain = SoapLayer::enveloping(Version::V11, action(), None);
        let expected = sent(plain, request("<a/>")).await.1;
        for (url, has_token) in [("https://example.com/a", true), ("https://example.org/a", false)] {
            let mut request = request("<a/>");
            *request.uri_mut() = http::Uri::from_static(url);
            let (_, body) = sent(layer.clone(), request).await;
            assert_eq!(body != expected, has_token, "{url}");
        }
    }

    #[tokio::test]
    async fn ws_security() {
        let token = UsernameToken::text("us<er", "se&cret").header_xml();
        let expected = "<?xml version='1.0' encoding='UTF-8'?>\n\
            <s11:Envelope xmlns:s11=\"http://schemas.xmlsoap.org/soap/envelope/\" \
            xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><s11:Header>\
            <wsse:Security xmlns:wsse=\"http://docs.oasis-open.org/wss/2004/01/\
            oasis-200401-wss-wssecurity-secext-1.0.xsd\"><wsse:UsernameToken>\
            <wsse:Username>us&lt;er</wsse:Username><wsse:Password Type=\"http://docs.oasis-open.org/wss/2004/01/\
            oasis-200401-wss-username-token-profile-1.0#PasswordText\">se&amp;cret</wsse:Password>\
            </wsse:UsernameToken></wsse:Security></s11:Header><s11:Body></s11:Body></s11:Envelope>";
        let layer = SoapLayer::enveloping(Version::V11, action(), Some(&token));
        check(sent(layer, request("")).await, "text/xml; charset=utf-8", expected);
    }

    #[tokio::test]
    async fn a_password_digest_is_another_one_in_each_message() {
        let clock = Arc::new(FixedClock(datetime!(2014-05-04 19:01:40.981234 UTC)));
        for version in [Version::V11, Version::V12] {
            let password = Secret::from("secret");
            let layer =
                SoapLayer::with_password_digest(version, action(), "user", password, Arc::clone(&clock) as _)
                    .unwrap();
            let mut nonces = Vec::new();
            for _ in 0..2 {
                let (_, body) = sent(layer.clone(), request("<data/>")).await;
                let text = std::str::from_utf8(&body).unwrap();
                let document = zato_soap::parse(text, &Limits::default()).unwrap();
                let envelope = Envelope::of(&document).unwrap();
                assert!(envelope.payload().unwrap().has_tag_name("data"));
                let token = envelope.username_token().unwrap().unwrap();
                assert!(token.verify("secret"));
                assert_eq!(token.created(), Some("2014-05-04T19:01:40.981234Z"));
                nonces.push(token.nonce().unwrap().to_vec());
            }
            assert_eq!(nonces[0].len(), 16);
            assert_ne!(nonces[0], nonces[1]);
        }
    }

    #[tokio::test]
    async fn the_callers_headers_win() {
        let mut request = request("");
        request.headers_mut().insert(SOAP_ACTION, HeaderValue::from_static("own"));
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("own"));
        let (headers, _) = sent(SoapLayer::enveloping(Version::V11, action(), None), request).await;
        assert!(headers.values().all(|value| value == "own"), "{headers:?}");
    }

    #[tokio::test]
    async fn an_unwrapped_request_gets_the_action_only() {
        let mut request = request("ping");
        request.extensions_mut().insert(Unwrapped);
        let (headers, body) = sent(SoapLayer::enveloping(Version::V11, action(), None), request).await;
        assert_eq!((headers.len(), &body[..]), (1, &b"ping"[..]));
        assert_eq!(headers["SOAPAction"], "urn:set-balance");
    }

    #[test]
    fn the_password_is_not_shown() {
        let token = UsernameToken::text("user", "secret").header_xml();
        let layer = SoapLayer::enveloping(Version::V11, action(), Some(&token));
        let shown = format!("{layer:?}");
        assert!(!shown.contains("secret<"), "{shown}");
    }
}
