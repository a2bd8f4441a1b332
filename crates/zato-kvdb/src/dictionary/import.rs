//! The import of whole dictionaries.
//!
//! Owns that it replaces everything or nothing. It must not know documents.

use super::layout::{
    ENTRIES, ID, ID1, ID2, LAST_ENTRY_ID, LAST_TRANSLATION_ID, Mapping, TRANSLATIONS, Term, VALUE2,
};
use super::{Dictionary, DictionaryError, count};
use crate::command::Write;

/// How many keys or fields are written by one command, of which the scripts of Redis take some thousands of words only.
const AT_A_TIME: usize = 500;

/// All that dictionaries are made of. It is stored as it is: whether it agrees is not checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The id of the newest entry, if there has been one.
    pub last_entry_id: Option<i64>,
    /// The id of the newest translation, if there has been one.
    pub last_translation_id: Option<i64>,
    /// The entries by their ids.
    pub entries: Vec<(i64, Term)>,
    /// The translations, by the keys under which they are stored.
    pub translations: Vec<(String, ImportedTranslation)>,
}

/// What is stored under the key of a translation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedTranslation {
    /// Its id.
    pub id: i64,
    /// What it translates to.
    pub value2: String,
    /// The entry that it leads from.
    pub id1: i64,
    /// The entry that it leads to.
    pub id2: i64,
}

impl Dictionary {
    /// Replaces all entries and translations.
    ///
    /// # Errors
    /// [`DictionaryError::NotATranslation`]; the store failed.
    pub async fn import(&self, contents: &Contents) -> Result<(), DictionaryError> {
        let mut stored = Vec::with_capacity(contents.translations.len() + 2);
        for (key, translation) in &contents.translations {
            if Mapping::from_key(key).is_none() {
                return Err(DictionaryError::NotATranslation(key.clone()));
            }
            let ImportedTranslation { id, value2, id1, id2 } = translation;
            let [id, id1, id2] = [id, id1, id2].map(ToString::to_string);
            stored.push(Write::hash_set(key, &[(ID, &id), (VALUE2, value2), (ID1, &id1), (ID2, &id2)]));
        }
        for entries in contents.entries.chunks(AT_A_TIME) {
            let fields = entries.iter().map(|(id, term)| (id.to_string().into(), term.to_stored().into()));
            stored.push(Write::HashSet(ENTRIES.to_owned(), fields.collect()));
        }
        for (key, last) in
            [(LAST_ENTRY_ID, contents.last_entry_id), (LAST_TRANSLATION_ID, contents.last_translation_id)]
        {
            if let Some(last) = last {
                stored.push(count(key, last)?);
            }
        }
        let stored = &stored;
        self.change(|_| {
            Box::pin(async move {
                let mut old = self.kvdb.keys(TRANSLATIONS).await?;
                old.extend([ENTRIES, LAST_ENTRY_ID, LAST_TRANSLATION_ID].map(str::to_owned));
                let mut writes: Vec<Write> =
                    old.chunks(AT_A_TIME).map(|keys| Write::Delete(keys.to_vec())).collect();
                writes.extend_from_slice(stored);
                Ok((writes, ()))
            })
        })
        .await
    }
}
