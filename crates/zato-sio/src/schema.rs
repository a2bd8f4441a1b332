//! Declarations of elements which are only known at run time, for services without typed messages.
//!
//! Owns the rules which SimpleIO derives from a declaration: conversion by name, defaults, what an unset element
//! becomes. Reading and writing themselves go through the same decoders and encoders as typed messages, which this
//! module must not duplicate.

mod decode;
mod encode;

use std::cell::OnceCell;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{DecodeError, EncodeError};
use crate::{json, xml_read};

/// What an element holds.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Kind {
    /// A text.
    #[default]
    Text,
    /// A text which is never converted, whatever its name suggests.
    AsIs,
    /// True or false.
    Boolean,
    /// A 64-bit integer.
    Integer,
    /// A 64-bit floating-point number.
    Float,
    /// A point in time, see [`Utc`](crate::Utc).
    Utc,
    /// A list which is one text on the wire, see [`Csv`](crate::Csv).
    Csv,
    /// A list of values of any kind.
    List,
    /// An object.
    Dict(DictKeys),
    /// A list of objects.
    ListOfDicts,
    /// Whatever the message holds.
    Opaque,
}

impl Kind {
    /// The kind of an element which was declared by its name alone: `is_`, `needs_` and `should_` begin the names of
    /// booleans; `id` and names ending in `_id`, `_size`, `_timeout` and `_count` are integers; the rest are texts.
    pub fn infer(name: &str) -> Self {
        if ["is_", "needs_", "should_"].iter().any(|prefix| name.starts_with(prefix)) {
            Self::Boolean
        } else if name == "id"
            || ["_id", "_size", "_timeout", "_count"].iter().any(|suffix| name.ends_with(suffix))
        {
            Self::Integer
        } else {
            Self::Text
        }
    }
}

/// Which keys of a dictionary are read.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum DictKeys {
    /// All of them.
    #[default]
    Any,
    /// Only these. A missing one takes the default, and is an error if there is none.
    Only {
        /// The names of the keys.
        keys: Vec<String>,
        /// The value of each missing key.
        default: Option<Value>,
    },
}

impl DictKeys {
    /// These keys alone, with a value for each of them that is missing.
    pub fn only<K: Into<String>>(keys: impl IntoIterator<Item = K>, default: Option<Value>) -> Self {
        Self::Only { keys: keys.into_iter().map(Into::into).collect(), default }
    }
}

/// The declaration of one element.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    name: String,
    kind: Kind,
    required: bool,
    default: Option<Value>,
}

impl Element {
    /// A required element, its kind inferred from the name.
    pub fn required(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { kind: Kind::infer(&name), name, required: true, default: None }
    }

    /// An optional element, its kind inferred from the name.
    pub fn optional(name: impl Into<String>) -> Self {
        Self { required: false, ..Self::required(name) }
    }

    /// The same element with this kind. A name that marks a boolean goes on doing so, except for [`Kind::AsIs`].
    #[must_use]
    pub fn with_kind(mut self, kind: Kind) -> Self {
        self.kind = match (Kind::infer(&self.name), kind) {
            (_, Kind::AsIs) => Kind::AsIs,
            (Kind::Boolean, _) => Kind::Boolean,
            (_, kind) => kind,
        };
        self
    }

    /// The same element with a value for when it is absent, null or empty, used as it is.
    #[must_use]
    pub fn with_default(mut self, default: impl Into<Value>) -> Self {
        self.default = Some(default.into());
        self
    }

    /// The name, which is also that of the key or XML element.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Whether a message without it is refused.
    pub fn is_required(&self) -> bool {
        self.required
    }
}

/// The elements of a service's request and response.
///
/// Required elements come before optional ones, each group in the order in which it was declared. An optional element
/// of the same name as a required one takes its place.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schema {
    input: Vec<Element>,
    output: Vec<Element>,
}

impl Schema {
    /// Puts the declarations in order, once, so that no call has to.
    pub fn new(input: impl IntoIterator<Item = Element>, output: impl IntoIterator<Item = Element>) -> Self {
        Self { input: in_order(input), output: in_order(output) }
    }

    /// The elements of the request, required ones first.
    pub fn input(&self) -> &[Element] {
        &self.input
    }

    /// The elements of the response, required ones first.
    pub fn output(&self) -> &[Element] {
        &self.output
    }

    /// Decodes a JSON request as [`from_json`](crate::from_json) does.
    ///
    /// The result holds every declared element and no other. An optional one that is absent, null or empty is its
    /// default, or else `false` if it is a boolean and null if not.
    ///
    /// # Errors
    ///
    /// Those of [`from_json`](crate::from_json). Of several missing elements the first declared one is named.
    pub fn decode_json(&self, bytes: &[u8]) -> Result<Map<String, Value>, DecodeError> {
        let repeated = OnceCell::new();
        let values = json::from_json_seed(bytes, decode::Input::once(&self.input, &repeated));
        self.complete(values.map_err(|error| match repeated.get() {
            Some(name) => DecodeError::repeated(name),
            None => error,
        })?)
    }

    /// Decodes a parsed JSON request, see [`decode_json`](Self::decode_json).
    ///
    /// # Errors
    ///
    /// Those of [`from_value`](crate::from_value).
    pub fn decode_value(&self, value: &Value) -> Result<Map<String, Value>, DecodeError> {
        self.complete(json::from_value_seed(value, decode::Input::first(&self.input))?)
    }

    /// Decodes the children of an XML element, see [`decode_json`](Self::decode_json).
    ///
    /// # Errors
    ///
    /// Those of [`from_xml`](crate::from_xml).
    pub fn decode_xml(&self, root: zato_xml::Node<'_, '_>) -> Result<Map<String, Value>, DecodeError> {
        self.complete(xml_read::from_xml_seed(root, decode::Input::first(&self.input))?)
    }

    fn complete(&self, mut values: Map<String, Value>) -> Result<Map<String, Value>, DecodeError> {
        decode::complete(&self.input, &mut values)?;
        Ok(values)
    }

    /// The response as the declaration wants it, to be written with [`to_json`](crate::to_json) or
    /// [`to_xml`](crate::to_xml): every declared element, in order, and no other.
    ///
    /// An optional element which is not set is written as its default, or else as `false` if it is a boolean and as an
    /// empty text if not. A null stays null, except that a boolean is then false. Texts are converted where the kind is a
    /// boolean, an integer or a float; the empty text and `ZATO_NONE` stay as they are.
    ///
    /// # Errors
    ///
    /// A required element without a default which is not set, and a text that cannot be converted.
    pub fn row<'a>(&'a self, values: &'a Map<String, Value>) -> Result<impl Serialize + 'a, EncodeError> {
        encode::Row::new(&self.output, values)
    }

    /// Several rows, see [`row`](Self::row).
    ///
    /// # Errors
    ///
    /// Those of [`row`](Self::row), for the first row which has one.
    pub fn rows<'a>(
        &'a self,
        rows: impl IntoIterator<Item = &'a Map<String, Value>>,
    ) -> Result<impl Serialize + 'a, EncodeError> {
        rows.into_iter().map(|values| encode::Row::new(&self.output, values)).collect::<Result<Vec<_>, _>>()
    }
}

fn in_order(elements: impl IntoIterator<Item = Element>) -> Vec<Element> {
    let (mut ordered, optional): (Vec<Element>, Vec<Element>) =
        elements.into_iter().partition(|element| element.required);
    for element in optional {
        match ordered.iter_mut().find(|known| known.name == element.name) {
            Some(known) => *known = element,
            None => ordered.push(element),
        }
    }
    ordered
}
