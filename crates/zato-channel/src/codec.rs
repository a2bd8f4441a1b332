//! From a service's reply to the bytes of its channel's format.
//!
//! Owns everything around a payload that can be written when a channel is configured. It must not know statuses or
//! headers beyond the content type, nor how errors are written.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use bytes::Bytes;
use http::HeaderValue;
use zato_env::{InvalidName, JsonFrame, XmlFrame, ZatoEnv};
use zato_service::{Batches, Output, Registration};
use zato_sio::{EncodeError, XML_LIST_END};
use zato_soap::{Frame, FrameOptions, Version};
use zato_xml::escape;

/// What XML replies of services are called that name no element of their own: XML can't do without.
const DEFAULT_ELEMENT: &str = "response";

/// The smallest buffer for a reply. Beyond it the next reply gets a buffer as long as the last one was: replies of one service
/// are often of one length, and a buffer that is full becomes a body without a further allocation.
const MINIMUM_CAPACITY: usize = 64;

/// Larger replies than this don't make the buffers of those after them larger.
const MAXIMUM_CAPACITY: usize = 64 * 1024;

/// How a channel reads bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    Json,
    Xml,
    Soap,
    Raw,
}

/// What errors are wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorShape {
    Json,
    Soap(Version),
    Text,
}

impl ErrorShape {
    /// Without a channel nothing says what its caller reads, except on the paths of the public API.
    pub(crate) fn of_path(path: &str) -> Self {
        let is_under =
            |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if ["/zato/json", "/zato/api", "/zato/admin"].into_iter().any(is_under) {
            Self::Json
        } else if is_under("/zato/soap") {
            Self::Soap(Version::V11)
        } else {
            Self::Text
        }
    }
}

/// The generation of a SOAP client. Later clients of the public API look for its elements in another namespace and
/// can't read an XML declaration that names an encoding; they are known by the namespace that they write themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Documented,
    V1,
}

impl Dialect {
    pub(crate) const V1_NAMESPACE: &str = "https://zato.io/ns/v1";
}

/// A channel's way to read requests and to write replies.
#[derive(Debug)]
pub(crate) struct Codec {
    format: Format,
    content_type: HeaderValue,
    /// How long the last reply was; the next one is probably as long.
    last_size: AtomicUsize,
}

#[derive(Debug)]
enum Format {
    /// A `zato_env` beside the payload.
    JsonWithEnvelope(JsonFrame),
    /// What precedes and what follows the payload.
    Json {
        head: Vec<u8>,
        tail: &'static [u8],
    },
    Xml(XmlFrame),
    Soap(SoapFormat),
    Raw,
}

#[derive(Debug)]
struct SoapFormat {
    element: XmlFrame,
    envelope: Frame,
    /// The envelope in the namespace of later clients, for the services of the public API.
    envelope_v1: Option<Frame>,
    /// The name of the payload's element.
    element_name: Box<str>,
    /// Bytes of an internal service are a whole message, unless it calls them something else; those of other services
    /// stand inside the envelope.
    wraps_raw: bool,
}

impl SoapFormat {
    /// A document in another format, as the text of the payload's element.
    fn text(&self, document: &[u8]) -> Vec<u8> {
        let mut out = self.envelope.head().to_vec();
        for part in ["<", &self.element_name, ">"] {
            out.extend_from_slice(part.as_bytes());
        }
        escape::text(&String::from_utf8_lossy(document), &mut out);
        for part in ["</", &self.element_name, ">"] {
            out.extend_from_slice(part.as_bytes());
        }
        out.extend_from_slice(self.envelope.tail());
        out
    }
}

/// A reply's body.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) body: Bytes,
    pub(crate) content_type: HeaderValue,
}

/// A reply whose list goes on.
#[derive(Debug)]
pub(crate) struct Begun {
    /// Everything up to the items at hand.
    pub(crate) beginning: Encoded,
    pub(crate) rest: ListRest,
}

/// How the batches after the first one are written, and what follows the last one.
#[derive(Clone, Debug)]
pub(crate) struct ListRest {
    format: ListFormat,
    end: Bytes,
}

