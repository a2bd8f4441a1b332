//! The response of a call.
//!
//! Owns reading a reply: its head, and its body as bytes, text, JSON or SOAP, whole or piece by piece. It does not know how
//! the reply got here.

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use http::header::CONTENT_TYPE;
use http::{Extensions, HeaderMap, StatusCode, Uri, Version};
use http_body::Body as _;
use hyper::ext::ReasonPhrase;
use serde::de::DeserializeOwned;
use zato_soap::{Envelope, Fault, ReadError};
use zato_xml::{Document, Limits, Node};

use crate::call::Outcome;
use crate::error::{CallError, Failure};
use crate::layers::prefetch::{Collected, Prefetched, TooLarge};
use crate::layers::redirect::{Hop, Redirected};
use crate::progress::{Phase, Timing};
use crate::stack::ReplyBody;

/// The reply to a call. Its status may be any: see [`Response::raise_for_status`].
pub struct Response {
    head: http::response::Parts,
    /// What has been read of the body: all of it, unless the call was made with `prefetch(false)`.
    whole: Bytes,
    /// What is left to be read. Boxed because most replies have been read.
    rest: Option<Box<Rest>>,
    /// Whether the body broke off while it was read.
    is_broken: bool,
    outcome: Outcome,
}

struct Rest {
    body: ReplyBody,
    /// What [`Response::read`] has read of it. It stays here if the caller gives up, and goes on from here.
    collected: Collected,
}

impl fmt::Debug for Response {
    /// Neither headers nor the body, nor the query of the URL: they may have secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("connection", &self.outcome.conn.0.name)
            .field("cid", &self.outcome.cid)
            .field("status", &self.status())
            .field("version", &self.version())
            .field("bytes", &self.whole.len())
            .finish_non_exhaustive()
    }
}

impl Response {
    pub(crate) fn new(response: http::Response<Prefetched<ReplyBody>>, outcome: Outcome) -> Self {
        let (head, body) = response.into_parts();
        let (whole, rest) = match body {
            Prefetched::Whole(whole) => (whole, None),
            Prefetched::Stream(body) => {
                (Bytes::new(), Some(Box::new(Rest { body, collected: Collected::default() })))
            }
        };
        Self { head, whole, rest, is_broken: false, outcome }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The reason phrase: the other side's own one, or else the usual one of the status, or nothing.
    pub fn reason(&self) -> &str {
        let own = self.head.extensions.get::<ReasonPhrase>();
        own.and_then(|reason| std::str::from_utf8(reason.as_bytes()).ok())
            .or_else(|| self.head.status.canonical_reason())
            .unwrap_or_default()
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The first header of a name, whatever its capitals, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// The URL that this reply came from, parameters included: the one that was called, or the one to which redirects led.
    pub fn url(&self) -> &Uri {
        self.redirected().map_or_else(|| self.outcome.url(), |redirected| &redirected.url)
    }

    /// The replies which redirected the call, in their order; usually there are none.
    pub fn history(&self) -> &[Hop] {
        self.redirected().map_or(&[], |redirected| &redirected.history)
    }

    pub(crate) fn redirected(&self) -> Option<&Redirected> {
        self.head.extensions.get()
    }

    /// The version of HTTP that was spoken.
    pub fn version(&self) -> Version {
        self.head.version
    }

    pub(crate) fn extensions(&self) -> &Extensions {
        &self.head.extensions
    }

    /// How many attempts the call took; 1 if it was not made again.
    pub fn attempts(&self) -> u32 {
        self.outcome.progress.attempts()
    }

    /// How long the call took until this response was handed out.
    pub fn elapsed(&self) -> Duration {
        self.timing().total()
    }

    /// How long each phase of the call took until this response was handed out.
    pub fn timing(&self) -> Timing {
        let progress = &self.outcome.progress;
        progress.reply_timing().unwrap_or_else(|| progress.timing())
    }

    /// The body as it came, as far as it has been read: all of it, unless the call was made with `prefetch(false)`; then
    /// nothing before [`Response::read`].
    pub fn bytes(&self) -> &Bytes {
        &self.whole
    }

    /// The body, as far as it has been read, as text, in the charset of its `Content-Type`; UTF-8 if that names none or one
    /// that is unknown. A byte order mark wins over both. What is not text in that charset becomes U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        self.charset().decode(&self.whole).0
    }

    fn charset(&self) -> &'static Encoding {
        self.header(CONTENT_TYPE.as_str()).and_then(charset_of).unwrap_or(UTF_8)
    }

