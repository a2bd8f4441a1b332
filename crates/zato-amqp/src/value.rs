//! The values that headers of messages can have.
//!
//! Owns the types that services see. It must not know how AMQP writes them: `wire` does.

use std::collections::BTreeMap;

/// The value of a header.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// No value.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Float(f64),
    /// A decimal number: the digits, and how many of them stand behind the point.
    Decimal {
        /// All digits.
        digits: u32,
        /// How many of them are decimals.
        scale: u8,
    },
    /// A text.
    Text(String),
    /// Bytes that are no text.
    Bytes(Vec<u8>),
    /// A point in time, in seconds since 1970 in UTC.
    Timestamp(u64),
    /// A list of values.
    List(Vec<Self>),
    /// Values by name. Names have up to 255 bytes.
    Table(BTreeMap<String, Self>),
}

impl Value {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

macro_rules! conversions {
    ($($from:ty => $variant:ident,)*) => {
        $(
            impl From<$from> for Value {
                fn from(value: $from) -> Self {
                    Self::$variant(value.into())
                }
            }
        )*
    };
}

conversions! {
    bool => Bool,
    i32 => Integer,
    i64 => Integer,
    u32 => Integer,
    f64 => Float,
    &str => Text,
    String => Text,
    Vec<Self> => List,
    BTreeMap<String, Self> => Table,
}
