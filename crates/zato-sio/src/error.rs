//! What can go wrong while a message is decoded or encoded.
//!
//! Owns the wording of these errors and the rule that no secret shows up in them. It must not know a format:
//! both decoders report through the same constructors.

use std::fmt::{self, Display};

use serde::de::{Expected, Unexpected};

/// The longest excerpt of a value, or of a key, that an error repeats, in characters.
const EXCERPT_CHARS: usize = 60;

/// Element names which contain one of these words never have their values repeated in an error.
const SECRET_WORDS: [&str; 4] = ["password", "secret", "token", "key"];

/// Why a request or a reply could not be decoded, and which element is to blame.
///
/// `Display` is one line meant for the caller who sent the message: ``Element `security_id`: expected an integer,
/// found the text `abc` `` or ``Missing required element `name` ``. Values are cut to 60 characters, and those of
/// elements whose names contain `password`, `secret`, `token` or `key` are left out altogether, in `Debug` too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError(Box<Failure>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Failure {
    /// Empty for an error which concerns the message as a whole.
    path: String,
    kind: DecodeErrorKind,
    /// The offending value, already shortened, or `None` if it must not or cannot be shown.
    excerpt: Option<String>,
}

/// The kinds of [`DecodeError`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// A required element is absent, or it is null.
    Missing,
    /// The element holds a value which cannot be read as what was asked for.
    WrongType {
        /// What the message holds.
        found: Found,
        /// What was asked for, with its article: `an integer`.
        expected: String,
    },
    /// The element holds a number, but one that its type cannot express.
    OutOfRange {
        /// What was asked for: `an integer from 0 to 65535`.
        expected: String,
    },
    /// A JSON object has the element twice. Which one counts would be anybody's guess, and another reader of the same
    /// message may guess differently.
    Repeated,
    /// The message is not well-formed JSON.
    Syntax {
        /// Line of the first offending byte, counted from 1.
        line: usize,
        /// Column of the first offending byte, counted from 1, in bytes.
        column: usize,
        /// What the parser says about it.
        message: String,
    },
    /// The message is well-formed JSON but its top level is not an object.
    NotAnObject {
        /// What the top level is.
        found: Found,
    },
    /// The elements are nested deeper than [`MAX_DEPTH`](crate::MAX_DEPTH) levels.
    TooDeep,
    /// The type that was asked for refused the value for a reason of its own.
    Invalid {
        /// The reason which that type gives.
        message: String,
    },
}

/// The kind of value which a message holds where another one was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// JSON null or an XML element with `xsi:nil`.
    Null,
    /// A JSON boolean.
    Boolean,
    /// A JSON number.
    Number,
    /// A JSON string or the text of an XML element.
    Text,
    /// An empty JSON string or an XML element without content.
    EmptyText,
    /// A JSON array.
    List,
    /// A JSON object.
    Object,
    /// An XML element which holds elements of its own.
    Elements,
}

impl Found {
    fn phrase(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "the boolean",
            Self::Number => "the number",
            Self::Text => "the text",
            Self::EmptyText => "an empty text",
            Self::List => "a list",
            Self::Object => "an object",
            Self::Elements => "an element with children",
        }
    }
}

impl DecodeError {
    /// The path of the element to blame, such as `security_id` or `item_list[3].id`. `None` if the error concerns
    /// the message as a whole. List indexes count from 0.
    pub fn element(&self) -> Option<&str> {
        (!self.0.path.is_empty()).then_some(self.0.path.as_str())
    }

    /// What is wrong.
    pub fn kind(&self) -> &DecodeErrorKind {
        &self.0.kind
    }

    pub(crate) fn new(kind: DecodeErrorKind) -> Self {
        Self(Box::new(Failure { path: String::new(), kind, excerpt: None }))
    }

    pub(crate) fn missing() -> Self {
        Self::new(DecodeErrorKind::Missing)
    }

    pub(crate) fn repeated(name: &str) -> Self {
        Self::new(DecodeErrorKind::Repeated).inside(name)
    }

    pub(crate) fn missing_element(name: &str) -> Self {
        Self::missing().inside(name)
    }

    pub(crate) fn too_deep() -> Self {
        Self::new(DecodeErrorKind::TooDeep)
    }

    pub(crate) fn wrong_type(found: Found, expected: &str) -> Self {
        Self::new(DecodeErrorKind::WrongType { found, expected: expected.to_owned() })
    }

    pub(crate) fn out_of_range(expected: &str) -> Self {
        Self::new(DecodeErrorKind::OutOfRange { expected: expected.to_owned() })
    }

    pub(crate) fn invalid(message: impl Display) -> Self {
        Self::new(DecodeErrorKind::Invalid { message: message.to_string() })
    }

