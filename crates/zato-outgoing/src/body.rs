//! Bodies of requests.
//!
//! Owns the conversion of what callers pass into bytes with a media type, and the body type which runs through the layers.
//! It knows no headers beyond the media type, and no SOAP: an envelope is two more pieces around the same content. Forms and
//! files are made into bodies by [`form`](crate::form).

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::Stream;
use http::HeaderValue;
use http_body::{Frame, SizeHint};
use serde::Serialize;

use crate::error::{Failure, Source};

/// The body of a request: up to three pieces sent one after the other, so that an envelope goes around a caller's bytes
/// without copying them. The piece in the middle may be a stream.
///
/// It is as small as the bytes of which it usually consists, because every layer moves it along with its request.
pub struct Body(Parts);

enum Parts {
    One(Bytes),
    Several(Box<Several>),
}

#[derive(Default)]
struct Several {
    pieces: [Bytes; 3],
    /// What is sent before the last piece.
    stream: Option<Streamed>,
}

struct Streamed {
    pieces: Pin<Box<dyn Stream<Item = Result<Bytes, Source>> + Send>>,
    /// How many bytes are still to come, if that is known.
    remaining: Option<u64>,
}

/// Why a streamed body could not be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The stream of the caller failed.
    #[error("the body's stream failed")]
    Stream(#[source] Source),
    /// The stream has more or fewer bytes than announced.
    #[error("the body's stream does not have the announced length")]
    Length,
}

impl fmt::Debug for Body {
    /// The length only: an envelope may contain a password, and what a caller sends is nobody else's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.len() {
            Some(length) => write!(f, "Body({length} bytes)"),
            None => f.write_str("Body(a stream)"),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self(Parts::One(Bytes::new()))
    }
}

impl Body {
    /// A body without content.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A body whose pieces are asked for as they can be sent. With a `length`, in bytes, it is announced and has to be
    /// right; without one, the body is sent in chunks. Such a body can be sent once only: there are no retries, and a reply
    /// which asks for the request again, such as a redirect with status 307, is handed out as it is.
    ///
    /// ```
    /// use zato_outgoing::Body;
    ///
    /// let pieces = [Ok::<_, std::io::Error>(bytes::Bytes::from("a")), Ok(bytes::Bytes::from("b"))];
    /// let body = Body::streamed(futures_util::stream::iter(pieces), Some(2));
    /// assert_eq!(body.len(), Some(2));
    /// assert!(body.try_clone().is_none());
    /// ```
    pub fn streamed<S, E>(stream: S, length: Option<u64>) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Source> + 'static,
    {
        use futures_util::TryStreamExt as _;

        let pieces = Box::pin(stream.map_err(Into::into));
        let stream = Some(Streamed { pieces, remaining: length });
        Self(Parts::Several(Box::new(Several { stream, ..Several::default() })))
    }

    /// Puts `head` before and `tail` after the content.
    #[must_use]
    pub fn framed(self, head: Bytes, tail: Bytes) -> Self {
        let mut several = match self.0 {
            Parts::One(content) => {
                Box::new(Several { pieces: [Bytes::new(), content, Bytes::new()], stream: None })
            }
            Parts::Several(several) => several,
        };
        let [first, _, last] = &mut several.pieces;
        *first = joined(head, std::mem::take(first));
        *last = joined(std::mem::take(last), tail);
        Self(Parts::Several(several))
    }

    fn stream(&self) -> Option<&Streamed> {
        match &self.0 {
            Parts::One(_) => None,
            Parts::Several(several) => several.stream.as_ref(),
        }
    }

    /// All pieces which are no stream.
    fn buffered(&self) -> &[Bytes] {
        match &self.0 {
            Parts::One(content) => std::slice::from_ref(content),
            Parts::Several(several) => &several.pieces,
        }
    }

    /// The number of bytes still to be sent, unless there is a stream of unknown length.
    pub fn len(&self) -> Option<u64> {
        let buffered = self.buffered().iter().map(Bytes::len).sum::<usize>() as u64;
        match self.stream() {
            None => Some(buffered),
            Some(stream) => stream.remaining.map(|remaining| buffered.saturating_add(remaining)),
        }
    }

    /// Whether it is known that nothing is left to be sent.
    pub fn is_empty(&self) -> bool {
        self.stream().is_none() && self.buffered().iter().all(Bytes::is_empty)
    }

    /// The same body once more, sharing its bytes, or `None` if it is a stream, which can be sent only once.
    pub fn try_clone(&self) -> Option<Self> {
        Some(Self(match &self.0 {
            Parts::One(content) => Parts::One(content.clone()),
            Parts::Several(several) if several.stream.is_none() => {
                Parts::Several(Box::new(Several { pieces: several.pieces.clone(), stream: None }))
            }
            Parts::Several(_) => return None,
        }))
    }

    /// The pieces of which the body consists, one after the other, or `None` if it is a stream.
    pub fn pieces(&self) -> Option<&[Bytes]> {
        self.stream().is_none().then(|| self.buffered())
    }
}

/// One piece out of two; it is copied only if there are two.
fn joined(first: Bytes, second: Bytes) -> Bytes {
    match (first.is_empty(), second.is_empty()) {
        (true, _) => second,
        (_, true) => first,
        (false, false) => Bytes::from([first, second].concat()),
    }
}

