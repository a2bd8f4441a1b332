//! JSON into typed values.
//!
//! Owns the lenient deserializer wrapped around serde_json's own. It must not know the conversions of single values,
//! which are in [`crate::scalar`], nor how JSON is written.
//!
//! The wrapper opens each value with `deserialize_any`, sees what the message holds, and only then gives it to the
//! visitor in the form which that one asked for. Nothing is buffered. Errors inside serde_json's calls have to be of
//! its own type, therefore ours wait in a [`Context`] until the call has returned.

use std::borrow::Cow;
use std::cell::Cell;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::error::{DecodeError, DecodeErrorKind, Found};
use crate::scalar::{Asked, One, Scalar, Seen, deserialize_by_reading};
use crate::{MAX_DEPTH, Result};

/// Decodes JSON, leniently. An empty body, or one of white space only, counts as `{}`.
///
/// The value is streamed into `T`. Unknown keys are ignored. A repeated key is refused if `T` is a struct; if it is a
/// map, the last one counts.
///
/// # Errors
///
/// Invalid UTF-8 and malformed JSON with line and column, a top level which is not an object, and whatever
/// [`DecodeErrorKind`] lists about elements.
pub fn from_json<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T> {
    from_json_seed(bytes, std::marker::PhantomData)
}

/// Like [`from_json`], for a top level of any kind: the value of a response element can be a list. An empty text is
/// malformed here.
///
/// # Errors
///
/// Those of [`from_json`] except for the one about the top level.
pub fn from_json_any<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T> {
    read_text(utf8(bytes)?, std::marker::PhantomData)
}

/// Decodes a value that is already parsed, with the leniency of [`from_json`] and of any kind at the top level.
///
/// # Errors
///
/// Whatever [`DecodeErrorKind`] lists about elements.
pub fn from_value<'de, T: Deserialize<'de>>(value: &'de Value) -> Result<T> {
    from_value_seed(value, std::marker::PhantomData)
}

pub(crate) fn from_json_seed<'de, T: DeserializeSeed<'de>>(bytes: &'de [u8], seed: T) -> Result<T::Value> {
    let text = utf8(bytes)?;
    let body = text.trim_start_matches(is_json_space);
    if body.is_empty() {
        return read_text("{}", seed);
    }
    if !body.starts_with('{') {
        return Err(match serde_json::from_str::<Value>(text) {
            Ok(value) => DecodeError::new(DecodeErrorKind::NotAnObject { found: kind_of(&value) }),
            Err(error) => syntax(&error),
        });
    }
    read_text(text, seed)
}

pub(crate) fn from_value_seed<'de, T: DeserializeSeed<'de>>(value: &'de Value, seed: T) -> Result<T::Value> {
    let context = Context::default();
    seed.deserialize(Lenient { inner: value, context: &context, depth: 0 })
}

fn read_text<'de, T: DeserializeSeed<'de>>(text: &'de str, seed: T) -> Result<T::Value> {
    let context = Context::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let result = seed
        .deserialize(Lenient { inner: &mut json, context: &context, depth: 0 })
        .and_then(|value| json.end().map(|()| value).map_err(|error| context.recover(error)));
    if !context.foreign.get() {
        return result;
    }
    // The parser itself gave up. Its error could not travel through the visitors with its position, but parsing
    // once more, which only ever happens to malformed messages, tells it.
    result.map_err(|error| match serde_json::from_str::<Value>(text) {
        Ok(_) => error,
        Err(cause) => syntax(&cause),
    })
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line_start = valid.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
        DecodeError::new(DecodeErrorKind::Syntax {
            line: 1 + valid.iter().filter(|&&byte| byte == b'\n').count(),
            column: 1 + valid.len() - line_start,
            message: "invalid UTF-8".to_owned(),
        })
    })
}

fn is_json_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

fn kind_of(value: &Value) -> Found {
    match value {
        Value::Null => Found::Null,
        Value::Bool(_) => Found::Boolean,
        Value::Number(_) => Found::Number,
        Value::String(_) => Found::Text,
        Value::Array(_) => Found::List,
        Value::Object(_) => Found::Object,
    }
}

fn syntax(error: &serde_json::Error) -> DecodeError {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let position = format!(" at line {line} column {column}");
    let message = text.strip_suffix(&position).unwrap_or(&text).to_owned();
    DecodeError::new(DecodeErrorKind::Syntax { line, column, message })
}

/// Where an error of ours waits while serde_json passes on a placeholder of its own type.
#[derive(Default)]
struct Context {
    failure: Cell<Option<DecodeError>>,
    foreign: Cell<bool>,
}

impl Context {
    fn stash<E: serde::de::Error>(&self, error: DecodeError) -> E {
        self.failure.set(Some(error));
        E::custom("")
    }

    fn recover<E: serde::de::Error>(&self, error: E) -> DecodeError {
        self.failure.take().unwrap_or_else(|| {
            self.foreign.set(true);
            DecodeError::invalid(error)
        })
    }
}

/// A value which has not been opened yet.
struct Lenient<'c, D> {
    inner: D,
    context: &'c Context,
    depth: usize,
}

