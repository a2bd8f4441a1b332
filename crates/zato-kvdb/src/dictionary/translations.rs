//! The translations between entries.
//!
//! Owns what makes one valid and unique, and how one is found. A translation leads one way only.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::entries::id_of;
use super::layout::{ID, ID1, ID2, LAST_TRANSLATION_ID, Mapping, TRANSLATIONS, Term, VALUE2};
use super::{Dictionary, DictionaryError, count, next_id};
use crate::command::Write;

/// How many translations are read at a time.
const READ_AT_A_TIME: usize = 64;

/// What a translation is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTranslation {
    /// From what to where it leads.
    pub mapping: Mapping,
    /// What is called so there.
    pub value2: String,
}

/// A translation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Translation {
    /// Its id.
    pub id: i64,
    /// From what to where it leads.
    pub mapping: Mapping,
    /// What is called so there.
    pub value2: String,
    /// The entry that it leads from.
    pub id1: i64,
    /// The entry that it leads to.
    pub id2: i64,
}

impl Dictionary {
    /// What another system calls a value; none if there is no such translation.
    ///
    /// # Errors
    /// [`DictionaryError::Damaged`]; the store failed.
    pub async fn translate(&self, mapping: &Mapping) -> Result<Option<String>, DictionaryError> {
        let key = mapping.to_key();
        let Some(value) = self.kvdb.hash_get(&key, VALUE2).await? else { return Ok(None) };
        String::from_utf8(value).map(Some).map_err(|_| DictionaryError::Damaged { key })
    }

    /// All translations, sorted by what they lead from, where they lead to, and what is called so there.
    ///
    /// # Errors
    /// [`DictionaryError::Damaged`]; the store failed.
    pub async fn translations(&self) -> Result<Vec<Translation>, DictionaryError> {
        let keys = self.kvdb.keys(TRANSLATIONS).await?;
        let read = |key: String| async move {
            let fields = self.kvdb.hash_get_all(&key).await?;
            // One that was deleted meanwhile has no fields.
            if fields.is_empty() {
                return Ok(None);
            }
            let translation = translation(&key, fields);
            translation.map(Some).ok_or(DictionaryError::Damaged { key })
        };
        let found: Vec<Option<Translation>> =
            stream::iter(keys.into_iter().map(read)).buffered(READ_AT_A_TIME).try_collect().await?;
        let mut translations: Vec<Translation> = found.into_iter().flatten().collect();
        translations.sort_by(|one, other| (&one.mapping, &one.value2).cmp(&(&other.mapping, &other.value2)));
        Ok(translations)
    }

    /// Adds a translation and returns its id, the one after the last that no other one has. One that is refused takes no id.
    ///
    /// # Errors
    /// [`DictionaryError::NoEntry`] if one of its ends is not in the dictionary, [`DictionaryError::TranslationExists`],
    /// [`DictionaryError::Damaged`]; the store failed.
    pub async fn create_translation(&self, new: NewTranslation) -> Result<i64, DictionaryError> {
        let new = &new;
        self.change(|last| {
            Box::pin(async move {
                let ends = self.ends(new).await?;
                if self.kvdb.exists(&new.mapping.to_key()).await? {
                    return Err(DictionaryError::TranslationExists(new.mapping.clone()));
                }
                // Imported ones have ids that no counter need know.
                let taken: BTreeSet<i64> = self.translations().await?.iter().map(|found| found.id).collect();
                let id = next_id(last.translation, |id| taken.contains(&id));
                Ok((vec![put(id, new, ends), count(LAST_TRANSLATION_ID, id)?], id))
            })
        })
        .await
    }

    /// Replaces what a translation says.
    ///
    /// # Errors
    /// [`DictionaryError::NoTranslation`], [`DictionaryError::NoEntry`], [`DictionaryError::TranslationExists`] if it is
    /// another one; the store failed.
    pub async fn edit_translation(&self, id: i64, new: NewTranslation) -> Result<(), DictionaryError> {
        let new = &new;
        self.change(|_| {
            Box::pin(async move {
                let old = self.find_translation(id).await?.ok_or(DictionaryError::NoTranslation(id))?;
                let ends = self.ends(new).await?;
                let mut writes = Vec::new();
                if old.mapping != new.mapping {
                    if self.kvdb.exists(&new.mapping.to_key()).await? {
                        return Err(DictionaryError::TranslationExists(new.mapping.clone()));
                    }
                    writes.push(Write::delete(&old.mapping.to_key()));
                }
                writes.push(put(id, new, ends));
                Ok((writes, ()))
            })
        })
        .await
    }

    /// Deletes a translation. One that does not exist is none that could not be deleted.
    ///
    /// # Errors
    /// [`DictionaryError::Damaged`]; the store failed.
    pub async fn delete_translation(&self, id: i64) -> Result<(), DictionaryError> {
        self.change(|_| {
            Box::pin(async move {
                let found = self.find_translation(id).await?;
                Ok((found.map(|found| Write::delete(&found.mapping.to_key())).into_iter().collect(), ()))
            })
        })
        .await
    }

    async fn find_translation(&self, id: i64) -> Result<Option<Translation>, DictionaryError> {
        Ok(self.translations().await?.into_iter().find(|translation| translation.id == id))
    }

    /// The entries that it leads from and to.
    async fn ends(&self, new: &NewTranslation) -> Result<(i64, i64), DictionaryError> {
        let terms = self.terms().await?;
        let find = |term: &Term| id_of(&terms, term).ok_or_else(|| DictionaryError::NoEntry(term.clone()));
        let Mapping { from, system2, key2 } = &new.mapping;
        Ok((find(from)?, find(&Term::new(system2, key2, &new.value2))?))
    }
}

fn put(id: i64, new: &NewTranslation, (id1, id2): (i64, i64)) -> Write {
    let [id, id1, id2] = [id, id1, id2].map(|id| id.to_string());
    Write::hash_set(&new.mapping.to_key(), &[(ID, &id), (VALUE2, &new.value2), (ID1, &id1), (ID2, &id2)])
}

fn translation(key: &str, fields: Vec<(String, Vec<u8>)>) -> Option<Translation> {
    let mut fields: BTreeMap<String, Vec<u8>> = fields.into_iter().collect();
    let mut text = |name| String::from_utf8(fields.remove(name)?).ok();
    Some(Translation {
        id: text(ID)?.parse().ok()?,
        mapping: Mapping::from_key(key)?,
        value2: text(VALUE2)?,
        id1: text(ID1)?.parse().ok()?,
        id2: text(ID2)?.parse().ok()?,
    })
}
