//! The conversions of single values: what a text, a number, a boolean or null becomes when a given type is asked for.
//!
//! Both decoders feed their leaves through [`Scalar::read`], so that JSON and XML can never disagree. It must not
//! know where a value came from.

use std::borrow::Cow;

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{Deserializer, IntoDeserializer, SeqAccess, Visitor};

use crate::error::{DecodeError, Found};

/// The text which stands for "none" in elements such as `security_id`.
pub(crate) const ZATO_NONE: &str = "ZATO_NONE";

/// What a type asked of its deserializer, reduced to the distinctions which the conversions know.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked {
    Any,
    Boolean,
    Integer,
    Float,
    Text,
    Option,
    Unit,
    List,
    Map,
    Struct(&'static [&'static str]),
    Choice,
}

impl Asked {
    pub(crate) fn phrase(self) -> &'static str {
        match self {
            Self::Any | Self::Option | Self::Unit => "a value",
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Float => "a number",
            Self::Text | Self::Choice => "a text",
            Self::List => "a list",
            Self::Map | Self::Struct(_) => "an object",
        }
    }
}

/// Implements serde's `Deserializer` methods on top of a method `read(self, Asked, Visitor)`.
macro_rules! deserialize_by_reading {
    ($($method:ident => $asked:ident,)+) => {
        $(fn $method<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            self.read($crate::scalar::Asked::$asked, visitor)
        })+
    };
    () => {
        $crate::scalar::deserialize_by_reading! {
            deserialize_any => Any,
            deserialize_bool => Boolean,
            deserialize_i8 => Integer,
            deserialize_i16 => Integer,
            deserialize_i32 => Integer,
            deserialize_i64 => Integer,
            deserialize_u8 => Integer,
            deserialize_u16 => Integer,
            deserialize_u32 => Integer,
            deserialize_u64 => Integer,
            deserialize_f32 => Float,
            deserialize_f64 => Float,
            deserialize_char => Text,
            deserialize_str => Text,
            deserialize_string => Text,
            deserialize_bytes => Text,
            deserialize_byte_buf => Text,
            deserialize_identifier => Text,
            deserialize_option => Option,
            deserialize_unit => Unit,
            deserialize_ignored_any => Unit,
            deserialize_seq => List,
            deserialize_map => Map,
        }

        fn deserialize_unit_struct<V: serde::de::Visitor<'de>>(
            self,
            _name: &'static str,
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            self.read($crate::scalar::Asked::Unit, visitor)
        }

        fn deserialize_newtype_struct<V: serde::de::Visitor<'de>>(
            self,
            _name: &'static str,
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            visitor.visit_newtype_struct(self)
        }

        fn deserialize_tuple<V: serde::de::Visitor<'de>>(
            self,
            _len: usize,
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            self.read($crate::scalar::Asked::List, visitor)
        }

        fn deserialize_tuple_struct<V: serde::de::Visitor<'de>>(
            self,
            _name: &'static str,
            _len: usize,
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            self.read($crate::scalar::Asked::List, visitor)
        }

        fn deserialize_struct<V: serde::de::Visitor<'de>>(
            self,
            _name: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            self.read($crate::scalar::Asked::Struct(fields), visitor)
        }

        fn deserialize_enum<V: serde::de::Visitor<'de>>(
            self,
            _name: &'static str,
            _variants: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            self.read($crate::scalar::Asked::Choice, visitor)
        }
    };
}
pub(crate) use deserialize_by_reading;

/// A text of a message. Those which live as long as the message are kept apart from those which don't, so that
/// `&str` fields can borrow from the message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Text<'de, 'a> {
    Borrowed(&'de str),
    Transient(&'a str),
}

impl Text<'_, '_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Transient(text) => text,
        }
    }
}

/// A leaf of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scalar<'de, 'a> {
    Null,
    Boolean(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(Text<'de, 'a>),
}

impl<'de, 'a> Scalar<'de, 'a> {
    pub(crate) fn borrowed(text: &'de str) -> Self {
        Self::Text(Text::Borrowed(text))
    }

    pub(crate) fn transient(text: &'a str) -> Self {
        Self::Text(Text::Transient(text))
    }

