//! How data dictionaries are written in the store.
//!
//! Owns the names of keys and the form of entries and translations, which are those of Zato, so that its data can be used.
//! It must not know what is done with them.

use std::fmt;

pub(super) const ENTRIES: &str = "zato:kvdb:data-dict:item";
pub(super) const LAST_ENTRY_ID: &str = "zato:kvdb:data-dict:item:id";
pub(super) const LAST_TRANSLATION_ID: &str = "zato:kvdb:data-dict:translation:id";
pub(super) const TRANSLATIONS: &str = "zato:kvdb:data-dict:translation:::";
/// Counts the changes, which is not part of Zato's layout. It is what lets a change know that there was another one.
pub(super) const VERSION: &str = "zato:kvdb:data-dict:version";

pub(super) const SEPARATOR: &str = ":::";

pub(super) const ID: &str = "id";
pub(super) const ID1: &str = "id1";
pub(super) const ID2: &str = "id2";
pub(super) const VALUE2: &str = "value2";

/// What a system calls a value of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// The system.
    pub system: String,
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

impl Term {
    /// A term of these parts.
    pub fn new(system: impl Into<String>, key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { system: system.into(), key: key.into(), value: value.into() }
    }

    /// The text under which it is stored.
    pub(super) fn to_stored(&self) -> String {
        let Self { system, key, value } = self;
        format!("{system}{SEPARATOR}{key}{SEPARATOR}{value}")
    }

    /// The term of such a text. Systems and keys have no colons; all after them is the value.
    pub(super) fn from_stored(stored: &str) -> Option<Self> {
        let (system, rest) = stored.split_once(SEPARATOR)?;
        let (key, value) = rest.split_once(SEPARATOR)?;
        Some(Self::new(system, key, value))
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "system:[{}], key:[{}], value:[{}]", self.system, self.key, self.value)
    }
}

/// From what to where a translation leads: from a term to a key of another system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mapping {
    /// What is translated.
    pub from: Term,
    /// The system that it is translated for.
    pub system2: String,
    /// The key in that system.
    pub key2: String,
}

impl Mapping {
    /// The key under which its translation is stored.
    pub(super) fn to_key(&self) -> String {
        let Self { from, system2, key2 } = self;
        format!("{TRANSLATIONS}{}{SEPARATOR}{system2}{SEPARATOR}{key2}", from.to_stored())
    }

    /// The mapping of such a key.
    pub(super) fn from_key(key: &str) -> Option<Self> {
        let (rest, key2) = key.strip_prefix(TRANSLATIONS)?.rsplit_once(SEPARATOR)?;
        let (from, system2) = rest.rsplit_once(SEPARATOR)?;
        Some(Self { from: Term::from_stored(from)?, system2: system2.to_owned(), key2: key2.to_owned() })
    }
}

impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from: Term { system, key, value }, system2, key2 } = self;
        write!(f, "system1:[{system}], key1:[{key}], value1:[{value}] and system2:[{system2}], key2:[{key2}]")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_those_of_zato() {
        let mapping =
            Mapping { from: Term::new("CRM", "currency", "EUR"), system2: "ERP".into(), key2: "cur".into() };
        assert_eq!(mapping.to_key(), "zato:kvdb:data-dict:translation:::CRM:::currency:::EUR:::ERP:::cur");
        assert_eq!(mapping.from.to_stored(), "CRM:::currency:::EUR");
    }

    proptest! {
        #[test]
        fn what_is_stored_is_read(system in "\\w{1,9}", key in "\\w{1,9}", value in "[:a]{0,5}|\\PC{0,20}", key2 in "\\w{1,9}") {
            let from = Term::new(system.clone(), key, value);
            prop_assert_eq!(Term::from_stored(&from.to_stored()), Some(from.clone()));
            let mapping = Mapping { from, system2: system, key2 };
            prop_assert_eq!(Mapping::from_key(&mapping.to_key()), Some(mapping));
        }

        #[test]
        fn anything_can_be_tried(text in any::<String>()) {
            if let Some(mapping) = Mapping::from_key(&format!("{TRANSLATIONS}{text}")) {
                prop_assert_eq!(Mapping::from_key(&mapping.to_key()), Some(mapping));
            }
        }
    }
}