    /// Attaches the value that caused the error.
    pub(crate) fn showing(mut self, value: impl Display) -> Self {
        self.0.excerpt = Some(excerpt(&value.to_string()));
        self
    }

    /// Says that the error happened inside the element `key`. Called on the way up, so that the path costs nothing
    /// unless there is an error to report.
    pub(crate) fn inside(mut self, key: &str) -> Self {
        if is_secret(key) {
            self.0.excerpt = None;
            if let DecodeErrorKind::Invalid { message } = &mut self.0.kind {
                *message = "the value was refused".to_owned();
            }
        }
        let separator = if self.0.path.is_empty() || self.0.path.starts_with('[') { "" } else { "." };
        self.0.path = format!("{}{separator}{}", excerpt(key), self.0.path);
        self
    }

    /// Says that the error happened inside the element of a list with this index.
    pub(crate) fn at_index(mut self, index: usize) -> Self {
        let separator = if self.0.path.is_empty() || self.0.path.starts_with('[') { "" } else { "." };
        self.0.path = format!("[{index}]{separator}{}", self.0.path);
        self
    }
}

impl Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { path, kind, excerpt } = &*self.0;
        match kind {
            DecodeErrorKind::Missing if path.is_empty() => return f.write_str("Missing required value"),
            DecodeErrorKind::Missing => return write!(f, "Missing required element `{path}`"),
            DecodeErrorKind::Syntax { line, column, message } => {
                return write!(f, "Malformed JSON at line {line}, column {column}: {message}");
            }
            DecodeErrorKind::Repeated => return write!(f, "Element `{path}` is there more than once"),
            DecodeErrorKind::NotAnObject { found } => {
                return write!(f, "Expected an object at the top level, found {}", found.noun());
            }
            DecodeErrorKind::WrongType { .. }
            | DecodeErrorKind::OutOfRange { .. }
            | DecodeErrorKind::TooDeep
            | DecodeErrorKind::Invalid { .. } => {}
        }
        if path.is_empty() {
            f.write_str("Message: ")?;
        } else {
            write!(f, "Element `{path}`: ")?;
        }
        match (kind, excerpt) {
            (DecodeErrorKind::WrongType { found, expected }, Some(value)) => {
                write!(f, "expected {expected}, found {} `{value}`", found.phrase())
            }
            (DecodeErrorKind::WrongType { found, expected }, None) => {
                write!(f, "expected {expected}, found {}", found.noun())
            }
            (DecodeErrorKind::OutOfRange { expected }, Some(value)) => {
                write!(f, "the number {value} is not {expected}")
            }
            (DecodeErrorKind::OutOfRange { expected }, None) => write!(f, "the number is not {expected}"),
            (DecodeErrorKind::TooDeep, _) => {
                write!(f, "nested deeper than {} levels", crate::MAX_DEPTH)
            }
            (DecodeErrorKind::Invalid { message }, _) => f.write_str(message),
            // The rest returned above, before the path was written.
            (
                DecodeErrorKind::Missing
                | DecodeErrorKind::Repeated
                | DecodeErrorKind::Syntax { .. }
                | DecodeErrorKind::NotAnObject { .. },
                _,
            ) => Ok(()),
        }
    }
}

impl Found {
    /// Like [`phrase`](Self::phrase), for a value which is not repeated after it.
    fn noun(self) -> &'static str {
        match self {
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Null | Self::EmptyText | Self::List | Self::Object | Self::Elements => self.phrase(),
        }
    }
}

impl std::error::Error for DecodeError {}

impl serde::de::Error for DecodeError {
    fn custom<T: Display>(message: T) -> Self {
        Self::invalid(message)
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        match unexpected {
            Unexpected::Bool(value) => Self::wrong_type(Found::Boolean, &expected).showing(value),
            Unexpected::Unsigned(value) => Self::wrong_type(Found::Number, &expected).showing(value),
            Unexpected::Signed(value) => Self::wrong_type(Found::Number, &expected).showing(value),
            Unexpected::Float(value) => Self::wrong_type(Found::Number, &expected).showing(value),
            Unexpected::Str("") => Self::wrong_type(Found::EmptyText, &expected),
            Unexpected::Str(value) => Self::wrong_type(Found::Text, &expected).showing(value),
            Unexpected::Char(value) => Self::wrong_type(Found::Text, &expected).showing(value),
            Unexpected::Unit | Unexpected::Option => Self::wrong_type(Found::Null, &expected),
            Unexpected::Seq => Self::wrong_type(Found::List, &expected),
            Unexpected::Map => Self::wrong_type(Found::Object, &expected),
            other => Self::invalid(format_args!("expected {expected}, found {other}")),
        }
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        match unexpected {
            Unexpected::Unsigned(value) => Self::out_of_range(range(&expected)).showing(value),
            Unexpected::Signed(value) => Self::out_of_range(range(&expected)).showing(value),
            Unexpected::Float(value) => Self::out_of_range(range(&expected)).showing(value),
            other => Self::invalid_type(other, &expected.as_str()),
        }
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let names: Vec<String> = expected.iter().map(|name| format!("`{name}`")).collect();
        let found = if variant.is_empty() { Found::EmptyText } else { Found::Text };
        let error = Self::wrong_type(found, &format!("one of {}", names.join(", ")));
        if variant.is_empty() { error } else { error.showing(variant) }
    }