#[derive(Clone, Copy, Debug)]
enum ListFormat {
    Json,
    Xml,
}

impl ListRest {
    /// Appends the items at hand to those that were written before.
    pub(crate) fn write(&self, batches: &dyn Batches, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self.format {
            ListFormat::Json => {
                out.push(b',');
                batches.write_json_items(out)
            }
            ListFormat::Xml => batches.write_xml_items(out),
        }
    }

    /// Appends what follows the last item.
    pub(crate) fn end(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.end);
    }
}

impl Codec {
    fn new(format: Format, content_type: &'static str) -> Self {
        Self {
            format,
            content_type: HeaderValue::from_static(content_type),
            last_size: AtomicUsize::new(MINIMUM_CAPACITY),
        }
    }

    pub(crate) fn json(service: &Registration) -> Self {
        let element = service.response_element();
        let format = if service.has_json_envelope() {
            Format::JsonWithEnvelope(JsonFrame::new(element))
        } else if let Some(element) = element {
            let name = serde_json::Value::from(element);
            Format::Json { head: format!("{{{name}:").into_bytes(), tail: b"}" }
        } else {
            Format::Json { head: Vec::new(), tail: b"" }
        };
        Self::new(format, "application/json")
    }

    pub(crate) fn xml(service: &Registration) -> Result<Self, InvalidName> {
        Ok(Self::new(Format::Xml(element(service, service.namespace())?), "application/xml"))
    }

    pub(crate) fn soap(version: Version, service: &Registration) -> Result<Self, InvalidName> {
        let envelope = |default_namespace| {
            Frame::new(&FrameOptions {
                version,
                declaration: !service.is_internal(),
                default_namespace,
                ..FrameOptions::default()
            })
        };
        let namespace = service.namespace();
        let format = SoapFormat {
            // The envelope declares the namespace already.
            element: element(service, None)?,
            envelope: envelope(namespace),
            envelope_v1: (namespace == Some(zato_env::NAMESPACE))
                .then(|| envelope(Some(Dialect::V1_NAMESPACE))),
            element_name: service.response_element().unwrap_or(DEFAULT_ELEMENT).into(),
            wraps_raw: !service.is_internal(),
        };
        Ok(Self::new(Format::Soap(format), version.content_type()))
    }

    pub(crate) fn raw() -> Self {
        Self::new(Format::Raw, "text/plain")
    }

    pub(crate) fn reading(&self) -> Reading {
        match &self.format {
            Format::JsonWithEnvelope(_) | Format::Json { .. } => Reading::Json,
            Format::Xml(_) => Reading::Xml,
            Format::Soap(_) => Reading::Soap,
            Format::Raw => Reading::Raw,
        }
    }

    pub(crate) fn error_shape(&self) -> ErrorShape {
        match &self.format {
            Format::JsonWithEnvelope(_) | Format::Json { .. } => ErrorShape::Json,
            Format::Soap(format) => ErrorShape::Soap(format.envelope.version()),
            Format::Xml(_) | Format::Raw => ErrorShape::Text,
        }
    }

    /// Writes a reply.
    pub(crate) fn encode(
        &self,
        output: &dyn Output,
        env: &ZatoEnv<'_>,
        dialect: Dialect,
    ) -> Result<Encoded, EncodeError> {
        if let Some(raw) = output.raw() {
            return Ok(match &self.format {
                Format::Soap(format) if format.wraps_raw => {
                    let mut out = Vec::new();
                    format.envelope.wrap(&raw.body, &mut out);
                    self.encoded(out)
                }
                Format::Soap(format) if raw.content_type.is_some() => self.encoded(format.text(&raw.body)),
                _ => Encoded {
                    body: raw.body.clone(),
                    content_type: raw.content_type.as_ref().unwrap_or(&self.content_type).clone(),
                },
            });
        }
        let mut out = Vec::with_capacity(self.last_size.load(Relaxed));
        self.write(output, env, dialect, &mut out)?;
        let size = out.len().clamp(MINIMUM_CAPACITY, MAXIMUM_CAPACITY);
        if self.last_size.load(Relaxed) != size {
            self.last_size.store(size, Relaxed);
        }
        Ok(self.encoded(out))
    }

