//! Text to document, in one pass: markup, the limits, and what makes a text well-formed as a whole.
//!
//! It must not know which characters names are made of, nor what references mean: `characters` and `references` do. Nothing is
//! recursive; open elements are kept in a list.

mod attributes;

use std::borrow::Cow;

use memchr::{memchr, memchr3};

use crate::characters::first_forbidden;
use crate::cursor::{Cursor, Result};
use crate::document::{Content, Document, NodeData};
use crate::error::excerpt;
use crate::namespaces::{Namespaces, Scope, index};
use crate::references::{resolve_cdata, resolve_text};
use crate::{Limits, Malformed, ReadError, declaration};

/// Reads XML within `limits`.
///
/// A document type declaration is refused, so there are no entities beyond the five of XML and nothing external is ever looked up.
/// A byte order mark is accepted.
///
/// # Errors
///
/// [`ReadError`] with line and column: a limit is exceeded, there is a document type declaration, the XML declaration names an encoding
/// other than UTF-8, or the text is not well-formed XML with namespaces.
pub fn parse<'i>(text: &'i str, limits: &Limits) -> std::result::Result<Document<'i>, ReadError> {
    read(text, limits).map_err(|error| *error)
}

fn read<'i>(text: &'i str, limits: &Limits) -> Result<Document<'i>> {
    // Places in the text and in lists no longer than it are kept in 32 bits.
    let limit = limits.max_bytes.min(u32::MAX as usize);
    if text.len() > limit {
        return Err(Box::new(ReadError::TooLarge { found: text.len(), limit }));
    }
    Reader::new(text, limits).read()
}

struct Reader<'i, 'l> {
    cursor: Cursor<'i>,
    limits: &'l Limits,
    document: Document<'i>,
    /// The elements whose end tag has not come yet, the innermost last.
    open: Vec<Open<'i>>,
    /// Whether there is any carriage return. Where there is none, no text has to be searched for them.
    has_returns: bool,
}

/// An element whose end tag has not come yet.
#[derive(Clone, Copy)]
struct Open<'i> {
    node: u32,
    /// The name as it is written, which the end tag has to repeat.
    name: &'i str,
    scope: Scope,
}

impl<'i, 'l> Reader<'i, 'l> {
    fn new(text: &'i str, limits: &'l Limits) -> Self {
        /// Documents with few long texts have less than a node in so many bytes, those with many short ones more.
        const BYTES_PER_NODE: usize = 40;
        /// More than that grows with what is found, because what a text claims to be may be wrong.
        const MOST: usize = 1024;
        let mut nodes = Vec::with_capacity((text.len() / BYTES_PER_NODE).clamp(4, MOST));
        nodes.push(NodeData {
            parent: 0,
            next: 0,
            start: 0,
            end: index(text.len()),
            content: Content::Document,
        });
        let namespaces = Namespaces::with_capacity(8);
        Self {
            cursor: Cursor::new(text),
            limits,
            document: Document { text, nodes, attributes: Vec::new(), namespaces, root: 0 },
            open: Vec::with_capacity(16),
            has_returns: memchr(b'\r', text.as_bytes()).is_some(),
        }
    }

