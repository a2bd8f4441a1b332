//! Requests that may have to be sent more than once.
//!
//! Owns what a layer keeps of a request in order to make it again. It does not decide whether that is to be done.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

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

/// The headers of a request.
#[derive(Debug)]
pub(crate) enum KeptHeaders {
    /// All that most callers say is what their body is, and a map of one is as expensive as one of many.
    ContentType(HeaderValue),
    Map(HeaderMap),
}

impl KeptHeaders {
    fn of(headers: &HeaderMap) -> Self {
        let mut all = headers.iter();
        match (all.next(), all.next()) {
            // The room that is kept for more of them is not copied.
            (None, _) => Self::Map(HeaderMap::new()),
            (Some((name, value)), None) if *name == CONTENT_TYPE => Self::ContentType(value.clone()),
            _ => Self::Map(headers.clone()),
        }
    }

    fn to_map(&self) -> HeaderMap {
        match self {
            Self::ContentType(value) => HeaderMap::from_iter([(CONTENT_TYPE, value.clone())]),
            Self::Map(headers) => headers.clone(),
        }
    }

    /// Leaves out the header `name`.
    pub(crate) fn remove(&mut self, name: &HeaderName) {
        match self {
            Self::ContentType(_) if *name == CONTENT_TYPE => *self = Self::Map(HeaderMap::new()),
            Self::ContentType(_) => {}
            Self::Map(headers) => {
                headers.remove(name);
            }
        }
    }
}

/// What is needed to make a request again: all of it, except that its body may be missing.
#[derive(Debug)]
pub(crate) struct Kept<B> {
    pub(crate) method: Method,
    pub(crate) url: Uri,
    pub(crate) headers: KeptHeaders,
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
            headers: KeptHeaders::of(request.headers()),
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
        *request.headers_mut() = self.headers.to_map();
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

    #[track_caller]
    fn check_headers(headers: &[(HeaderName, &'static str)], removed: &HeaderName) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_static(value));
        }
        let mut kept = KeptHeaders::of(&map);
        assert_eq!(kept.to_map(), map);
        kept.remove(removed);
        map.remove(removed);
        assert_eq!(kept.to_map(), map);
    }

    #[test]
    fn headers_are_the_same_again() {
        check_headers(&[], &ACCEPT);
        check_headers(&[(ACCEPT, "text/xml")], &CONTENT_TYPE);
        check_headers(&[(CONTENT_TYPE, "text/xml")], &CONTENT_TYPE);
        check_headers(&[(CONTENT_TYPE, "text/xml")], &ACCEPT);
        check_headers(&[(CONTENT_TYPE, "text/xml"), (CONTENT_TYPE, "text/plain")], &ACCEPT);
        check_headers(&[(CONTENT_TYPE, "text/xml"), (ACCEPT, "text/xml")], &CONTENT_TYPE);
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