    pub(crate) fn text(text: &'a Cow<'de, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::borrowed(text),
            Cow::Owned(text) => Self::transient(text),
        }
    }

    pub(crate) fn read<V: Visitor<'de>>(self, asked: Asked, visitor: V) -> Result<V::Value, DecodeError> {
        match asked {
            Asked::Any => self.visit(visitor),
            Asked::Boolean => visitor.visit_bool(self.boolean()?),
            Asked::Integer => self.integer(visitor),
            Asked::Float => visitor.visit_f64(self.float()?),
            Asked::Text => self.textual(visitor),
            Asked::Unit => visitor.visit_unit(),
            Asked::Option => match self {
                Self::Null => visitor.visit_none(),
                Self::Text(text) if matches!(text.as_str(), "" | ZATO_NONE) => visitor.visit_none(),
                _ => visitor.visit_some(self),
            },
            Asked::List => match self {
                Self::Null => Err(DecodeError::missing()),
                Self::Text(text) if text.as_str().is_empty() => {
                    visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<()>()))
                }
                _ => visitor.visit_seq(One(Some(self))),
            },
            Asked::Map => match self {
                Self::Null => Err(DecodeError::missing()),
                Self::Text(text) if text.as_str().is_empty() => {
                    visitor.visit_map(MapDeserializer::new(std::iter::empty::<((), ())>()))
                }
                _ => Err(self.mismatch(asked)),
            },
            Asked::Struct(_) => Err(self.mismatch(asked)),
            Asked::Choice => match self {
                Self::Text(text) => {
                    let choice: StrDeserializer<'_, DecodeError> = text.as_str().trim().into_deserializer();
                    visitor.visit_enum(choice)
                }
                _ => Err(self.mismatch(asked)),
            },
        }
    }

    /// The error for a value which cannot become what was asked for. A null is a missing element, whatever was
    /// asked for.
    pub(crate) fn mismatch(self, asked: Asked) -> DecodeError {
        let expected = asked.phrase();
        match self {
            Self::Null => DecodeError::missing(),
            Self::Boolean(value) => DecodeError::wrong_type(Found::Boolean, expected).showing(value),
            Self::Signed(value) => DecodeError::wrong_type(Found::Number, expected).showing(value),
            Self::Unsigned(value) => DecodeError::wrong_type(Found::Number, expected).showing(value),
            Self::Float(value) => DecodeError::wrong_type(Found::Number, expected).showing(value),
            Self::Text(text) if text.as_str().is_empty() => {
                DecodeError::wrong_type(Found::EmptyText, expected)
            }
            Self::Text(text) => DecodeError::wrong_type(Found::Text, expected).showing(text.as_str()),
        }
    }

    fn visit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Boolean(value) => visitor.visit_bool(value),
            Self::Signed(value) => visitor.visit_i64(value),
            Self::Unsigned(value) => visitor.visit_u64(value),
            Self::Float(value) => visitor.visit_f64(value),
            Self::Text(Text::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Self::Text(Text::Transient(text)) => visitor.visit_str(text),
        }
    }

    fn boolean(self) -> Result<bool, DecodeError> {
        const TRUE: [&str; 6] = ["true", "yes", "on", "y", "t", "1"];
        const FALSE: [&str; 6] = ["false", "no", "off", "n", "f", "0"];
        match self {
            Self::Null => Ok(false),
            Self::Boolean(value) => Ok(value),
            Self::Signed(value) => Ok(value != 0),
            Self::Unsigned(value) => Ok(value != 0),
            Self::Float(value) => Ok(value != 0.0),
            Self::Text(text) => {
                let word = text.as_str().trim();
                if word.is_empty() || FALSE.iter().any(|known| word.eq_ignore_ascii_case(known)) {
                    Ok(false)
                } else if TRUE.iter().any(|known| word.eq_ignore_ascii_case(known)) {
                    Ok(true)
                } else {
                    Err(self.mismatch(Asked::Boolean))
                }
            }
        }
    }

    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Self::Signed(value) => visitor.visit_i64(value),
            Self::Unsigned(value) => visitor.visit_u64(value),
            Self::Float(value) if value.fract() == 0.0 => {
                // The comparisons hold exactly for the powers of two, and the casts are exact within them.
                if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) {
                    visitor.visit_i64(value as i64)
                } else if (0.0..18_446_744_073_709_551_616.0).contains(&value) {
                    visitor.visit_u64(value as u64)
                } else {
                    Err(DecodeError::out_of_range("a 64-bit integer").showing(value))
                }
            }
            Self::Text(text) => {
                let digits = text.as_str().trim();
                if let Ok(value) = digits.parse::<i64>() {
                    visitor.visit_i64(value)
                } else if let Ok(value) = digits.parse::<u64>() {
                    visitor.visit_u64(value)
                } else if is_integer(digits) {
                    Err(DecodeError::out_of_range("a 64-bit integer").showing(digits))
                } else {
                    Err(self.mismatch(Asked::Integer))
                }
            }
            Self::Null | Self::Boolean(_) | Self::Float(_) => Err(self.mismatch(Asked::Integer)),
        }
    }

    fn float(self) -> Result<f64, DecodeError> {
        match self {
            Self::Signed(value) => Ok(value as f64),
            Self::Unsigned(value) => Ok(value as f64),
            Self::Float(value) => Ok(value),
            Self::Text(text) => {
                let number = text.as_str().trim();
                // Rust also reads `inf` and `nan`, which neither format can express.
                let numeric =
                    number.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
                match number.parse::<f64>() {
                    Ok(value) if numeric && value.is_finite() => Ok(value),
                    Ok(_) if numeric => Err(DecodeError::out_of_range("a 64-bit number").showing(number)),
                    _ => Err(self.mismatch(Asked::Float)),
                }
            }
            Self::Null | Self::Boolean(_) => Err(self.mismatch(Asked::Float)),
        }
    }

    /// Texts as they are, numbers and booleans as JSON writes them.
    fn textual<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Self::Null => Err(DecodeError::missing()),
            Self::Boolean(value) => visitor.visit_borrowed_str(if value { "true" } else { "false" }),
            Self::Signed(value) => visitor.visit_str(itoa::Buffer::new().format(value)),
            Self::Unsigned(value) => visitor.visit_str(itoa::Buffer::new().format(value)),
            Self::Float(value) => match serde_json::Number::from_f64(value) {
                Some(number) => visitor.visit_string(number.to_string()),
                None => Err(self.mismatch(Asked::Text)),
            },
            Self::Text(Text::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Self::Text(Text::Transient(text)) => visitor.visit_str(text),
        }
    }
}