impl<'de, D: Deserializer<'de>> Lenient<'_, D> {
    fn read<V: Visitor<'de>>(self, asked: Asked, visitor: V) -> Result<V::Value> {
        let Self { inner, context, depth } = self;
        if let Asked::Unit = asked {
            inner.deserialize_ignored_any(IgnoredAny).map_err(|error| context.recover(error))?;
            return visitor.visit_unit();
        }
        inner.deserialize_any(Open { asked, visitor, context, depth }).map_err(|error| context.recover(error))
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Lenient<'_, D> {
    type Error = DecodeError;

    deserialize_by_reading!();
}

/// Hands an opened value to the visitor in the form it asked for.
struct Open<'c, V> {
    asked: Asked,
    visitor: V,
    context: &'c Context,
    depth: usize,
}

impl<'de, V: Visitor<'de>> Open<'_, V> {
    fn scalar<E: serde::de::Error>(self, scalar: Scalar<'de, '_>) -> Result<V::Value, E> {
        scalar.read(self.asked, self.visitor).map_err(|error| self.context.stash(error))
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Open<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.asked.phrase())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<V::Value, E> {
        self.scalar(Scalar::Boolean(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<V::Value, E> {
        self.scalar(Scalar::Signed(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<V::Value, E> {
        self.scalar(Scalar::Unsigned(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<V::Value, E> {
        self.scalar(Scalar::Float(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<V::Value, E> {
        self.scalar(Scalar::transient(value))
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, value: &'de str) -> Result<V::Value, E> {
        self.scalar(Scalar::borrowed(value))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.scalar(Scalar::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let Self { asked, visitor, context, depth } = self;
        let list = List { inner, context, depth: depth + 1, index: 0 };
        list.read(asked, visitor).map_err(|error| context.stash(error))
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let Self { asked, visitor, context, depth } = self;
        let object =
            Object { inner, context, depth: depth + 1, key: Cow::Borrowed(""), seen: Seen::default() };
        object.read(asked, visitor).map_err(|error| context.stash(error))
    }
}

/// An opened JSON array.
struct List<'c, A> {
    inner: A,
    context: &'c Context,
    depth: usize,
    index: usize,
}

impl<'de, A: SeqAccess<'de>> List<'_, A> {
    fn read<V: Visitor<'de>>(mut self, asked: Asked, visitor: V) -> Result<V::Value> {
        if self.depth > MAX_DEPTH {
            return Err(DecodeError::too_deep());
        }
        match asked {
            Asked::Any | Asked::List => visitor.visit_seq(self),
            Asked::Option => visitor.visit_some(self),
            Asked::Unit => {
                while self.next_element::<IgnoredAny>()?.is_some() {}
                visitor.visit_unit()
            }
            Asked::Boolean
            | Asked::Integer
            | Asked::Float
            | Asked::Text
            | Asked::Map
            | Asked::Struct(_)
            | Asked::Choice => Err(DecodeError::wrong_type(Found::List, asked.phrase())),
        }
    }
}

impl<'de, A: SeqAccess<'de>> Deserializer<'de> for List<'_, A> {
    type Error = DecodeError;

    deserialize_by_reading!();
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for List<'_, A> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let seed = Inside { seed, context: self.context, depth: self.depth };
        let element = self.inner.next_element_seed(seed);
        let element = element.map_err(|error| self.context.recover(error).at_index(self.index))?;
        self.index += 1;
        Ok(element)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// An opened JSON object.
struct Object<'de, 'c, A> {
    inner: A,
    context: &'c Context,
    depth: usize,
    /// The key which was read last, for the path of an error.
    key: Cow<'de, str>,
    /// Only used once a struct is asked for.
    seen: Seen,
}

impl<'de, A: MapAccess<'de>> Object<'de, '_, A> {
    fn read<V: Visitor<'de>>(mut self, asked: Asked, visitor: V) -> Result<V::Value> {
        if self.depth > MAX_DEPTH {
            return Err(DecodeError::too_deep());
        }
        match asked {
            Asked::Struct(_) => {
                self.seen = Seen::new(asked);
                visitor.visit_map(self)
            }
            Asked::Any | Asked::Map => visitor.visit_map(self),
            Asked::Option => visitor.visit_some(self),
            Asked::List => visitor.visit_seq(One(Some(self))),
            Asked::Unit => {
                while self.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                visitor.visit_unit()
            }
            Asked::Boolean | Asked::Integer | Asked::Float | Asked::Text | Asked::Choice => {
                Err(DecodeError::wrong_type(Found::Object, asked.phrase()))
            }
        }
    }
}

impl<'de, A: MapAccess<'de>> Deserializer<'de> for Object<'de, '_, A> {
    type Error = DecodeError;

    deserialize_by_reading!();
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Object<'de, '_, A> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let Some(key) = self.inner.next_key_seed(Key).map_err(|error| self.context.recover(error))? else {
            return Ok(None);
        };
        if !self.seen.is_first(&key) {
            return Err(DecodeError::repeated(&key));
        }
        self.key = key;
        seed.deserialize(Scalar::text(&self.key)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        let seed = Inside { seed, context: self.context, depth: self.depth };
        self.inner.next_value_seed(seed).map_err(|error| self.context.recover(error).inside(&self.key))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// Reads a value of an array or object with our leniency.
struct Inside<'c, T> {
    seed: T,
    context: &'c Context,
    depth: usize,
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Inside<'_, T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<T::Value, D::Error> {
        let Self { seed, context, depth } = self;
        seed.deserialize(Lenient { inner, context, depth }).map_err(|error| context.stash(error))
    }
}

/// Reads a key, borrowing it from the message where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<Cow<'de, str>, D::Error> {
        inner.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, key: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}