    /// `document ::= prolog element Misc*`, without a document type declaration in the prolog.
    fn read(mut self) -> Result<Document<'i>> {
        self.cursor.skip("\u{FEFF}");
        // A text in another encoding is told so, whatever its characters are.
        declaration::skip(&mut self.cursor)?;
        self.check_characters()?;
        self.around_root()?;
        match self.cursor.peek() {
            Some(b'<') => {}
            Some(_) => return Err(self.cursor.unexpected("the root element")),
            None => return Err(self.malformed_here(Malformed::NoRoot)),
        }
        self.document.root = index(self.document.nodes.len());
        self.start_tag()?;
        while let Some(open) = self.open.last().copied() {
            self.content(open)?;
        }
        self.around_root()?;
        if self.cursor.peek().is_some() {
            return Err(self.malformed_here(Malformed::AfterRoot));
        }
        self.document.nodes[0].next = index(self.document.nodes.len());
        Ok(self.document)
    }

    /// `Char`, of the whole text at once.
    fn check_characters(&self) -> Result<()> {
        let text = self.document.text;
        let Some(offset) = first_forbidden(text) else { return Ok(()) };
        let Some(found) = text[offset..].chars().next() else { return Ok(()) };
        Err(self.cursor.malformed(offset, Malformed::ForbiddenCharacter { found }))
    }

    /// `Misc*`: what may stand before and after the root element.
    fn around_root(&mut self) -> Result<()> {
        loop {
            self.cursor.skip_space();
            if self.cursor.peek() != Some(b'<') {
                return Ok(());
            }
            match self.cursor.peek_second() {
                Some(b'?') => self.instruction()?,
                Some(b'!') if self.cursor.starts_with("<!--") => self.comment()?,
                Some(b'!') if self.cursor.starts_with("<!DOCTYPE") => return Err(self.dtd()),
                _ => return Ok(()),
            }
        }
    }

    /// The next piece of what is inside of `open`, or its end tag.
    #[inline]
    fn content(&mut self, open: Open<'i>) -> Result<()> {
        match self.cursor.peek() {
            Some(b'<') => match self.cursor.peek_second() {
                Some(b'/') => self.end_tag(open),
                Some(b'?') => self.instruction(),
                Some(b'!') if self.cursor.starts_with("<!--") => self.comment(),
                Some(b'!') if self.cursor.starts_with("<![CDATA[") => self.cdata(),
                Some(b'!') if self.cursor.starts_with("<!DOCTYPE") => Err(self.dtd()),
                _ => self.start_tag(),
            },
            Some(_) => self.text(),
            None => Err(self.malformed_here(Malformed::Unclosed { name: excerpt(open.name) })),
        }
    }

    /// `STag` or `EmptyElemTag`.
    fn start_tag(&mut self) -> Result<()> {
        let start = self.cursor.at();
        self.cursor.advance(1);
        let name = self.cursor.qualified_name()?;
        if self.open.len() >= self.limits.max_depth {
            let position = self.cursor.position(start);
            return Err(Box::new(ReadError::TooDeep { position, limit: self.limits.max_depth }));
        }
        let outer = self.open.last().map_or(Scope::OUTERMOST, |open| open.scope);
        let first = self.document.attributes.len();
        let (scope, is_empty) = if self.cursor.peek() == Some(b'>') {
            self.cursor.advance(1);
            (outer, false)
        } else {
            self.attributes(start, outer)?
        };
        if self.document.attributes.len() > first {
            self.resolve_attributes(first, scope)?;
        }
        let namespace = self.namespace(name.prefix, start + 1, scope)?;
        let attributes = (index(first), index(self.document.attributes.len()));
        let node = self.push(start, Content::Element { name: name.local, namespace, attributes })?;
        if !is_empty {
            self.open.push(Open { node, name: name.whole, scope });
        }
        Ok(())
    }

    /// `ETag`.
    fn end_tag(&mut self, open: Open<'i>) -> Result<()> {
        let start = self.cursor.at();
        self.cursor.advance("</".len());
        // Most end tags are as short as can be, and then the name needs no look at its characters.
        let rest = self.cursor.rest().as_bytes();
        if rest.get(open.name.len()) == Some(&b'>') && rest.starts_with(open.name.as_bytes()) {
            self.cursor.advance(open.name.len() + 1);
        } else {
            let name = self.cursor.qualified_name()?.whole;
            if name != open.name {
                let (found, expected) = (excerpt(name), excerpt(open.name));
                return Err(self.cursor.malformed(start, Malformed::MismatchedEndTag { found, expected }));
            }
            self.cursor.skip_space();
            self.cursor.require(">")?;
        }
        let next = index(self.document.nodes.len());
        let element = &mut self.document.nodes[open.node as usize];
        element.next = next;
        element.end = index(self.cursor.at());
        self.open.pop();
        Ok(())
    }

    /// `CharData` and `Reference`, up to the next piece of markup.
    fn text(&mut self) -> Result<()> {
        let (start, rest) = (self.cursor.at(), self.cursor.rest());
        let bytes = rest.as_bytes();
        let (mut len, mut has_references) = (0, false);
        loop {
            let Some(found) = memchr3(b'<', b'&', b'>', &bytes[len..]) else {
                len = bytes.len();
                break;
            };
            len += found;
            match bytes[len] {
                b'<' => break,
                b'&' => has_references = true,
                _ if bytes[..len].ends_with(b"]]") => {
                    return Err(self.cursor.malformed(start + len - 2, Malformed::CdataEndInText));
                }
                _ => {}
            }
            len += 1;
        }
        self.cursor.advance(len);
        let raw = &rest[..len];
        if !has_references && !self.has_return(raw) {
            return self.push_text(start, Cow::Borrowed(raw));
        }
        match resolve_text(raw) {
            Ok(text) => self.push_text(start, Cow::Owned(text)),
            Err((offset, error)) => Err(self.cursor.malformed(start + offset, error)),
        }
    }

    /// `CDSect`.
    fn cdata(&mut self) -> Result<()> {
        let start = self.cursor.at();
        self.cursor.advance("<![CDATA[".len());
        let raw = self.cursor.until("]]>")?;
        let has_returns = self.has_return(raw);
        self.push_text(start, if has_returns { Cow::Owned(resolve_cdata(raw)) } else { Cow::Borrowed(raw) })
    }

    /// `Comment`.
    fn comment(&mut self) -> Result<()> {
        let start = self.cursor.at();
        self.cursor.advance("<!--".len());
        let content = self.cursor.until("--")?;
        if self.cursor.peek().is_some_and(|byte| byte != b'>') {
            let at = start + "<!--".len() + content.len();
            return Err(self.cursor.malformed(at, Malformed::DoubleHyphen));
        }
        self.cursor.require(">")?;
        self.push(start, Content::Comment).map(drop)
    }

    /// `PI`.
    fn instruction(&mut self) -> Result<()> {
        let start = self.cursor.at();
        self.cursor.advance("<?".len());
        let target = self.cursor.name()?;
        if target.eq_ignore_ascii_case("xml") {
            return Err(self.cursor.malformed(start, Malformed::MisplacedDeclaration));
        }
        if self.cursor.skip_space() {
            self.cursor.until("?>")?;
        } else {
            self.cursor.require("?>")?;
        }
        self.push(start, Content::Instruction).map(drop)
    }

    /// Appends a text, which is part of the one before if nothing is between them: CDATA sections are only a way of writing.
    fn push_text(&mut self, start: usize, text: Cow<'i, str>) -> Result<()> {
        if let Some(NodeData { end, content: Content::Text(before), .. }) = self.document.nodes.last_mut()
            && *end as usize == start
        {
            before.to_mut().push_str(&text);
            *end = index(self.cursor.at());
            return Ok(());
        }
        self.push(start, Content::Text(text)).map(drop)
    }

    /// Appends a node which begins at `start` and has been read up to here.
    #[inline]
    fn push(&mut self, start: usize, content: Content<'i>) -> Result<u32> {
        if self.document.size() >= self.limits.max_nodes {
            let (position, limit) = (self.cursor.position(start), self.limits.max_nodes);
            return Err(Box::new(ReadError::TooManyNodes { position, limit }));
        }
        let node = index(self.document.nodes.len());
        let parent = self.open.last().map_or(0, |open| open.node);
        let (start, end) = (index(start), index(self.cursor.at()));
        // An element with content gets its true ends with its end tag.
        self.document.nodes.push(NodeData { parent, next: node + 1, start, end, content });
        Ok(node)
    }

    /// Whether there is a carriage return in `raw`, a part of the text.
    #[inline]
    fn has_return(&self, raw: &str) -> bool {
        self.has_returns && memchr(b'\r', raw.as_bytes()).is_some()
    }

    #[cold]
    fn dtd(&self) -> Box<ReadError> {
        Box::new(ReadError::Dtd { position: self.cursor.position(self.cursor.at()) })
    }

    #[cold]
    fn malformed_here(&self, error: Malformed) -> Box<ReadError> {
        self.cursor.malformed(self.cursor.at(), error)
    }
}