/// Whether a text is an integer of any size.
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl<'de> Deserializer<'de> for Scalar<'de, '_> {
    type Error = DecodeError;

    deserialize_by_reading!();
}

/// A list of the single value which stands where a list was asked for.
pub(crate) struct One<D>(pub(crate) Option<D>);

impl<'de, D: Deserializer<'de, Error = DecodeError>> SeqAccess<'de> for One<D> {
    type Error = DecodeError;

    fn next_element_seed<T: serde::de::DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        self.0.take().map(|value| seed.deserialize(value)).transpose()
    }
}

/// Which fields of a struct have been seen. Of a repeated element of XML the first one counts; in JSON it is an error.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    fields: &'static [&'static str],
    first: u128,
    /// Indexes from 128 on, for the rare struct which has that many fields.
    others: Vec<usize>,
}

impl Seen {
    pub(crate) fn new(asked: Asked) -> Self {
        let fields = if let Asked::Struct(fields) = asked { fields } else { &[] };
        Self { fields, first: 0, others: Vec::new() }
    }

    /// Whether an element is to be read. True as well for names which are not fields: these are the visitor's
    /// business.
    pub(crate) fn is_first(&mut self, name: &str) -> bool {
        let Some(index) = self.fields.iter().position(|field| *field == name) else { return true };
        if index < 128 {
            let bit = 1_u128 << index;
            let first = self.first & bit == 0;
            self.first |= bit;
            first
        } else if self.others.contains(&index) {
            false
        } else {
            self.others.push(index);
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_first_once_and_other_names_always() {
        let names: Vec<&'static str> = (0..300).map(|index| &*format!("field{index}").leak()).collect();
        let mut seen = Seen::new(Asked::Struct(names.clone().leak()));
        for name in &names {
            assert!(seen.is_first(name), "{name}");
            assert!(!seen.is_first(name), "{name}");
            assert!(seen.is_first("other"));
        }
        assert!(names.iter().all(|name| !seen.is_first(name)));
    }
}
