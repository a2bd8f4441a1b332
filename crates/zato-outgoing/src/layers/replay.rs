//! Requests that may have to be sent more than once.
//!
//! Owns what a layer keeps of a request in order to make it again. It does not decide whether that is to be done.

use bytes::Bytes;
use http::{Extensions, HeaderMap, Method, Request, Uri};

use crate::body::Body;

/// A body that can be sent more than once, or at least knows that it cannot.
pub trait TryClone: Sized {
    /// The same body once more, or `None` if it can be sent only once.
    fn try_clone(&self) -> Option<Self>;
}

impl TryClone for () {
    fn try_clone(&self) -> Option<Self> {
        Some(())
    }
}

impl TryClone for Bytes {
    fn try_clone(&self) -> Option<Self> {
        Some(self.clone())
    }
}

impl TryClone for Body {
    fn try_clone(&self) -> Option<Self> {
        Self::try_clone(self)
    }
}

/// The same headers once more. Where there are none, the room that is kept for more of them is not copied.
fn copy(headers: &HeaderMap) -> HeaderMap {
    if headers.is_empty() { HeaderMap::new() } else { headers.clone() }
}

/// What is needed to make a request again: all of it, except that its body may be missing.
#[derive(Debug)]
pub(crate) struct Kept<B> {
    pub(crate) method: Method,
    pub(crate) url: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) extensions: Extensions,
    /// Absent if it can be sent only once.
    pub(crate) body: Option<B>,
}

impl<B: TryClone> Kept<B> {
    pub(crate) fn of(request: &Request<B>) -> Self {
        Self { extensions: request.extensions().clone(), ..Self::without_extensions(request) }
    }

    /// The same for requests whose extensions are elsewhere, which saves copying them.
    pub(crate) fn without_extensions(request: &Request<B>) -> Self {
        Self {
            method: request.method().clone(),
            url: request.uri().clone(),
            headers: copy(request.headers()),
            extensions: Extensions::new(),
            body: request.body().try_clone(),
        }
    }

    /// The request once more, if its body can be sent once more.
    pub(crate) fn request(&self) -> Option<Request<B>> {
        Some(self.with_body(self.body.as_ref()?.try_clone()?))
    }

    /// The request once more, with another body.
    pub(crate) fn with_body<C>(&self, body: C) -> Request<C> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = self.headers.clone();
        *request.extensions_mut() = self.extensions.clone();
        request
    }
}

#[cfg(test)]
mod tests {
    use http::header::ACCEPT;

    use super::*;

    #[test]
    fn a_request_is_the_same_again() {
        let mut request = Request::put("http://example.com/a").header(ACCEPT, "text/xml").body(()).unwrap();
        request.extensions_mut().insert(7_u8);
        let again = Kept::of(&request).request().unwrap();
        assert_eq!((again.method(), again.uri()), (request.method(), request.uri()));
        assert_eq!(again.headers(), request.headers());
        assert_eq!(again.extensions().get::<u8>(), Some(&7));
    }

    #[test]
    fn a_body_that_is_gone_cannot_be_sent_again() {
        let stream = futures_util::stream::empty::<Result<Bytes, std::io::Error>>();
        let request = Request::new(Body::streamed(stream, None));
        assert!(Kept::of(&request).request().is_none());
        assert!(Kept::of(&Request::new(Bytes::from("a"))).request().is_some());
        assert!(Kept::of(&Request::new(Body::from(Bytes::from("a")))).request().is_some());
    }
}