    /// The body read as JSON, after a byte order mark if there is one.
    ///
    /// # Errors
    ///
    /// [`Failure::DecodeBody`] if it is not JSON, or not of the form of `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        // The mark says how the rest is encoded, and only that of UTF-8 leaves nothing to be decoded.
        let json = match Encoding::for_bom(&self.whole) {
            Some((encoding, length)) if encoding == UTF_8 => serde_json::from_slice(&self.whole[length..]),
            None if self.charset() == UTF_8 => serde_json::from_slice(&self.whole),
            _ => serde_json::from_str(&self.text()),
        };
        json.map_err(|error| self.error(Failure::DecodeBody(error)))
    }

    /// The body as XML. A byte order mark or the charset of the `Content-Type` says how it is encoded, or else its declaration
    /// (RFC 7303, 3), which is left out where another one counts.
    fn xml_text(&self) -> Cow<'_, str> {
        let named = self.header(CONTENT_TYPE.as_str()).and_then(charset_of);
        let encoding = named.or_else(|| declared(&self.whole)).unwrap_or(UTF_8);
        let (text, used, _) = encoding.decode(&self.whole);
        let label = declared_label(&self.whole).filter(|label| !label.eq_ignore_ascii_case("utf-8"));
        let is_overruled = named.is_some() && label.is_some();
        if used == UTF_8 && !is_overruled {
            return text;
        }
        let start = declaration(text.as_bytes()).map_or(0, |declaration| declaration.len() + DECLARED.len());
        match text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[start..]),
            Cow::Owned(text) => Cow::Owned(text[start..].to_owned()),
        }
    }

    /// The body read as XML, of which `read` takes what it needs. The document's size, depth and number of nodes are limited,
    /// and it has no document type declaration, as [`zato_xml::parse`] has it.
    ///
    /// # Errors
    ///
    /// [`zato_xml::ReadError`] if it is not such XML.
    pub fn xml<R>(&self, read: impl FnOnce(&Document<'_>) -> R) -> Result<R, zato_xml::ReadError> {
        let text = self.xml_text();
        Ok(read(&zato_xml::parse(&text, &Limits::default())?))
    }

    /// The first element in the body of the reply's SOAP envelope, of which `read` takes what it needs; `None` if the body is
    /// empty. A fault is an error.
    ///
    /// ```no_run
    /// # async fn example(bank: &zato_outgoing::Conn, cid: zato_cid::Cid) -> Result<(), Box<dyn std::error::Error>> {
    /// let response = bank.post(cid, "<get_balance/>").await?;
    /// let balance = response.soap_payload(|payload| payload?.text().map(str::to_owned))?;
    /// # let _ = balance;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SoapError::Fault`] if the other side replied with a fault, [`SoapError::Read`] if the body is no envelope.
    pub fn soap_payload<R>(&self, read: impl FnOnce(Option<Node<'_, '_>>) -> R) -> Result<R, SoapError> {
        let text = self.xml_text();
        let document = zato_xml::parse(&text, &Limits::default()).map_err(ReadError::Xml)?;
        let envelope = Envelope::of(&document)?;
        match envelope.fault() {
            Some(fault) => Err(SoapError::Fault(Box::new(fault))),
            None => Ok(read(envelope.payload())),
        }
    }

    /// The body read as a SOAP envelope, of which `read` takes what it needs.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if it is no envelope.
    pub fn soap<R>(&self, read: impl FnOnce(Envelope<'_, '_>) -> R) -> Result<R, ReadError> {
        let text = self.xml_text();
        let document = zato_xml::parse(&text, &Limits::default()).map_err(ReadError::Xml)?;
        Ok(read(Envelope::of(&document)?))
    }

    /// The fault in the body's SOAP envelope, if that is what the other side replied with.
    ///
    /// # Errors
    ///
    /// [`ReadError`] if the body is no envelope.
    pub fn soap_fault(&self) -> Result<Option<Fault>, ReadError> {
        self.soap(|envelope| envelope.fault())
    }

    /// This response, unless its status is 4xx or 5xx.
    ///
    /// # Errors
    ///
    /// [`Failure::Status`] if it is.
    pub fn raise_for_status(self) -> Result<Self, CallError> {
        let status = self.status();
        if status.is_client_error() || status.is_server_error() {
            Err(self.error(Failure::Status { status }))
        } else {
            Ok(self)
        }
    }

    /// The next piece of a body that is read piece by piece, or `None` at its end. Of a body that has been read already, all
    /// of it is the one piece. Each wait for a piece may take as long as the call's time-out.
    ///
    /// # Errors
    ///
    /// [`Failure::CutOff`] and [`Failure::TimedOut`]; there is nothing more to read then.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, CallError> {
        if !self.whole.is_empty() {
            return Ok(Some(std::mem::take(&mut self.whole)));
        }
        if let Some(rest) = &mut self.rest
            && !rest.collected.is_empty()
        {
            return Ok(Some(std::mem::take(&mut rest.collected).into_bytes()));
        }
        self.next_piece().await
    }

    async fn next_piece(&mut self) -> Result<Option<Bytes>, CallError> {
        while let Some(rest) = &mut self.rest {
            let frame = poll_fn(|cx| Pin::new(&mut rest.body).poll_frame(cx));
            let result = match tokio::time::timeout(self.outcome.timeout, frame).await {
                Ok(Some(Ok(frame))) => Ok(frame),
                Ok(Some(Err(failure))) => Err(failure),
                Ok(None) => break,
                Err(_) => Err(Failure::TimedOut { phase: Phase::Body }),
            };
            match result {
                // Trailers are no piece of the body.
                Ok(frame) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Ok(Some(data)),
                    Ok(_) | Err(_) => {}
                },
                Err(failure) => {
                    // Dropping it closes the connection, whose remaining content nobody will read.
                    self.rest = None;
                    self.is_broken = true;
                    return Err(self.error(failure));
                }
            }
        }
        if let Some(rest) = self.rest.take() {
            self.whole = rest.collected.into_bytes();
        }
        Ok(None)
    }

    /// Reads what is left of the body, up to the connection's limit, so that [`text`](Self::text) and the like have it. If the
    /// future is dropped, the next one goes on where it was.
    ///
    /// # Errors
    ///
    /// As [`Response::chunk`], and [`Failure::TooLarge`].
    pub async fn read(&mut self) -> Result<&Bytes, CallError> {
        let limit = self.outcome.conn.0.response_limit;
        self.read_within(limit).await?;
        Ok(&self.whole)
    }

    /// The whole body, of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// As [`Response::chunk`], and [`Failure::TooLarge`].
    pub async fn into_bytes(mut self, limit: usize) -> Result<Bytes, CallError> {
        self.read_within(limit).await?;
        Ok(self.whole)
    }

    async fn read_within(&mut self, limit: usize) -> Result<(), CallError> {
        if self.is_broken {
            return Err(self.error(Failure::CutOff("its body broke off before".into())));
        }
        if let Some(rest) = &mut self.rest {
            rest.collected.limit_to(limit);
        } else if self.whole.len() > limit {
            return Err(self.error(TooLarge { limit }.into()));
        }
        while self.rest.is_some() {
            let piece = self.next_piece().await?;
            let Some((rest, data)) = self.rest.as_mut().zip(piece) else { break };
            if let Err(error) = rest.collected.push(data, rest.body.size_hint().lower()) {
                self.rest = None;
                self.is_broken = true;
                return Err(self.error(error.into()));
            }
        }
        Ok(())
    }

    /// The body as a stream of its pieces. The other side is held up as long as nobody asks for the next one.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, CallError>> + Send {
        try_unfold(self, async |mut response| Ok(response.chunk().await?.map(|piece| (piece, response))))
    }

    fn error(&self, failure: Failure) -> CallError {
        self.outcome.error(failure)
    }
}