impl From<Bytes> for Body {
    fn from(content: Bytes) -> Self {
        Self(Parts::One(content))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Parts::One(content) if content.is_empty() => Poll::Ready(None),
            Parts::One(content) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(content))))),
            Parts::Several(several) => several.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self.len() {
            Some(length) => SizeHint::with_exact(length),
            None => SizeHint::default(),
        }
    }
}

impl Several {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Self { pieces, stream } = self;
        let before_stream = if stream.is_some() { 2 } else { 3 };
        if let Some(piece) = pieces[..before_stream].iter_mut().find(|piece| piece.has_remaining()) {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(piece)))));
        }
        let Some(streamed) = stream else { return Poll::Ready(None) };
        let next = match ready!(streamed.pieces.as_mut().poll_next(cx)) {
            Some(Ok(piece)) => match streamed.take(piece.len()) {
                Ok(()) => return Poll::Ready(Some(Ok(Frame::data(piece)))),
                Err(error) => Some(Err(error)),
            },
            Some(Err(error)) => Some(Err(BodyError::Stream(error))),
            None if streamed.remaining.is_some_and(|remaining| remaining > 0) => Some(Err(BodyError::Length)),
            None => {
                let last = std::mem::take(&mut pieces[2]);
                (!last.is_empty()).then(|| Ok(Frame::data(last)))
            }
        };
        *stream = None;
        Poll::Ready(next)
    }
}

impl Streamed {
    /// Counts a piece. One that is longer than announced must not be sent: the rest of it would be taken for the next
    /// request on the same connection.
    fn take(&mut self, length: usize) -> Result<(), BodyError> {
        if let Some(remaining) = &mut self.remaining {
            *remaining = remaining.checked_sub(length as u64).ok_or(BodyError::Length)?;
        }
        Ok(())
    }
}

/// What to send, and the media type that goes with it unless the caller names another one.
#[derive(Debug, Default)]
pub struct Content {
    pub(crate) body: Body,
    pub(crate) media_type: Option<HeaderValue>,
}

/// Whatever can be the body of a request: text and bytes, which are sent as they are, JSON, forms, streams, and `()` for none.
pub trait IntoBody {
    /// What to send.
    ///
    /// # Errors
    ///
    /// [`Failure::EncodeBody`] if the value has no JSON form, [`Failure::InvalidRequest`] if a part of a form is invalid.
    fn into_content(self) -> Result<Content, Failure>;
}

/// A body written as JSON. Its `Content-Type` is `application/json` unless the caller names another one.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoBody for Json<T> {
    fn into_content(self) -> Result<Content, Failure> {
        let bytes = serde_json::to_vec(&self.0).map_err(Failure::EncodeBody)?;
        let media_type = Some(HeaderValue::from_static("application/json"));
        Ok(Content { body: Body::from(Bytes::from(bytes)), media_type })
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

impl IntoBody for Body {
    fn into_content(self) -> Result<Content, Failure> {
        Ok(Content { body: self, media_type: None })
    }
}

impl IntoBody for Bytes {
    fn into_content(self) -> Result<Content, Failure> {
        Body::from(self).into_content()
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

impl IntoBody for &Vec<u8> {
    fn into_content(self) -> Result<Content, Failure> {
        self.as_slice().into_content()
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
    use std::io;

    use futures_util::stream::iter;
    use http_body::Body as _;
    use http_body_util::BodyExt;

    use super::*;

    #[track_caller]
    fn check(body: impl IntoBody, bytes: &[u8], media_type: Option<&str>) {
        let content = body.into_content().unwrap();
        assert_eq!(content.body.pieces().unwrap().concat(), bytes);
        assert_eq!(content.media_type.as_ref().map(|value| value.to_str().unwrap()), media_type);
    }

    /// A body of the pieces of a stream; `!` stands for its failure.
    fn streamed(pieces: &[&'static str], length: Option<u64>) -> Body {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| if *piece == "!" { Err(io::Error::other("gone")) } else { Ok(Bytes::from(*piece)) })
            .collect();
        Body::streamed(iter(pieces), length)
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
        assert_eq!(format!("{body:?}"), "Body(8 bytes)");
        let again = body.try_clone().unwrap().framed(Bytes::from_static(b"<o>"), Bytes::from_static(b"</o>"));
        assert_eq!(again.collect().await.unwrap().to_bytes(), "<o><a>b</a></o>");
        assert_eq!(body.collect().await.unwrap().to_bytes(), "<a>b</a>");
    }

    #[test]
    fn an_empty_body_has_ended() {
        assert!(Body::empty().is_end_stream());
        assert_eq!(Body::empty().len(), Some(0));
    }

    #[test]
    fn a_body_is_as_small_as_its_bytes() {
        assert_eq!(size_of::<Body>(), size_of::<Bytes>());
    }

    #[tokio::test]
    async fn streams_are_framed_too() {
        for length in [Some(3), None] {
            let body =
                streamed(&["b", "cd"], length).framed(Bytes::from_static(b"<"), Bytes::from_static(b">"));
            assert_eq!(body.size_hint().exact(), length.map(|length| length + 2));
            assert!(body.try_clone().is_none());
            assert_eq!(body.collect().await.unwrap().to_bytes(), "<bcd>");
        }
    }

    #[tokio::test]
    async fn a_stream_keeps_its_promises() {
        for (pieces, length, expected) in [
            (&["a", "!"][..], None, "the body's stream failed"),
            (&["a"][..], Some(2), "the body's stream does not have the announced length"),
            (&["a", "bc"][..], Some(2), "the body's stream does not have the announced length"),
        ] {
            let error = streamed(pieces, length).collect().await.unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }
}
