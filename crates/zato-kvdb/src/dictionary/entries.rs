//! The entries of the dictionary.
//!
//! Owns what makes one valid and unique, and what a change of one means to the translations that use it.

use std::collections::{BTreeMap, BTreeSet};

use super::layout::{ENTRIES, ID2, LAST_ENTRY_ID, SEPARATOR, Term, VALUE2};
use super::translations::Translation;
use super::{Dictionary, DictionaryError, count, next_id};
use crate::command::Write;

/// What a system calls a value, under an id.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its id.
    pub id: i64,
    /// What it says.
    pub term: Term,
}

impl Dictionary {
    /// All entries, sorted by system, key and value.
    ///
    /// # Errors
    /// [`DictionaryError::Damaged`]; the store failed.
    pub async fn entries(&self) -> Result<Vec<Entry>, DictionaryError> {
        let mut entries: Vec<Entry> =
            self.terms().await?.into_iter().map(|(id, term)| Entry { id, term }).collect();
        entries.sort_unstable_by(|one, other| one.term.cmp(&other.term));
        Ok(entries)
    }

    /// The systems that there are entries of, sorted.
    ///
    /// # Errors
    /// As [`entries`](Self::entries).
    pub async fn systems(&self) -> Result<BTreeSet<String>, DictionaryError> {
        Ok(self.terms().await?.into_values().map(|term| term.system).collect())
    }

    /// The keys of a system, sorted.
    ///
    /// # Errors
    /// As [`entries`](Self::entries).
    pub async fn keys(&self, system: &str) -> Result<BTreeSet<String>, DictionaryError> {
        let terms = self.terms().await?.into_values();
        Ok(terms.filter(|term| term.system == system).map(|term| term.key).collect())
    }

    /// The values of a key of a system, sorted.
    ///
    /// # Errors
    /// As [`entries`](Self::entries).
    pub async fn values(&self, system: &str, key: &str) -> Result<BTreeSet<String>, DictionaryError> {
        let terms = self.terms().await?.into_values();
        Ok(terms.filter(|term| term.system == system && term.key == key).map(|term| term.value).collect())
    }

    /// Adds an entry and returns its id, the one after the last. An entry that is refused takes no id.
    ///
    /// # Errors
    /// [`DictionaryError::InvalidName`], [`DictionaryError::InvalidValue`], [`DictionaryError::EntryExists`]; the store
    /// failed.
    pub async fn create_entry(&self, term: Term) -> Result<i64, DictionaryError> {
        check(&term)?;
        let term = &term;
        self.change(|last| {
            Box::pin(async move {
                let terms = self.terms().await?;
                check_unique(&terms, term, None)?;
                let id = next_id(last.entry, |id| terms.contains_key(&id));
                Ok((vec![put(id, term), count(LAST_ENTRY_ID, id)?], id))
            })
        })
        .await
    }

    /// Stores an entry under an id, whether there is one or not. Translations that use it follow: those from it are now
    /// from the new term, those to it are now to the new term.
    ///
    /// # Errors
    /// [`DictionaryError::InvalidName`], [`DictionaryError::InvalidValue`], [`DictionaryError::EntryExists`]; the store
    /// failed.
    pub async fn set_entry(&self, id: i64, term: Term) -> Result<(), DictionaryError> {
        check(&term)?;
        let term = &term;
        self.change(|_| {
            Box::pin(async move {
                let terms = self.terms().await?;
                check_unique(&terms, term, Some(id))?;
                let mut writes = vec![put(id, term)];
                if terms.contains_key(&id) {
                    for translation in self.translations().await? {
                        writes.extend(follow(&translation, id, term));
                    }
                }
                Ok((writes, ()))
            })
        })
        .await
    }

    /// Deletes an entry and the translations that use it. One that does not exist is none that could not be deleted.
    ///
    /// # Errors
    /// [`DictionaryError::Damaged`]; the store failed.
    pub async fn delete_entry(&self, id: i64) -> Result<(), DictionaryError> {
        self.change(|_| {
            Box::pin(async move {
                let uses = |translation: &Translation| [translation.id1, translation.id2].contains(&id);
                let unused = self.translations().await?.into_iter().filter(uses);
                let mut writes: Vec<Write> =
                    unused.map(|translation| Write::delete(&translation.mapping.to_key())).collect();
                if !writes.is_empty() || self.kvdb.hash_contains(ENTRIES, &id.to_string()).await? {
                    writes.push(Write::hash_delete(ENTRIES, &[&id.to_string()]));
                }
                Ok((writes, ()))
            })
        })
        .await
    }

    pub(super) async fn terms(&self) -> Result<BTreeMap<i64, Term>, DictionaryError> {
        let damaged = || DictionaryError::Damaged { key: ENTRIES.to_owned() };
        let one = |(id, stored): (String, Vec<u8>)| {
            let term = std::str::from_utf8(&stored).ok().and_then(Term::from_stored);
            Ok((id.parse().map_err(|_| damaged())?, term.ok_or_else(damaged)?))
        };
        self.kvdb.hash_get_all(ENTRIES).await?.into_iter().map(one).collect()
    }
}

/// Checks what Zato's keys are made of.
pub(super) fn check(term: &Term) -> Result<(), DictionaryError> {
    for name in [&term.system, &term.key] {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_word) {
            return Err(DictionaryError::InvalidName(name.clone()));
        }
    }
    if term.value.contains(SEPARATOR) {
        return Err(DictionaryError::InvalidValue(term.value.clone()));
    }
    Ok(())
}

fn check_unique(terms: &BTreeMap<i64, Term>, term: &Term, own: Option<i64>) -> Result<(), DictionaryError> {
    match id_of(terms, term) {
        Some(id) if Some(id) != own => Err(DictionaryError::EntryExists(term.clone())),
        _ => Ok(()),
    }
}

/// The id of the entry that says this.
pub(super) fn id_of(terms: &BTreeMap<i64, Term>, term: &Term) -> Option<i64> {
    terms.iter().find(|(_, known)| *known == term).map(|(id, _)| *id)
}

pub(super) fn put(id: i64, term: &Term) -> Write {
    Write::hash_set(ENTRIES, &[(id.to_string().as_str(), term.to_stored())])
}

/// What a new term of an entry changes about a translation. One whose new mapping another translation has keeps its own.
fn follow(translation: &Translation, id: i64, term: &Term) -> Vec<Write> {
    let mut writes = Vec::new();
    let mut mapping = translation.mapping.clone();
    if translation.id1 == id {
        mapping.from = term.clone();
    }
    if translation.id2 == id {
        mapping.system2.clone_from(&term.system);
        mapping.key2.clone_from(&term.key);
        let fields = [(VALUE2, term.value.clone()), (ID2, id.to_string())];
        writes.push(Write::hash_set(&translation.mapping.to_key(), &fields));
    }
    if mapping != translation.mapping {
        writes.push(Write::RenameIfAbsent(translation.mapping.to_key(), mapping.to_key()));
    }
    writes
}
