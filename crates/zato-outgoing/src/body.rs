//! Bodies of requests.
//!
//! Owns the conversion of what callers pass into bytes with a media type, and the body type which runs through the layers.
//! It knows no headers beyond the media type, and no SOAP: an envelope is two more pieces around the same bytes.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::HeaderValue;
use http_body::{Frame, SizeHint};
use serde::Serialize;

use crate::error::Failure;

/// The body of a request: up to three pieces sent one after the other, so that an envelope goes around a caller's bytes
/// without copying them.
#[derive(Clone, Default)]
pub struct Body {
    pieces: [Bytes; 3],
}

impl fmt::Debug for Body {
    /// The length only: an envelope may contain a password, and what a caller sends is nobody else's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.len())
    }
}

impl Body {
    /// A body without content.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Puts `head` before and `tail` after the content. A body that has been framed before is made one piece first.
    #[must_use]
    pub fn framed(self, head: Bytes, tail: Bytes) -> Self {
        Self { pieces: [head, self.into_bytes(), tail] }
    }

    /// The number of bytes still to be sent.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }

    /// Whether nothing is left to be sent.
    pub fn is_empty(&self) -> bool {
        self.pieces.iter().all(Bytes::is_empty)
    }

    /// The content as one piece; it is copied only if there are several.
    pub fn into_bytes(mut self) -> Bytes {
        let length = self.len();
        match self.pieces.iter().position(|piece| piece.len() == length) {
            Some(only) => std::mem::take(&mut self.pieces[only]),
            None => Bytes::from(self.pieces.concat()),
        }
    }
}

impl From<Bytes> for Body {
    fn from(content: Bytes) -> Self {
        Self { pieces: [content, Bytes::new(), Bytes::new()] }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.iter_mut().find(|piece| piece.has_remaining()).map(std::mem::take);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.len() as u64)
    }
}

/// The bytes to send, and the media type that goes with them unless the caller names another one.
#[derive(Clone, Default)]
pub struct Content {
    pub(crate) bytes: Bytes,
    pub(crate) media_type: Option<HeaderValue>,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} bytes)", self.bytes.len())
    }
}

/// Whatever can be the body of a request: text and bytes, which are sent as they are, JSON, and `()` for none.
pub trait IntoBody {
    /// The bytes to send.
    ///
    /// # Errors
    ///
    /// [`Failure::EncodeBody`] if the value has no JSON form.
    fn into_content(self) -> Result<Content, Failure>;
}

/// A body written as JSON. Its `Content-Type` is `application/json` unless the caller names another one.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoBody for Json<T> {
    fn into_content(self) -> Result<Content, Failure> {
        let bytes = serde_json::to_vec(&self.0).map_err(Failure::EncodeBody)?;
        Ok(Content {
            bytes: Bytes::from(bytes),
            media_type: Some(HeaderValue::from_static("application/json")),
        })
    }
}

impl IntoBody for serde_json::Value {
    fn into_content(self) -> Result<Content, Failure> {
        Json(self).into_content()
    }
}

impl IntoBody for &serde_json::Value {
    fn into_content(self) -> Result<Content, Failure> {
        Json(self).into_content()
    }
}

impl IntoBody for Bytes {
    fn into_content(self) -> Result<Content, Failure> {
        Ok(Content { bytes: self, media_type: None })
    }
}

impl IntoBody for () {
    fn into_content(self) -> Result<Content, Failure> {
        Ok(Content::default())
    }
}

impl IntoBody for String {
    fn into_content(self) -> Result<Content, Failure> {
        Bytes::from(self).into_content()
    }
}

impl IntoBody for Vec<u8> {
    fn into_content(self) -> Result<Content, Failure> {
        Bytes::from(self).into_content()
    }
}

impl IntoBody for &str {
    fn into_content(self) -> Result<Content, Failure> {
        self.as_bytes().into_content()
    }
}

impl IntoBody for &String {
    fn into_content(self) -> Result<Content, Failure> {
        self.as_bytes().into_content()
    }
}

impl IntoBody for &[u8] {
    fn into_content(self) -> Result<Content, Failure> {
        Bytes::copy_from_slice(self).into_content()
    }
}

impl<const N: usize> IntoBody for &[u8; N] {
    fn into_content(self) -> Result<Content, Failure> {
        self.as_slice().into_content()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use http_body::Body as _;
    use http_body_util::BodyExt;

    use super::*;

    #[track_caller]
    fn check(body: impl IntoBody, bytes: &[u8], media_type: Option<&str>) {
        let content = body.into_content().unwrap();
        assert_eq!(content.bytes, bytes);
        assert_eq!(content.media_type.as_ref().map(|value| value.to_str().unwrap()), media_type);
    }

    #[test]
    fn conversions() {
        check("é", "é".as_bytes(), None);
        check("text".to_owned(), b"text", None);
        let owned = "text".to_owned();
        check(&owned, b"text", None);
        check(b"\x00\xff", b"\x00\xff", None);
        check(vec![1_u8, 2], &[1, 2], None);
        check((), b"", None);
        check(serde_json::json!({"a": 1}), br#"{"a":1}"#, Some("application/json"));
        check(Json(BTreeMap::from([("k", [1, 2])])), br#"{"k":[1,2]}"#, Some("application/json"));
    }

    #[test]
    fn a_value_without_a_json_form_is_an_error() {
        let error = Json(BTreeMap::from([((1, 2), 3)])).into_content().unwrap_err();
        assert!(matches!(error, Failure::EncodeBody(_)), "{error:?}");
    }

    #[tokio::test]
    async fn pieces_are_sent_in_order_and_their_length_is_known() {
        let body = Body::from(Bytes::from_static(b"b"))
            .framed(Bytes::from_static(b"<a>"), Bytes::from_static(b"</a>"));
        assert_eq!(body.size_hint().exact(), Some(8));
        assert!(!body.is_end_stream());
        assert_eq!(body.clone().into_bytes(), "<a>b</a>");
        assert_eq!(body.collect().await.unwrap().to_bytes(), "<a>b</a>");
    }

    #[test]
    fn an_empty_body_has_ended() {
        assert!(Body::empty().is_end_stream());
        assert_eq!(Body::empty().into_bytes(), "");
    }
}
