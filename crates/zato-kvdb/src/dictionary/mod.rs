//! Data dictionaries: what systems call their keys and values, and how these are translated into one another.
//!
//! Owns the rules of entries and translations, and that they agree. It must not know how they are written in the store
//! (`layout` does), nor who asks.
//!
//! All of it is in a few keys of the store that any number of servers share. A change reads what it depends on and takes
//! place if nobody has changed anything meanwhile; otherwise it is tried again.

mod entries;
mod error;
mod import;
mod layout;
mod translations;

pub use entries::Entry;
pub use error::DictionaryError;
pub use import::{Contents, ImportedTranslation};
pub use layout::{Mapping, Term};
pub use translations::{NewTranslation, Translation};

use futures_util::future::BoxFuture;

use crate::command::{Read, Write};
use crate::error::KvdbError;
use crate::key_value::Condition;
use crate::kvdb::Kvdb;

/// How often a change is tried while others change something, too.
const ATTEMPTS: usize = 100;

/// The data dictionary in a store. Clones share it.
#[derive(Clone, Debug)]
pub struct Dictionary {
    kvdb: Kvdb,
}

/// The ids that the newest objects were given.
#[derive(Clone, Copy)]
struct LastIds {
    entry: Option<i64>,
    translation: Option<i64>,
}

/// The writes that a change comes to, and what its caller gets.
type Plan<'a, R> = BoxFuture<'a, Result<(Vec<Write>, R), DictionaryError>>;

impl Dictionary {
    /// The dictionary of a store.
    #[must_use]
    pub fn new(kvdb: Kvdb) -> Self {
        Self { kvdb }
    }

    /// The id that the newest entry was given; none if there has been no entry.
    ///
    /// # Errors
    /// The store failed.
    pub async fn last_entry_id(&self) -> Result<Option<i64>, DictionaryError> {
        counter(layout::LAST_ENTRY_ID, self.kvdb.get(layout::LAST_ENTRY_ID).await?.as_deref())
    }

    /// The id that the newest translation was given; none if there has been no translation.
    ///
    /// # Errors
    /// The store failed.
    pub async fn last_translation_id(&self) -> Result<Option<i64>, DictionaryError> {
        counter(layout::LAST_TRANSLATION_ID, self.kvdb.get(layout::LAST_TRANSLATION_ID).await?.as_deref())
    }

    /// Makes the writes that `plan` comes to, provided that nothing has changed since it began to read.
    async fn change<'a, R>(
        &'a self,
        plan: impl Fn(LastIds) -> Plan<'a, R> + Send,
    ) -> Result<R, DictionaryError> {
        for _ in 0..ATTEMPTS {
            let (last, conditions) = self.begin().await?;
            let (mut writes, result) = plan(last).await?;
            if writes.is_empty() {
                return Ok(result);
            }
            writes.push(Write::Increment(layout::VERSION.to_owned(), 1));
            if self.kvdb.atomically_if(conditions, writes).await?.is_some() {
                return Ok(result);
            }
        }
        Err(DictionaryError::Busy)
    }

    /// The counters, and that they stay as they are, which no change leaves them.
    async fn begin(&self) -> Result<(LastIds, Vec<Condition>), DictionaryError> {
        let keys = [layout::VERSION, layout::LAST_ENTRY_ID, layout::LAST_TRANSLATION_ID];
        let read = Read::GetMany(keys.map(str::to_owned).to_vec());
        let values: [Option<Vec<u8>>; 3] = self
            .kvdb
            .run(read.into())
            .await?
            .into_optionals()?
            .try_into()
            .map_err(|_| KvdbError::UnexpectedReply)?;
        let [_, entry, translation] = &values;
        let last = LastIds {
            entry: counter(layout::LAST_ENTRY_ID, entry.as_deref())?,
            translation: counter(layout::LAST_TRANSLATION_ID, translation.as_deref())?,
        };
        let same = |(key, value): (&str, _)| Condition::ValueIs(key.to_owned(), value);
        Ok((last, keys.into_iter().zip(values).map(same).collect()))
    }
}

/// The write that makes a counter tell of an id.
fn count(key: &str, id: i64) -> Result<Write, DictionaryError> {
    Ok(Write::set(key, id.to_string().as_bytes(), None)?)
}

fn counter(key: &'static str, value: Option<&[u8]>) -> Result<Option<i64>, DictionaryError> {
    let Some(value) = value else { return Ok(None) };
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| DictionaryError::Damaged { key: key.to_owned() })
}

/// The id after the last one. Ids that were given by callers are skipped, so that no new object takes the place of one.
fn next_id(last: Option<i64>, is_taken: impl Fn(i64) -> bool) -> i64 {
    let first = last.unwrap_or(0).saturating_add(1);
    (first..i64::MAX).find(|id| !is_taken(*id)).unwrap_or(i64::MAX)
}
