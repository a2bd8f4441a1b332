//! From a request's body to what its service is called with.
//!
//! Owns the reading of bodies by their channel's data format. It must not know services' types: those are decoded
//! from what is found here.

use bytes::Bytes;
use http::HeaderMap;
use zato_service::{Error, ErrorKind, Input, Registration};
use zato_soap::{Envelope, ReadError};
use zato_xml::{Document, Limits, Node};

use crate::codec::{Dialect, Reading};
use crate::media;

/// A body, read as far as its data format goes.
#[derive(Debug)]
pub(crate) enum Payload<'b> {
    Empty,
    Json(Bytes),
    Xml(Document<'b>),
    Soap(Document<'b>),
    Raw,
}

impl<'b> Payload<'b> {
    /// Reads a body as its channel reads bodies, whatever its media type is.
    pub(crate) fn read(
        reading: Reading,
        headers: &HeaderMap,
        body: &'b Bytes,
        limits: &Limits,
    ) -> Result<Self, Error> {
        if reading == Reading::Raw {
            return Ok(if body.is_empty() { Self::Empty } else { Self::Raw });
        }
        media::check(headers).map_err(|text| Error::new(ErrorKind::UnsupportedMediaType, text))?;
        match reading {
            Reading::Json => {
                let start = if body.starts_with("\u{FEFF}".as_bytes()) { "\u{FEFF}".len() } else { 0 };
                Ok(Self::Json(body.slice(start..)))
            }
            Reading::Xml if body.trim_ascii().is_empty() => Ok(Self::Empty),
            Reading::Xml => Ok(Self::Xml(document(body, limits)?)),
            Reading::Soap => Ok(Self::Soap(document(body, limits)?)),
            Reading::Raw => Ok(Self::Raw),
        }
    }

    /// The element that has those of the service's input in it, under the name that the service expects.
    pub(crate) fn root(&self, service: &Registration) -> Result<Option<Node<'_, '_>>, Error> {
        let root = match self {
            Self::Empty | Self::Json(_) | Self::Raw => return Ok(None),
            Self::Xml(document) => document.root_element(),
            Self::Soap(document) => {
                let envelope = Envelope::of(document).map_err(unreadable)?;
                let mut payloads = envelope.payloads();
                // A service without input, or one whose input is optional, is asked for with an empty body: no
                // elements where elements are looked for.
                let Some(payload) = payloads.next() else { return Ok(Some(envelope.body())) };
                if let Some(second) = payloads.next() {
                    let (first, second) = (payload.tag_name().name(), second.tag_name().name());
                    return Err(Error::bad_request(format!(
                        "The SOAP Body has more than one element: `{}` is followed by `{}`",
                        media::shortened(first),
                        media::shortened(second)
                    )));
                }
                payload
            }
        };
        let found = root.tag_name().name();
        match service.request_element() {
            Some(expected) if expected != found => Err(Error::bad_request(format!(
                "Expected the element `{expected}`, found `{}`",
                media::shortened(found)
            ))),
            _ => Ok(Some(root)),
        }
    }

    /// What the service is called with.
    pub(crate) fn input<'a>(&'a self, root: Option<Node<'a, 'a>>, body: &'a Bytes) -> Input<'a> {
        match (self, root) {
            (Self::Json(bytes), _) => Input::Json(bytes),
            (Self::Raw, _) => Input::Raw(body),
            (Self::Xml(_) | Self::Soap(_), Some(root)) => Input::Xml { root, raw: body },
            (Self::Empty | Self::Xml(_) | Self::Soap(_), _) => Input::Empty,
        }
    }
}

/// Parses a body as XML.
pub(crate) fn document<'b>(body: &'b Bytes, limits: &Limits) -> Result<Document<'b>, Error> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let place = error.valid_up_to();
        Error::bad_request(format!(
            "The body is not in UTF-8: its first {place} bytes are, then comes another one"
        ))
    })?;
    zato_xml::parse(text, limits).map_err(|error| unreadable(error.into()))
}

#[expect(clippy::needless_pass_by_value, reason = "it is an adapter for `map_err`, which passes by value")]
fn unreadable(error: ReadError) -> Error {
    let kind = match &error {
        ReadError::Xml(zato_xml::ReadError::Encoding { .. }) => ErrorKind::UnsupportedMediaType,
        ReadError::Xml(zato_xml::ReadError::TooLarge { .. }) => ErrorKind::PayloadTooLarge,
        _ => ErrorKind::BadRequest,
    };
    // The parser's own words stand in the message because the message is all that some callers look at.
    let cause = std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
    Error::new(kind, format!("The body can't be read as XML: {error}{cause}"))
}

/// The namespace of a request's payload tells which generation of clients sent it.
pub(crate) fn dialect(root: Option<Node<'_, '_>>) -> Dialect {
    match root.and_then(|root| root.tag_name().namespace()) {
        Some(Dialect::V1_NAMESPACE) => Dialect::V1,
        _ => Dialect::Documented,
    }
}
