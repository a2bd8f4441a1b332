//! Why a text is not read. Must not know how the reader works.

use crate::Position;

/// Why a text is not a readable document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The text is longer than [`Limits::max_bytes`](crate::Limits::max_bytes).
    #[error("the message has {found} bytes, more than the {limit} allowed")]
    TooLarge {
        /// The length of the text in bytes.
        found: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Elements are nested deeper than [`Limits::max_depth`](crate::Limits::max_depth).
    #[error("{position}: elements are nested deeper than the {limit} levels allowed")]
    TooDeep {
        /// The first element that is too deep.
        position: Position,
        /// The limit.
        limit: usize,
    },
    /// There are more nodes than [`Limits::max_nodes`](crate::Limits::max_nodes).
    #[error("{position}: the document has more than the {limit} nodes allowed")]
    TooManyNodes {
        /// The first node too many.
        position: Position,
        /// The limit.
        limit: usize,
    },
    /// An element has more attributes than [`Limits::max_attributes`](crate::Limits::max_attributes).
    #[error("{position}: the element has more than the {limit} attributes allowed")]
    TooManyAttributes {
        /// The element.
        position: Position,
        /// The limit.
        limit: usize,
    },
    /// More namespaces are in scope than [`Limits::max_namespaces`](crate::Limits::max_namespaces).
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
        /// Where it is not.
        position: Position,
        /// What is wrong there.
        source: Malformed,
    },
}

/// What is wrong in a text that is not well-formed by XML 1.0 (fifth edition) or Namespaces in XML 1.0 (third edition).
///
/// Names and values in it are cut where they are long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// There is nothing but comments, processing instructions and white space.
    #[error("there is no root element")]
    NoRoot,
    /// Something other than comments, processing instructions and white space follows the root element.
    #[error("only comments, processing instructions and white space may follow the root element")]
    AfterRoot,
    /// The text ends before an element does.
    #[error("the element <{name}> is not closed")]
    Unclosed {
        /// The innermost open element, as it is written.
        name: String,
    },
    /// An end tag closes another element than the innermost open one.
    #[error("the end tag </{found}> does not match <{expected}>")]
    MismatchedEndTag {
        /// The name in the end tag.
        found: String,
        /// The name of the open element.
        expected: String,
    },
    /// The text ends in the midst of markup.
    #[error("the text ends where {expected} was expected")]
    UnexpectedEnd {
        /// What could stand there.
        expected: &'static str,
    },
    /// A character stands where it must not.
    #[error("expected {expected}, found {found:?}")]
    Unexpected {
        /// What could stand there.
        expected: &'static str,
        /// What does.
        found: char,
    },
    /// A character that no XML document may contain.
    #[error("the character U+{:04X} is not allowed in XML", u32::from(*found))]
    ForbiddenCharacter {
        /// The character.
        found: char,
    },
    /// An `&` that does not begin a reference.
    #[error("an & that is not part of a reference has to be written as &amp;")]
    BareAmpersand,
    /// A reference to an entity other than the five that XML has by itself.
    #[error("the entity &{name}; is not known")]
    UnknownEntity {
        /// The entity.
        name: String,
    },
    /// A reference to a character that no XML document may contain.
    #[error("the reference {reference} is to no character that is allowed in XML")]
    ForbiddenReference {
        /// The reference as it is written.
        reference: String,
    },
    /// `]]>` in a text outside of a CDATA section.
    #[error("]]> is not allowed in a text")]
    CdataEndInText,
    /// `--` inside of a comment.
    #[error("-- is not allowed in a comment")]
    DoubleHyphen,
    /// `<` in the value of an attribute.
    #[error("< is not allowed in the value of an attribute")]
    LessThanInValue,
    /// An element has two attributes of the same name, or declares a prefix twice.
    #[error("the attribute {name} is there twice")]
    DuplicateAttribute {
        /// The second one's name, as it is written.
        name: String,
    },
    /// A prefix that no declaration in scope binds to a namespace.
    #[error("the prefix {prefix} is not declared")]
    UnboundPrefix {
        /// The prefix.
        prefix: String,
    },
    /// A declaration of a prefix or namespace that XML keeps for itself, or an element with the prefix `xmlns`.
    #[error("the prefixes xml and xmlns and their namespaces are reserved")]
    Reserved,
    /// A prefix is bound to no namespace, which Namespaces 1.1 would allow.
    #[error("the prefix {prefix} is declared with an empty namespace")]
    EmptyNamespace {
        /// The prefix.
        prefix: String,
    },
    /// A processing instruction called `xml`, which an XML declaration after the beginning is as well.
    #[error("an XML declaration is only allowed at the very beginning")]
    MisplacedDeclaration,
    /// The XML declaration gives something a value that it cannot have.
    #[error("the XML declaration has the {name} {found:?}")]
    DeclaredValue {
        /// `version` or `standalone`.
        name: &'static str,
        /// The value.
        found: String,
    },
}

/// The beginning of what a text says, for an error: messages are shown and logged, and a name may be as long as a text.
pub(crate) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 80;
    let end = text.floor_char_boundary(LONGEST);
    let dots = if end < text.len() { ".." } else { "" };
    format!("{}{dots}", &text[..end])
}
