//! Everything of an envelope that stands around a body, written ahead of the messages. Must not know what is put in.

use std::fmt;

use zeroize::Zeroizing;

use zato_xml::escape;

use crate::Version;

/// The text before and after the content of a body.
///
/// A frame is written once, when a channel or a connection is configured; a message then costs two copies. Since
/// a header may carry a password, a frame is wiped from memory when dropped, and `Debug` does not show it.
#[derive(Clone)]
pub struct Frame {
    version: Version,
    head: Zeroizing<Vec<u8>>,
    tail: Vec<u8>,
}

/// What a [`Frame`] says.
///
/// Prefixes and header are written as they are: they come from the program, never from a message. Namespaces are escaped.
#[derive(Clone, Copy)]
pub struct FrameOptions<'a> {
    /// The version of the envelope. Default: SOAP 1.1.
    pub version: Version,
    /// The prefix of the envelope's namespace, an XML name without colon. Default: `soap`.
    pub prefix: &'a str,
    /// Whether the XML declaration comes first. Default: no.
    pub declaration: bool,
    /// The namespace of unprefixed elements in the body. Default: none.
    pub default_namespace: Option<&'a str>,
    /// More prefixes and their namespaces, for use in header and body. Default: none.
    pub extra_namespaces: &'a [(&'a str, &'a str)],
    /// The content of the `Header` element as well-formed XML; the empty string for an empty `Header`. Default: no `Header` at all.
    pub header: Option<&'a str>,
}

impl Default for FrameOptions<'_> {
    fn default() -> Self {
        Self {
            version: Version::V11,
            prefix: "soap",
            declaration: false,
            default_namespace: None,
            extra_namespaces: &[],
            header: None,
        }
    }
}

impl fmt::Debug for FrameOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameOptions")
            .field("version", &self.version)
            .field("prefix", &self.prefix)
            .field("declaration", &self.declaration)
            .field("default_namespace", &self.default_namespace)
            .field("extra_namespaces", &self.extra_namespaces)
            .field("header", &self.header.map(|_| "..."))
            .finish()
    }
}

impl Frame {
    /// Writes the frame that `options` describe.
    #[must_use]
    pub fn new(options: &FrameOptions<'_>) -> Self {
        let prefix = options.prefix;
        let mut start = Vec::new();
        if options.declaration {
            start.extend_from_slice(b"<?xml version='1.0' encoding='UTF-8'?>\n");
        }
        push(&mut start, &["<", prefix, ":Envelope"]);
        declare(&mut start, Some(prefix), options.version.namespace());
        if let Some(namespace) = options.default_namespace {
            declare(&mut start, None, namespace);
        }
        for (extra, namespace) in options.extra_namespaces {
            declare(&mut start, Some(extra), namespace);
        }
        start.push(b'>');

        let header_parts =
            options.header.map(|header| ["<", prefix, ":Header>", header, "</", prefix, ":Header>"]);
        let header_parts = header_parts.as_ref().map_or(&[][..], |parts| parts);
        let body_parts = ["<", prefix, ":Body>"];
        // The header may be secret. With its final capacity the buffer never moves, so no copy is left behind.
        let len = start.len() + header_parts.iter().chain(&body_parts).map(|part| part.len()).sum::<usize>();
        let mut head = Zeroizing::new(Vec::with_capacity(len));
        head.extend_from_slice(&start);
        push(&mut head, header_parts);
        push(&mut head, &body_parts);

        let mut tail = Vec::new();
        push(&mut tail, &["</", prefix, ":Body></", prefix, ":Envelope>"]);
        Self { version: options.version, head, tail }
    }

    /// The version of the envelope, which also tells the content type.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// What precedes the content of the body.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// What follows the content of the body.
    #[must_use]
    pub fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// Appends a whole message around `body`, which is zero or more elements as well-formed XML.
    pub fn wrap(&self, body: &[u8], out: &mut Vec<u8>) {
        out.reserve(self.head.len() + body.len() + self.tail.len());
        out.extend_from_slice(&self.head);
        out.extend_from_slice(body);
        out.extend_from_slice(&self.tail);
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("version", &self.version).finish_non_exhaustive()
    }
}

fn push(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

fn declare(out: &mut Vec<u8>, prefix: Option<&str>, namespace: &str) {
    match prefix {
        Some(prefix) => push(out, &[" xmlns:", prefix, "=\""]),
        None => push(out, &[" xmlns=\""]),
    }
    escape::attribute(namespace, out);
    out.push(b'"');
}
