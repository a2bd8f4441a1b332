//! What can go wrong with data dictionaries.

use super::layout::{Mapping, Term};
use crate::error::KvdbError;

/// An operation on the data dictionary failed. Nothing of it was done.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DictionaryError {
    /// The name of a system or a key has other characters.
    #[error(
        "System and key may contain only letters, digits and an underscore, failed to validate [{0}] against the regular expression \\w+"
    )]
    InvalidName(String),
    /// The value contains what separates values in the store.
    #[error("A value must not contain three colons in a row, failed to validate [{0}]")]
    InvalidValue(String),
    /// Another entry says the same.
    #[error("The triple of {0} already exists")]
    EntryExists(Term),
    /// One of the ends of a translation is not in the dictionary.
    #[error("Could not find the ID for {0}")]
    NoEntry(Term),
    /// Something else is translated in the same way already.
    #[error("A mapping between {0} already exists")]
    TranslationExists(Mapping),
    /// There is no translation with that id.
    #[error("There is no translation with id [{0}]")]
    NoTranslation(i64),
    /// What is to be imported has a key that is no translation's.
    #[error("The key [{0}] is not that of a translation")]
    NotATranslation(String),
    /// Others have changed the dictionary all the time.
    #[error("the data dictionary is being changed by too many others")]
    Busy,
    /// The store has something under a key of the dictionary that can't be there.
    #[error("the key [{key}] of the data dictionary is damaged")]
    Damaged {
        /// The key.
        key: String,
    },
    /// The store failed.
    #[error(transparent)]
    Kvdb(#[from] KvdbError),
}
