//! A place in a text that moves on: what the grammar of XML is made of, and the errors of what is not there.
//! Must not know elements or documents.

use memchr::memmem;

use crate::characters::{is_space, name_len};
use crate::error::excerpt;
use crate::{Malformed, Position, ReadError};

/// Errors are boxed on their way out, so that what succeeds is not slowed down by the room for them.
pub(crate) type Result<T> = std::result::Result<T, Box<ReadError>>;

/// A name with or without a prefix, as it is written.
#[derive(Clone, Copy)]
pub(crate) struct QualifiedName<'i> {
    /// All of it.
    pub(crate) whole: &'i str,
    /// What is before the colon; empty if there is none.
    pub(crate) prefix: &'i str,
    /// What is after the colon.
    pub(crate) local: &'i str,
}

/// Where in a text reading has got to. It is always between two characters.
pub(crate) struct Cursor<'i> {
    text: &'i str,
    at: usize,
}

impl<'i> Cursor<'i> {
    pub(crate) fn new(text: &'i str) -> Self {
        Self { text, at: 0 }
    }

    /// The offset in bytes.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn rest(&self) -> &'i str {
        &self.text[self.at..]
    }

    /// The byte after the cursor.
    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The byte after that.
    #[inline]
    pub(crate) fn peek_second(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at + 1).copied()
    }

    /// Moves on by `len` bytes, which must be whole characters.
    #[inline]
    pub(crate) fn advance(&mut self, len: usize) {
        self.at += len;
    }

    pub(crate) fn starts_with(&self, expected: &str) -> bool {
        self.text.as_bytes()[self.at..].starts_with(expected.as_bytes())
    }

    /// Moves on if the text goes on with `expected`.
    pub(crate) fn skip(&mut self, expected: &str) -> bool {
        let is_there = self.starts_with(expected);
        if is_there {
            self.advance(expected.len());
        }
        is_there
    }

    /// Moves on to what is no white space; whether there was any.
    #[inline]
    pub(crate) fn skip_space(&mut self) -> bool {
        let start = self.at;
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
        self.at > start
    }

    /// Moves on behind `expected`, which has to be there.
    #[inline]
    pub(crate) fn require(&mut self, expected: &'static str) -> Result<()> {
        if self.skip(expected) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    /// Moves on behind the next `end`, which has to come; what is before it.
    pub(crate) fn until(&mut self, end: &'static str) -> Result<&'i str> {
        let rest = self.rest();
        let Some(len) = memmem::find(rest.as_bytes(), end.as_bytes()) else {
            self.at = self.text.len();
            return Err(self.unexpected(end));
        };
        self.advance(len + end.len());
        Ok(&rest[..len])
    }

    /// Moves on behind a name without a colon, which has to be there.
    #[inline]
    pub(crate) fn name(&mut self) -> Result<&'i str> {
        let rest = self.rest();
        let len = name_len(rest);
        if len == 0 {
            return Err(self.unexpected("a name"));
        }
        self.advance(len);
        Ok(&rest[..len])
    }

    /// Moves on behind a name with or without a prefix, which has to be there.
    #[inline]
    pub(crate) fn qualified_name(&mut self) -> Result<QualifiedName<'i>> {
        let start = self.at;
        let first = self.name()?;
        if self.peek() != Some(b':') {
            return Ok(QualifiedName { whole: first, prefix: "", local: first });
        }
        self.advance(1);
        let local = self.name()?;
        Ok(QualifiedName { whole: &self.text[start..self.at], prefix: first, local })
    }

    /// Moves on behind `=`, which may have white space around it, and the quotation mark that begins a value.
    #[inline]
    pub(crate) fn value_start(&mut self) -> Result<u8> {
        self.skip_space();
        self.require("=")?;
        self.skip_space();
        match self.peek() {
            Some(quote @ (b'"' | b'\'')) => {
                self.advance(1);
                Ok(quote)
            }
            _ => Err(self.unexpected("a quotation mark")),
        }
    }

    /// The error that something else than `expected` comes next, or nothing at all.
    #[cold]
    pub(crate) fn unexpected(&self, expected: &'static str) -> Box<ReadError> {
        self.malformed(
            self.at,
            match self.rest().chars().next() {
                Some(found) => Malformed::Unexpected { expected, found },
                None => Malformed::UnexpectedEnd { expected },
            },
        )
    }

    /// The error that something is wrong at `offset`.
    #[cold]
    pub(crate) fn malformed(&self, offset: usize, source: Malformed) -> Box<ReadError> {
        Box::new(ReadError::Syntax { position: self.position(offset), source })
    }

    /// The error that a prefix which stands at `offset` is bound to no namespace.
    #[cold]
    pub(crate) fn unbound(&self, offset: usize, prefix: &str) -> Box<ReadError> {
        self.malformed(offset, Malformed::UnboundPrefix { prefix: excerpt(prefix) })
    }

    pub(crate) fn position(&self, offset: usize) -> Position {
        Position::of_offset(self.text, offset)
    }
}