/// A reply which is not the SOAP message that the caller expected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SoapError {
    /// The other side replied with a fault.
    #[error("the reply is a SOAP fault: {}", .0.string)]
    Fault(Box<Fault>),
    /// The reply is no SOAP envelope.
    #[error("the reply is not a SOAP envelope")]
    Read(#[from] ReadError),
}

/// The end of an XML declaration.
const DECLARED: &str = "?>";

/// How long an XML declaration may be, in bytes.
const LONGEST_DECLARATION: usize = 200;

/// An XML declaration (XML 1.0, 2.8) without its end, if that is what a text begins with.
fn declaration(text: &[u8]) -> Option<&str> {
    let head = &text[..text.len().min(LONGEST_DECLARATION)];
    let end = head.windows(DECLARED.len()).position(|bytes| bytes == DECLARED.as_bytes())?;
    std::str::from_utf8(&head[..end]).ok().filter(|declaration| declaration.starts_with("<?xml"))
}

/// The encoding that an XML declaration names, if it is one in which the declaration can be read as it was.
fn declared(text: &[u8]) -> Option<&'static Encoding> {
    let label = declared_label(text)?;
    Encoding::for_label(label.as_bytes()).filter(|encoding| encoding.is_ascii_compatible())
}

/// What an XML declaration calls the encoding.
fn declared_label(text: &[u8]) -> Option<&str> {
    let (_, value) = declaration(text)?.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value[1..].split_once(quote).map(|(label, _)| label)
}

