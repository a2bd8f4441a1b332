//! SOAP faults, read from either version and written in either version. Must not know which errors a service has, nor
//! the HTTP status that goes with a fault.

use zato_xml::{Node, escape};

use crate::Version;
use crate::envelope::{child_named, text_of};

/// Who is to blame for a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultCode {
    /// The message can't be processed as it is; sending it again won't help. `Sender` in SOAP 1.2.
    Client,
    /// The message may well be right, but its processing failed. `Receiver` in SOAP 1.2.
    Server,
    /// The envelope is of a version that the receiver does not know.
    VersionMismatch,
    /// A header that must be understood is not.
    MustUnderstand,
    /// Any other code, with its prefix if it has one.
    Other(String),
}

impl FaultCode {
    /// Reads the text of a `faultcode` or `Value`. Its prefix is not looked at, since it is often left out or never declared.
    fn read(code: &str, version: Version) -> Self {
        let name = code.rsplit_once(':').map_or(code, |(_, name)| name);
        match (name, version) {
            ("Client", Version::V11) | ("Sender", Version::V12) => Self::Client,
            ("Server", Version::V11) | ("Receiver", Version::V12) => Self::Server,
            ("VersionMismatch", _) => Self::VersionMismatch,
            ("MustUnderstand", _) => Self::MustUnderstand,
            _ => Self::Other(code.to_owned()),
        }
    }
}

/// What a SOAP message says instead of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Who is to blame.
    pub code: FaultCode,
    /// What happened, for people to read.
    pub string: String,
    /// The URI of the node that found the fault: `faultactor`, `Role` in SOAP 1.2.
    pub actor: Option<String>,
    /// The text in the detail element, without the elements that structure it. The elements themselves are in the
    /// [payload](crate::Envelope::payload) of the envelope that the fault was read from.
    pub detail: Option<String>,
}

impl Fault {
    /// A fault without actor and detail.
    #[must_use]
    pub fn new(code: FaultCode, string: impl Into<String>) -> Self {
        Self { code, string: string.into(), actor: None, detail: None }
    }

    /// Appends the fault as a complete SOAP 1.1 message.
    ///
    /// The layout is, byte for byte, the one that the documentation of the public API shows. The string goes
    /// out as CDATA, so that it reads well in the raw message.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(
            br#"<?xml version='1.0' encoding='UTF-8'?>
<SOAP-ENV:Envelope
  xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"
  xmlns:xsi="http://www.w3.org/1999/XMLSchema-instance"
  xmlns:xsd="http://www.w3.org/1999/XMLSchema">
   <SOAP-ENV:Body>
     <SOAP-ENV:Fault>
     <faultcode>"#,
        );
        match &self.code {
            FaultCode::Client => out.extend_from_slice(b"SOAP-ENV:Client"),
            FaultCode::Server => out.extend_from_slice(b"SOAP-ENV:Server"),
            FaultCode::VersionMismatch => out.extend_from_slice(b"SOAP-ENV:VersionMismatch"),
            FaultCode::MustUnderstand => out.extend_from_slice(b"SOAP-ENV:MustUnderstand"),
            FaultCode::Other(code) => escape::text(code, out),
        }
        out.extend_from_slice(b"</faultcode>\n<faultstring>");
        escape::cdata(&self.string, out);
        out.extend_from_slice(b"</faultstring>\n");
        write_optional("     <faultactor>", self.actor.as_deref(), "</faultactor>\n", out);
        write_optional("     <detail>", self.detail.as_deref(), "</detail>\n", out);
        out.extend_from_slice(b"      </SOAP-ENV:Fault>\n  </SOAP-ENV:Body>\n</SOAP-ENV:Envelope>");
    }

    /// Appends the fault as a complete SOAP 1.2 message.
    ///
    /// SOAP 1.2 has no codes besides its own, so [`FaultCode::Other`] becomes the subcode of a `Receiver` fault.
    pub fn write_v12(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(
            br#"<?xml version='1.0' encoding='UTF-8'?>
<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Body><env:Fault><env:Code><env:Value>"#,
        );
        let (value, subcode) = match &self.code {
            FaultCode::Client => ("env:Sender", None),
            FaultCode::Server => ("env:Receiver", None),
            FaultCode::VersionMismatch => ("env:VersionMismatch", None),
            FaultCode::MustUnderstand => ("env:MustUnderstand", None),
            FaultCode::Other(code) => ("env:Receiver", Some(code.as_str())),
        };
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"</env:Value>");
        write_optional("<env:Subcode><env:Value>", subcode, "</env:Value></env:Subcode>", out);
        out.extend_from_slice(br#"</env:Code><env:Reason><env:Text xml:lang="en">"#);
        escape::cdata(&self.string, out);
        out.extend_from_slice(b"</env:Text></env:Reason>");
        write_optional("<env:Role>", self.actor.as_deref(), "</env:Role>", out);
        write_optional("<env:Detail>", self.detail.as_deref(), "</env:Detail>", out);
        out.extend_from_slice(b"</env:Fault></env:Body></env:Envelope>");
    }

    /// Reads a `Fault` element. What it lacks stays empty: a fault with parts missing is a fault all the same. Real senders
    /// qualify the parts of a SOAP 1.1 fault though they must not, so the namespace of the parts is not looked at.
    pub(crate) fn read(fault: Node<'_, '_>, version: Version) -> Self {
        let (code, string, actor, detail) = match version {
            Version::V11 => {
                let part = |name| child_named(fault, name);
                (part("faultcode"), part("faultstring"), part("faultactor"), part("detail"))
            }
            Version::V12 => {
                let part = |name| child_named(fault, name);
                let code = part("Code").and_then(|code| child_named(code, "Value"));
                (code, part("Reason").and_then(reason_text), part("Role"), part("Detail"))
            }
        };
        let text = |part: Option<Node<'_, '_>>| part.map(|part| text_of(part).into_owned());
        Self {
            code: FaultCode::read(text(code).unwrap_or_default().trim(), version),
            string: text(string).unwrap_or_default(),
            actor: text(actor),
            detail: detail.map(|detail| detail.descendants().filter_map(|node| own_text(&node)).collect()),
        }
    }
}

/// The English one of the texts of a SOAP 1.2 reason, or else the first.
fn reason_text<'d, 'i>(reason: Node<'d, 'i>) -> Option<Node<'d, 'i>> {
    let language = (zato_xml::XML_NAMESPACE, "lang");
    let english = |text: &Node<'_, '_>| text.attribute(language).is_some_and(|lang| lang.starts_with("en"));
    reason.children().find(english).or_else(|| child_named(reason, "Text"))
}

/// The text of a node that is a text, not of one that contains it.
fn own_text<'d>(node: &Node<'d, '_>) -> Option<&'d str> {
    if node.is_text() { node.text() } else { None }
}

fn write_optional(start: &str, text: Option<&str>, end: &str, out: &mut Vec<u8>) {
    if let Some(text) = text {
        out.extend_from_slice(start.as_bytes());
        escape::text(text, out);
        out.extend_from_slice(end.as_bytes());
    }
}
