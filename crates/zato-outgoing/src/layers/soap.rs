//! Puts the body of a request into a SOAP envelope.
//!
//! Owns the headers of a SOAP request over HTTP. The envelope itself is made by `zato-soap` when the layer is made; per
//! request it is two pieces put around the body, which is not looked at. It is the innermost layer that changes a request.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Request};
use tower_layer::Layer;
use tower_service::Service;
use zato_soap::{Frame, FrameOptions, Version};
use zeroize::Zeroizing;

use crate::body::Body;

/// The header that names the operation. It is sent for SOAP 1.2 too, whose own `action` parameter is not used.
pub const SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");

/// Marks a request whose body is sent as it is, such as a ping's. It travels in the request's extensions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwrapped;

/// Makes [`Soap`] services.
///
/// Reads: [`Unwrapped`].
#[derive(Clone, Debug)]
pub struct SoapLayer(Arc<Message>);

/// What is the same in all messages.
struct Message {
    head: Bytes,
    tail: Bytes,
    content_type: HeaderValue,
    action: HeaderValue,
}

impl fmt::Debug for Message {
    /// The head may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("action", &self.action).finish_non_exhaustive()
    }
}

impl SoapLayer {
    /// Puts each body, verbatim, into an envelope of `version`. The envelope's header has `security`, the content of a
    /// WS-Security header, if it is given. `action` is sent as it is, without quotes added.
    ///
    /// Content type and action are added only to requests which do not have their own.
    pub fn enveloping(version: Version, action: HeaderValue, security: Option<&str>) -> Self {
        let prefix = match version {
            Version::V11 => "s11",
            Version::V12 => "s12",
        };
        let frame = Frame::new(&FrameOptions {
            version,
            prefix,
            declaration: true,
            default_namespace: None,
            extra_namespaces: &[("xsi", "http://www.w3.org/2001/XMLSchema-instance")],
            header: security,
        });
        Self(Arc::new(Message {
            // The head may contain a password.
            head: Bytes::from_owner(Zeroizing::new(frame.head().to_vec())),
            tail: Bytes::copy_from_slice(frame.tail()),
            content_type: HeaderValue::from_static(version.content_type()),
            action,
        }))
    }
}

impl<S> Layer<S> for SoapLayer {
    type Service = Soap<S>;

    fn layer(&self, inner: S) -> Soap<S> {
        Soap { inner, message: Arc::clone(&self.0) }
    }
}

/// Puts the bodies of the requests of `S` into envelopes, except those of requests marked with [`Unwrapped`], which get the
/// action only.
#[derive(Clone, Debug)]
pub struct Soap<S> {
    inner: S,
    message: Arc<Message>,
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
            request = request.map(|body| body.framed(message.head.clone(), message.tail.clone()));
        }
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::HeaderMap;
    use tower::{ServiceExt, service_fn};
    use zato_soap::UsernameToken;

    use super::*;

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