/// The charset parameter of a media type (RFC 9110, 8.3.1), quoted or not. Some servers quote it as XML does.
fn charset_of(content_type: &str) -> Option<&'static Encoding> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        name.trim().eq_ignore_ascii_case("charset").then(|| Encoding::for_label(value.as_bytes())).flatten()
    })
}

#[cfg(test)]
mod tests {
    use encoding_rs::{ISO_8859_2, WINDOWS_1252};

    use super::*;

    #[track_caller]
    fn check(content_type: &str, expected: Option<&'static Encoding>) {
        assert_eq!(charset_of(content_type), expected, "{content_type}");
    }

    #[test]
    fn charsets() {
        check("text/plain", None);
        check("text/plain; charset=utf-8", Some(UTF_8));
        check("text/xml;charset=\"ISO-8859-2\"", Some(ISO_8859_2));
        check("text/xml; charset='iso-8859-2'", Some(ISO_8859_2));
        check("text/plain; format=flowed; CHARSET = latin1", Some(WINDOWS_1252));
        check("text/plain; charset=klingon", None);
        check("charset=utf-8", None);
    }

    #[test]
    fn declared_encodings() {
        let check = |text: &str, expected: Option<&'static Encoding>| {
            assert_eq!(declared(text.as_bytes()), expected, "{text}");
        };
        check("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>", Some(WINDOWS_1252));
        check("<?xml version='1.0' encoding = 'iso-8859-2' ?><a/>", Some(ISO_8859_2));
        check("<?xml version='1.0'?><a encoding='iso-8859-2'/>", None);
        check("<?xml encoding=", None);
        check("<?xml encoding=x?>", None);
        check("<?xml encoding='UTF-16'?><a/>", None);
        check("<a/>", None);
        check("", None);
    }
}
