//! Maps into responses, by the declaration.
//!
//! It must not know a format: a [`Row`] is something to serialize.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::{Element, Kind};
use crate::elements::{Csv, Utc};
use crate::error::{DecodeError, EncodeError};
use crate::json::from_value;
use crate::scalar::ZATO_NONE;

/// The elements of a response, in order and converted.
pub(super) struct Row<'a>(Vec<(&'a str, Cow<'a, Value>)>);

impl<'a> Row<'a> {
    pub(super) fn new(elements: &'a [Element], values: &'a Map<String, Value>) -> Result<Self, EncodeError> {
        let value = |element: &'a Element| match output(element, values.get(&element.name)) {
            Ok(value) => Ok((element.name.as_str(), value)),
            Err(error) => Err(error),
        };
        elements.iter().map(value).collect::<Result<_, _>>().map(Self)
    }
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

fn output<'a>(element: &'a Element, value: Option<&'a Value>) -> Result<Cow<'a, Value>, EncodeError> {
    let Some(value) = value else { return unset(element) };
    let convert = |converted: Result<Value, DecodeError>| {
        converted.map(Cow::Owned).map_err(|error| {
            let message = error.inside(&element.name).to_string();
            EncodeError::Invalid { message }
        })
    };
    match (&element.kind, value) {
        (Kind::Boolean, Value::Null | Value::String(_)) => convert(read::<bool>(value)),
        (_, Value::Null) => Ok(Cow::Borrowed(value)),
        (_, Value::String(text)) if text.is_empty() || text == ZATO_NONE => Ok(Cow::Borrowed(value)),
        (Kind::Integer, Value::String(_)) => convert(read::<i64>(value)),
        (Kind::Float, Value::String(_)) => convert(read::<f64>(value)),
        (Kind::Utc, Value::String(_)) => {
            convert(from_value::<Utc>(value).map(|time| Value::String(time.to_string())))
        }
        (Kind::Csv, Value::Array(_)) => {
            convert(from_value::<Csv>(value).map(|list| Value::String(list.0.join(","))))
        }
        _ => Ok(Cow::Borrowed(value)),
    }
}

fn read<T: DeserializeOwned + Into<Value>>(value: &Value) -> Result<Value, DecodeError> {
    from_value::<T>(value).map(Into::into)
}

fn unset(element: &Element) -> Result<Cow<'_, Value>, EncodeError> {
    match &element.default {
        Some(default) => Ok(Cow::Borrowed(default)),
        None if element.required => Err(EncodeError::MissingElement { name: element.name.clone() }),
        None if element.kind == Kind::Boolean => Ok(Cow::Owned(Value::Bool(false))),
        None => Ok(Cow::Owned(Value::String(String::new()))),
    }
}
