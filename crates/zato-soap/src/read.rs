//! Text to document: one guarded entry to the XML parser, and the errors of everything that is read from a document.
//! Must not know what a service expects inside a body.

use std::fmt;

use roxmltree::{Document, Error, ParsingOptions, TextPos};

use crate::{Limits, scan};

/// Parses XML within `limits`: a SOAP message or any other document.
///
/// A document type declaration is refused, so there are no entities beyond the five of XML and nothing external is ever looked up.
/// A byte order mark is accepted.
///
/// # Errors
///
/// [`ReadError`] with line and column: a limit is exceeded, there is a document type declaration, the XML declaration names an encoding
/// other than UTF-8, or the text is not well-formed XML with namespaces.
pub fn parse<'input>(text: &'input str, limits: &Limits) -> Result<Document<'input>, ReadError> {
    scan::check(text, limits)?;
    let options = ParsingOptions { allow_dtd: false, ..ParsingOptions::default() };
    Document::parse_with_options(text, options)
        .map_err(|source| ReadError::Syntax { position: position_of(&source, text), source })
}

/// Where `error` is in `text`. An error that comes from a missing rest is at the end, which the parser leaves to be found out.
fn position_of(error: &Error, text: &str) -> Position {
    match error {
        Error::NoRootNode | Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
            Position::of_offset(text, text.len())
        }
        error => error.pos().into(),
    }
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, counted from 1.
    pub line: u32,
    /// The character within the line, counted from 1.
    pub column: u32,
}

impl Position {
    /// The place `offset` bytes into `text`, which must be at a character boundary.
    pub(crate) fn of_offset(text: &str, offset: usize) -> Self {
        let before = &text[..offset];
        let line = memchr::memchr_iter(b'\n', before.as_bytes()).count();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[start..].chars().count();
        Self { line: saturate(line + 1), column: saturate(column + 1) }
    }
}

fn saturate(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl From<TextPos> for Position {
    fn from(position: TextPos) -> Self {
        Self { line: position.row, column: position.col }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a text is not a readable document, or a document not a SOAP message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The text is longer than [`Limits::max_bytes`].
    #[error("the message has {found} bytes, more than the {limit} allowed")]
    TooLarge {
        /// The length of the text in bytes.
        found: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Elements are nested deeper than [`Limits::max_depth`].
    #[error("{position}: elements are nested deeper than the {limit} levels allowed")]
    TooDeep {
        /// The first element that is too deep.
        position: Position,
        /// The limit.
        limit: usize,
    },
    /// There are more nodes than [`Limits::max_nodes`].
    #[error("{position}: the document has more than the {limit} nodes allowed")]
    TooManyNodes {
        /// The first node too many.
        position: Position,
        /// The limit.
        limit: usize,
    },
    /// An element has more attributes than [`Limits::max_attributes`].
    #[error("{position}: the element has more than the {limit} attributes allowed")]
    TooManyAttributes {
        /// The element.
        position: Position,
        /// The limit.
        limit: usize,
    },
    /// More namespaces are in scope than [`Limits::max_namespaces`].
    #[error("{position}: more than the {limit} namespace declarations allowed are in scope")]
    TooManyNamespaces {
        /// The element with the first declaration too many.
        position: Position,
        /// The limit.
        limit: usize,
    },
    /// The document has a document type declaration.
    #[error("{position}: a document type declaration is not allowed")]
    Dtd {
        /// The declaration.
        position: Position,
    },
    /// The XML declaration names an encoding other than UTF-8.
    #[error("the XML declaration names the encoding {found:?}, only UTF-8 is allowed")]
    Encoding {
        /// The encoding as it is named there.
        found: String,
    },
    /// The text is not well-formed XML; the source says why.
    #[error("{position}: the text is not well-formed XML")]
    Syntax {
        /// Where the parser stopped.
        position: Position,
        /// What the parser found.
        source: Error,
    },
    /// The root element is not called `Envelope`.
    #[error("{position}: expected a SOAP Envelope, found the element {found:?}")]
    NotAnEnvelope {
        /// The root element.
        position: Position,
        /// Its local name.
        found: String,
    },
    /// There is an `Envelope`, but in the namespace of no version of SOAP: what SOAP calls a version mismatch.
    #[error("{position}: expected the Envelope of SOAP 1.1 or 1.2, found one in the namespace {found:?}")]
    UnknownVersion {
        /// The root element.
        position: Position,
        /// Its namespace, empty for none.
        found: String,
    },
    /// The envelope has no `Body`.
    #[error("{position}: the SOAP Envelope has no Body")]
    NoBody {
        /// The envelope.
        position: Position,
    },
    /// The envelope has two of what it may have once.
    #[error("{position}: the SOAP Envelope has a second {element}")]
    Repeated {
        /// The second one.
        position: Position,
        /// `Header` or `Body`.
        element: &'static str,
    },
}
