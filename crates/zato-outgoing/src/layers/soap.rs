//! Puts the body of a request into a SOAP envelope.
//!
//! Owns the headers of a SOAP request over HTTP. The envelope itself is made by `zato-soap` when the layer is made; per
//! request it is two pieces put around the body, which is not looked at. It is the innermost layer that changes a request.

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
#[derive(Debug)]
struct Message {
    head: Bytes,
    tail: Bytes,
    content_type: HeaderValue,
    action: HeaderValue,
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
