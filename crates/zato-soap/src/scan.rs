//! The guard before the XML parser: one pass over the markup that enforces every limit before the parser allocates.
//!
//! It must find the same elements as the parser in every text that the parser accepts. It needs not find what is wrong with other
//! texts: up to the place of an error both agree, and there the parser stops.

use memchr::memmem;
use memchr::{memchr, memchr3};

use crate::read::Position;
use crate::{Limits, ReadError};

/// Checks `text` against `limits`, for a document type declaration and for a foreign encoding.
pub(crate) fn check(text: &str, limits: &Limits) -> Result<(), ReadError> {
    if text.len() > limits.max_bytes {
        return Err(ReadError::TooLarge { found: text.len(), limit: limits.max_bytes });
    }
    check_encoding(text)?;
    Scan { text, limits, nodes: 0, in_scope: Vec::with_capacity(16) }.run()
}

/// Refuses a declared encoding in which the text would mean something else than in UTF-8.
fn check_encoding(text: &str) -> Result<(), ReadError> {
    let Some((declaration, _)) =
        text.trim_start_matches('\u{FEFF}').strip_prefix("<?xml ").and_then(|rest| rest.split_once("?>"))
    else {
        return Ok(());
    };
    let value = declaration.split_once("encoding").and_then(|(_, rest)| rest.trim_start().strip_prefix('='));
    let Some(value) = value else { return Ok(()) };
    let found =
        value.trim_start().trim_start_matches(['"', '\'']).split(['"', '\'']).next().unwrap_or_default();
    if ["utf-8", "utf8", "us-ascii"].iter().any(|allowed| found.eq_ignore_ascii_case(allowed)) {
        Ok(())
    } else {
        Err(ReadError::Encoding { found: found.to_owned() })
    }
}

struct Scan<'a> {
    text: &'a str,
    limits: &'a Limits,
    nodes: usize,
    /// For each open element, the number of namespace declarations in scope inside it. Its length is the depth.
    in_scope: Vec<usize>,
}

impl Scan<'_> {
    fn run(&mut self) -> Result<(), ReadError> {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while let Some(text_len) = memchr(b'<', &bytes[at..]) {
            at += text_len;
            if text_len > 0 {
                self.count_nodes(1, at)?;
            }
            let markup = &bytes[at..];
            // Nothing after an unterminated piece of markup can be read, neither here nor by the parser.
            let end = if markup.starts_with(b"</") {
                self.in_scope.pop();
                memchr(b'>', markup).map(|end| end + 1)
            } else if markup.starts_with(b"<!--") {
                self.count_nodes(1, at)?;
                end_of(markup, 4, b"-->")
            } else if markup.starts_with(b"<![CDATA[") {
                self.count_nodes(1, at)?;
                end_of(markup, 9, b"]]>")
            } else if markup.starts_with(b"<?") {
                self.count_nodes(1, at)?;
                end_of(markup, 2, b"?>")
            } else if markup.starts_with(b"<!DOCTYPE") {
                return Err(ReadError::Dtd { position: Position::of_offset(self.text, at) });
            } else {
                self.start_tag(at)?
            };
            let Some(len) = end else { break };
            at += len;
        }
        Ok(())
    }

    /// Reads the start tag at `at`, and says how long it is if it ends.
    fn start_tag(&mut self, at: usize) -> Result<Option<usize>, ReadError> {
        let tag = &self.text.as_bytes()[at..];
        let (mut attributes, mut declarations) = (0, 0);
        let mut len = 1;
        loop {
            // Quotes stand around attribute values only, so each pair of them is one attribute.
            let Some(next) = memchr3(b'"', b'\'', b'>', &tag[len..]) else { return Ok(None) };
            let before = &tag[len..len + next];
            len += next + 1;
            if tag[len - 1] == b'>' {
                self.element(at, declarations, before.ends_with(b"/"))?;
                return Ok(Some(len));
            }
            attributes += 1;
            if attributes > self.limits.max_attributes {
                let position = Position::of_offset(self.text, at);
                return Err(ReadError::TooManyAttributes { position, limit: self.limits.max_attributes });
            }
            declarations += usize::from(is_namespace_declaration(before));
            let Some(value_len) = memchr(tag[len - 1], &tag[len..]) else { return Ok(None) };
            len += value_len + 1;
        }
    }

    fn element(&mut self, at: usize, declarations: usize, is_empty: bool) -> Result<(), ReadError> {
        let position = || Position::of_offset(self.text, at);
        if self.in_scope.len() >= self.limits.max_depth {
            return Err(ReadError::TooDeep { position: position(), limit: self.limits.max_depth });
        }
        let in_scope = self.in_scope.last().copied().unwrap_or_default() + declarations;
        if in_scope > self.limits.max_namespaces {
            return Err(ReadError::TooManyNamespaces {
                position: position(),
                limit: self.limits.max_namespaces,
            });
        }
        if !is_empty {
            self.in_scope.push(in_scope);
        }
        self.count_nodes(if declarations == 0 { 1 } else { 1 + in_scope }, at)
    }

    fn count_nodes(&mut self, count: usize, at: usize) -> Result<(), ReadError> {
        self.nodes = self.nodes.saturating_add(count);
        if self.nodes > self.limits.max_nodes {
            let position = Position::of_offset(self.text, at);
            return Err(ReadError::TooManyNodes { position, limit: self.limits.max_nodes });
        }
        Ok(())
    }
}

/// The length of `markup` up to and including the first `terminator` after `skip` bytes.
fn end_of(markup: &[u8], skip: usize, terminator: &[u8]) -> Option<usize> {
    memmem::find(&markup[skip..], terminator).map(|at| skip + at + terminator.len())
}

/// Whether `before`, the part of a tag that precedes an attribute's value, ends in the name of a namespace declaration.
fn is_namespace_declaration(before: &[u8]) -> bool {
    let name = before.trim_ascii_end().strip_suffix(b"=").unwrap_or(before).trim_ascii_end();
    let start = name.iter().rposition(u8::is_ascii_whitespace).map_or(0, |space| space + 1);
    name[start..].starts_with(b"xmlns")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_nodes(text: &str, expected: usize) {
        let limits = Limits::default();
        let mut scan = Scan { text, limits: &limits, nodes: 0, in_scope: Vec::new() };
        scan.run().unwrap();
        assert_eq!((scan.nodes, scan.in_scope.len()), (expected, 0));
    }

    #[test]
    fn nodes_are_counted_as_the_parser_makes_them() {
        check_nodes("<a/>", 1);
        check_nodes("<a>text</a>", 2);
        check_nodes("<?pi?><!-- <x> --><a><![CDATA[<x>]]></a>", 4);
        check_nodes("<a b='>' c=\"'/>\"><d/></a>", 2);
        check_nodes("<a b='/'/>", 1);
        check_nodes("<a xmlns='n' xmlns:b='m'><b/><c xmlns:d = 'o' e='p'/></a>", 1 + 2 + 1 + 1 + 3);
    }

    #[track_caller]
    fn check_declaration(before: &str, expected: bool) {
        assert_eq!(is_namespace_declaration(before.as_bytes()), expected, "{before}");
    }

    #[test]
    fn declarations_are_told_from_attributes() {
        check_declaration("soap:Envelope xmlns:soap=", true);
        check_declaration(" xmlns = ", true);
        check_declaration("\n\txmlns\n=", true);
        check_declaration(" type=", false);
        check_declaration("xmlnsElement type=", false);
    }
}
