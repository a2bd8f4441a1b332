//! Messages into maps, by the declaration.
//!
//! It must not know a format: it only tells a decoder which type to ask for at which element.

use std::cell::OnceCell;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::{DictKeys, Element, Kind};
use crate::elements::{Csv, Utc};
use crate::error::DecodeError;

/// Reads all declared elements of a message.
pub(super) struct Input<'s> {
    elements: &'s [Element],
    repeated: Option<&'s OnceCell<String>>,
}

impl<'s> Input<'s> {
    /// Each element may be there once. One that is there again ends the reading and is named in `repeated`.
    pub(super) fn once(elements: &'s [Element], repeated: &'s OnceCell<String>) -> Self {
        Self { elements, repeated: Some(repeated) }
    }

    /// Of an element that is there several times the first one counts.
    pub(super) fn first(elements: &'s [Element]) -> Self {
        Self { elements, repeated: None }
    }
}

impl<'de> DeserializeSeed<'de> for Input<'_> {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Input<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut message: A) -> Result<Self::Value, A::Error> {
        let Self { elements, repeated } = self;
        let mut values = Map::new();
        while let Some(name) = message.next_key::<String>()? {
            // Declarations are short, and comparing a few names is faster than hashing one.
            let element = elements.iter().find(|element| element.name == name);
            match element {
                Some(element) if !values.contains_key(&name) => {
                    let value = message.next_value_seed(Content(element))?;
                    values.insert(name, value);
                }
                Some(_) | None => {
                    message.next_value::<IgnoredAny>()?;
                    if element.is_some()
                        && let Some(repeated) = repeated
                    {
                        let error = A::Error::custom("an element is there twice");
                        repeated.get_or_init(|| name);
                        return Err(error);
                    }
                }
            }
        }
        Ok(values)
    }
}

/// Fills in what a message left out: defaults, `false` and null. What is null by now was null, empty or `ZATO_NONE`.
pub(super) fn complete(elements: &[Element], values: &mut Map<String, Value>) -> Result<(), DecodeError> {
    for element in elements {
        match values.get_mut(&element.name) {
            Some(Value::Object(dict)) => {
                if let Kind::Dict(DictKeys::Only { keys, default }) = &element.kind {
                    keep(dict, keys, default.as_ref()).map_err(|error| error.inside(&element.name))?;
                }
            }
            None | Some(Value::Null) => {
                values.insert(element.name.clone(), unset(element)?);
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn unset(element: &Element) -> Result<Value, DecodeError> {
    match &element.default {
        Some(default) => Ok(default.clone()),
        None if element.required => Err(DecodeError::missing_element(&element.name)),
        None if element.kind == Kind::Boolean => Ok(Value::Bool(false)),
        None => Ok(Value::Null),
    }
}

/// Reduces a dictionary to the declared keys.
fn keep(dict: &mut Map<String, Value>, keys: &[String], default: Option<&Value>) -> Result<(), DecodeError> {
    let mut given = std::mem::take(dict);
    for key in keys {
        match given.remove(key).or_else(|| default.cloned()) {
            Some(value) => dict.insert(key.clone(), value),
            None => return Err(DecodeError::missing_element(key)),
        };
    }
    Ok(())
}

/// Reads the value of one element. Those which may be left out may also be null or empty.
struct Content<'s>(&'s Element);

impl<'de> DeserializeSeed<'de> for Content<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.0.required && self.0.default.is_none() {
            self.read(deserializer)
        } else {
            deserializer.deserialize_option(self)
        }
    }
}

impl<'de> Visitor<'de> for Content<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or nothing")
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.read(deserializer)
    }
}

impl Content<'_> {
    fn read<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Ok(match self.0.kind {
            Kind::Text | Kind::AsIs => Value::String(String::deserialize(deserializer)?),
            Kind::Boolean => Value::Bool(bool::deserialize(deserializer)?),
            Kind::Integer => i64::deserialize(deserializer)?.into(),
            Kind::Float => f64::deserialize(deserializer)?.into(),
            Kind::Utc => Value::String(Utc::deserialize(deserializer)?.to_string()),
            Kind::Csv => Csv::deserialize(deserializer)?.0.into(),
            Kind::List => Value::Array(Vec::deserialize(deserializer)?),
            Kind::Dict(_) => Value::Object(Map::deserialize(deserializer)?),
            Kind::ListOfDicts => Vec::<Map<String, Value>>::deserialize(deserializer)?.into(),
            Kind::Opaque => Value::deserialize(deserializer)?,
        })
    }
}