    /// Writes a reply up to the items at hand, for a list of which there are more.
    pub(crate) fn begin(
        &self,
        output: &dyn Output,
        env: &ZatoEnv<'_>,
        dialect: Dialect,
    ) -> Result<Begun, EncodeError> {
        let (format, enclosing) = match &self.format {
            Format::Xml(_) | Format::Soap(_) => (ListFormat::Xml, XML_LIST_END),
            Format::JsonWithEnvelope(_) | Format::Json { .. } | Format::Raw => (ListFormat::Json, "]"),
        };
        let mut out = Vec::with_capacity(MAXIMUM_CAPACITY);
        let end_of_list = self.write(output, env, dialect, &mut out)?;
        let end = out.split_off(end_of_list.saturating_sub(enclosing.len()));
        Ok(Begun { beginning: self.encoded(out), rest: ListRest { format, end: end.into() } })
    }

    /// Appends a reply, and says where its payload ends.
    fn write(
        &self,
        output: &dyn Output,
        env: &ZatoEnv<'_>,
        dialect: Dialect,
        out: &mut Vec<u8>,
    ) -> Result<usize, EncodeError> {
        let mut end = 0;
        match &self.format {
            Format::JsonWithEnvelope(frame) => {
                frame.write(out, env, |out| json_members(output, out).map(|found| end = found))?;
            }
            Format::Json { head, tail } => {
                out.extend_from_slice(head);
                end = json_members(output, out)?;
                if out.len() == head.len() {
                    out.clear();
                    out.extend_from_slice(b"{}");
                } else {
                    out.extend_from_slice(tail);
                }
            }
            Format::Xml(frame) => {
                out.extend_from_slice(b"<?xml version='1.0' encoding='UTF-8'?>\n");
                frame.write(out, env, |out| xml_payload(output, out).map(|found| end = found))?;
            }
            Format::Soap(format) => {
                let envelope = match (dialect, &format.envelope_v1) {
                    (Dialect::V1, Some(envelope)) => envelope,
                    _ => &format.envelope,
                };
                out.extend_from_slice(envelope.head());
                format.element.write(out, env, |out| xml_payload(output, out).map(|found| end = found))?;
                out.extend_from_slice(envelope.tail());
            }
            Format::Raw => {
                text(output, out)?;
                end = out.len();
            }
        }
        Ok(end)
    }

    fn encoded(&self, body: Vec<u8>) -> Encoded {
        Encoded { body: body.into(), content_type: self.content_type.clone() }
    }
}

fn element(service: &Registration, namespace: Option<&str>) -> Result<XmlFrame, InvalidName> {
    XmlFrame::new(service.response_element().unwrap_or(DEFAULT_ELEMENT), namespace)
}

/// Writes the payload, or nothing for a reply without one.
fn json_payload(output: &dyn Output, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = out.len();
    output.write_json(out)?;
    if &out[start..] == b"null" {
        out.truncate(start);
    }
    Ok(())
}

/// Writes the payload as the value of a member, and the members beside it. Says where the payload ends.
fn json_members(output: &dyn Output, out: &mut Vec<u8>) -> Result<usize, EncodeError> {
    json_payload(output, out)?;
    let end = out.len();
    output.page().map_or(Ok(()), |page| page.write_json(out))?;
    Ok(end)
}

/// Writes the payload, and the element after it. Says where the payload ends.
fn xml_payload(output: &dyn Output, out: &mut Vec<u8>) -> Result<usize, EncodeError> {
    output.write_xml(out)?;
    let end = out.len();
    output.page().map_or(Ok(()), |page| page.write_xml(out))?;
    Ok(end)
}

/// A typed reply where there is no data format: a text as it is, anything else as JSON.
fn text(output: &dyn Output, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    json_payload(output, out)?;
    if out.first() == Some(&b'"')
        && let Ok(text) = serde_json::from_slice::<String>(out)
    {
        out.clear();
        out.extend_from_slice(text.as_bytes());
    }
    Ok(())
}
