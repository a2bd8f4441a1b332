//! JSON documents in which an object has a name twice.
//!
//! Owns finding them. RFC 8259, section 4, leaves open what such a document means: who reads it into a map sees the last of the
//! members, and who is shown its text sees all. It must not know what the names mean.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::Result;
use crate::error::DecodeError;

/// Refuses a document in which an object, however deep, has a name twice. What is no JSON is not this function's business.
///
/// ```
/// let error = zato_sio::check_names(br#"{"a": [{"id": 1, "id": 2}]}"#).unwrap_err();
/// assert_eq!(error.to_string(), "Element `id` is there more than once");
/// assert!(zato_sio::check_names(br#"{"a": {"a": 1}}"#).is_ok());
/// ```
///
/// # Errors
///
/// [`DecodeErrorKind::Repeated`](crate::DecodeErrorKind::Repeated), naming the element.
pub fn check_names(json: &[u8]) -> Result<()> {
    let repeated = Cell::default();
    // The outcome says no more than whether the document was read to its end.
    let _outcome =
        Unique { repeated: &repeated }.deserialize(&mut serde_json::Deserializer::from_slice(json));
    match repeated.take() {
        Some(name) => Err(DecodeError::repeated(&name)),
        None => Ok(()),
    }
}

/// Reads anything, and fails at a name that was there before.
#[derive(Clone, Copy)]
struct Unique<'n> {
    repeated: &'n Cell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document in which each name of an object stands once")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if names.contains(&name) {
                self.repeated.set(Some(name));
                return Err(A::Error::custom("a name stands twice"));
            }
            names.insert(name);
            members.next_value_seed(self)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(document: &str, expected: bool) {
        assert_eq!(check_names(document.as_bytes()).is_ok(), expected, "{document}");
    }

    #[test]
    fn names_stand_once() {
        for document in [
            "1",
            "-1.5e3",
            "true",
            "null",
            "\"a\"",
            "[]",
            "{}",
            r#"[{"a": {"a": [1, "a"]}}, {"a": 2, "A": 3}]"#,
        ] {
            check(document, true);
        }
        for document in
            [r#"{"a": 1, "a": 1}"#, r#"[[{"b": {"a": 1, "\u0061": 2}}]]"#, r#"{"": 1, "b": 2, "": 3}"#]
        {
            check(document, false);
        }
    }
}