    fn unknown_field(field: &str, _expected: &'static [&'static str]) -> Self {
        Self::invalid("this element is not known").inside(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::missing_element(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::invalid("given twice, under different names").inside(field)
    }
}

/// Puts the ranges of Rust's integers, which serde names by their types, into words for API callers.
fn range(expected: &str) -> &str {
    match expected {
        "i8" => "an integer from -128 to 127",
        "i16" => "an integer from -32768 to 32767",
        "i32" => "an integer from -2147483648 to 2147483647",
        "i64" => "an integer from -9223372036854775808 to 9223372036854775807",
        "u8" => "an integer from 0 to 255",
        "u16" => "an integer from 0 to 65535",
        "u32" => "an integer from 0 to 4294967295",
        "u64" => "an integer from 0 to 18446744073709551615",
        other => other,
    }
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| key.contains(word))
}

/// Shortens a text and escapes its control characters, which could otherwise forge lines in a log.
fn excerpt(text: &str) -> String {
    let mut short = String::with_capacity(text.len().min(EXCERPT_CHARS + 4));
    for (index, character) in text.chars().enumerate() {
        if index == EXCERPT_CHARS {
            short.push('…');
            break;
        }
        if character.is_control() {
            short.extend(character.escape_debug());
        } else {
            short.push(character);
        }
    }
    short
}

/// Why a value could not be written. Whatever was already written for it has been taken back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The name of a struct's field, or a key at the top level of a map, cannot be the name of an XML element.
    #[error("`{name}` cannot be the name of an XML element")]
    InvalidName {
        /// The name, shortened.
        name: String,
    },
    /// The format has no form for such a value.
    #[error("cannot write {what}")]
    Unsupported {
        /// What was to be written, with its article.
        what: &'static str,
    },
    /// The value is nested deeper than [`MAX_DEPTH`](crate::MAX_DEPTH) levels.
    #[error("nested deeper than {} levels", crate::MAX_DEPTH)]
    TooDeep,
    /// An output element that a declaration requires has no value.
    #[error("Missing required output element `{name}`")]
    MissingElement {
        /// The name of the element.
        name: String,
    },
    /// The value's own `Serialize` implementation failed.
    #[error("{message}")]
    Invalid {
        /// The reason it gave.
        message: String,
    },
}

impl EncodeError {
    pub(crate) fn invalid_name(name: &str) -> Self {
        Self::InvalidName { name: excerpt(name) }
    }
}

impl serde::ser::Error for EncodeError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Invalid { message: message.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_built_from_the_inside_out() {
        let error = DecodeError::missing().inside("id").at_index(3).inside("item_list");
        assert_eq!(error.element(), Some("item_list[3].id"));
        assert_eq!(error.to_string(), "Missing required element `item_list[3].id`");
        let error = DecodeError::missing().at_index(1).at_index(0).inside("rows");
        assert_eq!(error.element(), Some("rows[0][1]"));
    }

    #[test]
    fn a_value_is_shortened_and_cannot_forge_lines() {
        let error =
            DecodeError::wrong_type(Found::Text, "an integer").showing("é\n".repeat(200)).inside("id");
        let text = error.to_string();
        assert!(text.starts_with("Element `id`: expected an integer, found the text `é\\né\\n"), "{text}");
        assert!(text.ends_with("…`"), "{text}");
        assert!(!text.contains('\n'), "{text}");
        assert!(text.chars().count() < 160, "{text}");
    }

    #[test]
    fn secrets_stay_out_of_display_and_debug() {
        for name in ["password1", "API_KEY", "client_secret", "AccessToken"] {
            for error in [
                DecodeError::wrong_type(Found::Text, "an integer").showing("hunter2"),
                DecodeError::invalid("cannot use hunter2"),
            ] {
                let error = error.at_index(0).inside(name);
                assert!(!error.to_string().contains("hunter2"), "{error}");
                assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
            }
        }
    }
}
