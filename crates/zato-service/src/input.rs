//! What a service is called with, before and after it is decoded.
//!
//! Owns the step from a request's payload, in whatever format it came, to the type that a service asked for. It must
//! not know envelopes or HTTP: those are taken off before.

use std::fmt;

use bytes::Bytes;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use zato_sio::DecodeError;

use crate::Error;

/// A request's payload without its envelope, borrowed from whoever received it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// No payload at all.
    Empty,
    /// A JSON document.
    Json(&'a Bytes),
    /// The root element of an XML payload, and the bytes of the whole message that it is part of.
    Xml {
        /// The payload's root.
        root: zato_xml::Node<'a, 'a>,
        /// The message as it was received.
        raw: &'a Bytes,
    },
    /// An already parsed document: what one service gives another.
    Value(&'a Value),
    /// A body that the channel gives no meaning to.
    Raw(&'a Bytes),
    /// A payload, and further elements that came with it, as the parameters of a URL do.
    With {
        /// What the elements came with.
        payload: &'a Self,
        /// The elements by name.
        elements: &'a Map<String, Value>,
        /// Which of two elements of the same name counts.
        precedence: Precedence,
    },
}

/// Which of two elements of the same name counts: the payload's, or the one that came with the payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two sides")]
pub enum Precedence {
    /// The one that came with the payload.
    #[default]
    Elements,
    /// The payload's.
    Payload,
}

impl Input<'_> {
    /// The request's bytes as they came; JSON text if the payload never was text.
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::Empty => Bytes::new(),
            Self::Json(raw) | Self::Raw(raw) | Self::Xml { raw, .. } => Bytes::clone(raw),
            Self::Value(Value::String(text)) => Bytes::copy_from_slice(text.as_bytes()),
            Self::Value(value) => Bytes::from(value.to_string()),
            Self::With { payload, .. } => payload.to_bytes(),
        }
    }

    /// Whether the request was XML.
    pub(crate) fn is_xml(&self) -> bool {
        match self {
            Self::Xml { .. } => true,
            Self::With { payload, .. } => payload.is_xml(),
            _ => false,
        }
    }

    /// Whether there are bytes that only a service which reads them itself can make sense of.
    fn is_formless(&self) -> bool {
        match self {
            Self::Raw(bytes) => !bytes.is_empty(),
            Self::With { payload, .. } => payload.is_formless(),
            _ => false,
        }
    }

    fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        match self {
            Self::Json(bytes) if !is_nothing(bytes) => zato_sio::from_json(bytes),
            Self::Xml { root, .. } => zato_sio::from_xml(*root),
            Self::Value(value) if !value.is_null() && *value != "" => zato_sio::from_value(value),
            Self::Empty | Self::Json(_) | Self::Value(_) | Self::Raw(_) => zato_sio::from_json(b""),
            Self::With { payload, elements, precedence } => {
                // As without the elements: what is there twice is refused in JSON, and counts the first time in XML.
                if let Self::Json(bytes) = payload {
                    zato_sio::check_names(bytes)?;
                }
                let First(mut merged) = payload.decode()?;
                for (name, value) in *elements {
                    if *precedence == Precedence::Elements || !merged.contains_key(name) {
                        merged.insert(name.clone(), value.clone());
                    }
                }
                zato_sio::from_value(&Value::Object(merged))
            }
        }
    }
}

/// The members of an object, the first of those that share a name.
struct First(Map<String, Value>);

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Map<String, Value>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    members.entry(name).or_insert(value);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Members).map(Self)
    }
}

/// Clients that have nothing to send write an empty string or `null` as often as an empty body.
fn is_nothing(body: &[u8]) -> bool {
    matches!(body.trim_ascii(), b"" | b"\"\"" | b"null")
}

/// Types that a service can ask for as its input.
///
/// Implemented for every `DeserializeOwned` type and for [`RawInput`].
pub trait FromInput: Sized {
    /// Decodes a request.
    ///
    /// # Errors
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest), naming the element at fault.
    fn from_input(input: &Input<'_>) -> Result<Self, Error>;
}

impl<T: DeserializeOwned> FromInput for T {
    fn from_input(input: &Input<'_>) -> Result<Self, Error> {
        match input {
            _ if input.is_formless() => Err(Error::bad_request(
                "The service expects named elements, which are not read from bodies of its channel's data format; set data_format to json or xml",
            )),
            // A closure, so that the place that errors name is this one and not the inside of `map_err`.
            #[expect(clippy::redundant_closure, reason = "the place matters")]
            _ => input.decode().map_err(|error| Error::from(error)),
        }
    }
}

/// The request as it came, for services that read it themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawInput {
    /// The body's bytes.
    pub body: Bytes,
}

impl FromInput for RawInput {
    fn from_input(input: &Input<'_>) -> Result<Self, Error> {
        Ok(Self { body: input.to_bytes() })
    }
}
