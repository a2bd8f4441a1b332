//! JSON documents in which an object has a name twice.
//!
//! Owns finding them. RFC 8259, section 4, leaves open what such a document means: whoever reads it here sees the last of
//! the members, and whoever is shown its text sees all. It must not know what is hidden.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Whether each name stands once in each object of a document.
pub(crate) fn has_unique_names(document: &[u8]) -> bool {
    let mut deserializer = serde_json::Deserializer::from_slice(document);
    Unique.deserialize(&mut deserializer).is_ok()
}

/// Reads anything, and fails at a name that was there before.
struct Unique;

impl<'de> DeserializeSeed<'de> for Unique {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document in which each name of an object stands once")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("a name stands twice"));
            }
            members.next_value_seed(Self)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Self)?.is_some() {}
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
        assert_eq!(has_unique_names(document.as_bytes()), expected, "{document}");
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
