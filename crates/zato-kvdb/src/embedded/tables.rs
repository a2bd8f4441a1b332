//! How entries are laid out in the file.
//!
//! Owns the tables and the order in which they have their rows. It must not know commands, nor when transactions begin
//! and end.
//!
//! `keys` has a row per key: when it expires, what kind of value it holds, and then either the value itself or, for a
//! collection, its header. The elements of a collection are rows of another table under the collection's number: those of
//! hashes, sets and sorted sets in `rows`, by field or member, those of lists in `items`, by index. Sorted sets have their
//! members in `scores`, too, in the order of their scores. A collection can so be of any size, is changed without being
//! read, and keeps its rows when its key is renamed.

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, TableDefinition};

use super::moment::Moment;
use crate::error::KvdbError;

pub(super) type KeyRow = (u64, u8, &'static [u8]);
pub(super) type RowKey = (u64, &'static [u8]);
pub(super) type ItemKey = (u64, i64);
pub(super) type ScoreKey = (u64, u64, &'static [u8]);
pub(super) type ExpiryKey = (u64, &'static str);

pub(super) const KEYS: TableDefinition<'_, &str, KeyRow> = TableDefinition::new("keys");
pub(super) const ROWS: TableDefinition<'_, RowKey, &[u8]> = TableDefinition::new("rows");
pub(super) const ITEMS: TableDefinition<'_, ItemKey, &[u8]> = TableDefinition::new("items");
pub(super) const SCORES: TableDefinition<'_, ScoreKey, ()> = TableDefinition::new("scores");
/// The keys that expire, in the order in which they do.
pub(super) const EXPIRIES: TableDefinition<'_, ExpiryKey, ()> = TableDefinition::new("expiries");

/// What kind of value a key holds. The numbers are those in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text = 0,
    Hash = 1,
    List = 2,
    Set = 3,
    SortedSet = 4,
}

impl Kind {
    /// The name that Redis has for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Hash => "hash",
            Self::List => "list",
            Self::Set => "set",
            Self::SortedSet => "zset",
        }
    }

    fn of(number: u8) -> Result<Self, KvdbError> {
        Ok(match number {
            0 => Self::Text,
            1 => Self::Hash,
            2 => Self::List,
            3 => Self::Set,
            4 => Self::SortedSet,
            _ => return Err(damaged()),
        })
    }
}

/// The header of a collection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Collection {
    /// The number under which its elements are.
    pub(super) number: u64,
    /// How many there are, at least one.
    pub(super) length: u64,
    /// The index at which a list begins in the table; indexes count from there.
    pub(super) first: i64,
}

impl Collection {
    const BYTES: usize = 24;

    pub(super) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&self.number.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.length.to_le_bytes());
        bytes[16..].copy_from_slice(&self.first.to_le_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, KvdbError> {
        let word = |index: usize| bytes.get(index..index + 8)?.try_into().ok();
        let header = || {
            Some(Self {
                number: u64::from_le_bytes(word(0)?),
                length: u64::from_le_bytes(word(8)?),
                first: i64::from_le_bytes(word(16)?),
            })
        };
        header().ok_or_else(damaged)
    }
}

/// A row of `keys`.
pub(super) struct Entry {
    pub(super) expiry: Moment,
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

impl Entry {
    pub(super) fn into_text(self) -> Result<Vec<u8>, KvdbError> {
        if self.kind == Kind::Text { Ok(self.bytes) } else { Err(KvdbError::WrongType) }
    }

    pub(super) fn collection(&self, kind: Kind) -> Result<Collection, KvdbError> {
        if self.kind == kind { Collection::from_bytes(&self.bytes) } else { Err(KvdbError::WrongType) }
    }
}

/// The tables, as far as they are read, within a transaction of either kind.
pub(super) struct Tables<K, R, I, S, X> {
    pub(super) keys: K,
    pub(super) rows: R,
    pub(super) items: I,
    pub(super) scores: S,
    pub(super) expiries: X,
}

/// The entries as they were when a reading transaction began.
pub(super) type Snapshot = Tables<
    ReadOnlyTable<&'static str, KeyRow>,
    ReadOnlyTable<RowKey, &'static [u8]>,
    ReadOnlyTable<ItemKey, &'static [u8]>,
    ReadOnlyTable<ScoreKey, ()>,
    ReadOnlyTable<ExpiryKey, ()>,
>;

/// The table of keys, in a transaction of either kind.
pub(super) trait Keys: ReadableTable<&'static str, KeyRow> {}
impl<T: ReadableTable<&'static str, KeyRow>> Keys for T {}
/// The table of fields and members.
pub(super) trait Rows: ReadableTable<RowKey, &'static [u8]> {}
impl<T: ReadableTable<RowKey, &'static [u8]>> Rows for T {}
/// The table of elements of lists.
pub(super) trait Items: ReadableTable<ItemKey, &'static [u8]> {}
impl<T: ReadableTable<ItemKey, &'static [u8]>> Items for T {}
/// The table of members by score.
pub(super) trait Scores: ReadableTable<ScoreKey, ()> {}
impl<T: ReadableTable<ScoreKey, ()>> Scores for T {}
/// The table of keys by the moment at which they expire.
pub(super) trait Expiries: ReadableTable<ExpiryKey, ()> {}
impl<T: ReadableTable<ExpiryKey, ()>> Expiries for T {}

impl Snapshot {
    pub(super) fn of(transaction: &ReadTransaction) -> Result<Self, KvdbError> {
        Ok(Self {
            keys: transaction.open_table(KEYS).map_err(KvdbError::store)?,
            rows: transaction.open_table(ROWS).map_err(KvdbError::store)?,
            items: transaction.open_table(ITEMS).map_err(KvdbError::store)?,
            scores: transaction.open_table(SCORES).map_err(KvdbError::store)?,
            expiries: transaction.open_table(EXPIRIES).map_err(KvdbError::store)?,
        })
    }
}

impl<K: Keys, R: Rows, I: Items, S: Scores, X: Expiries> Tables<K, R, I, S, X> {
    /// What a key holds, unless it has expired.
    pub(super) fn find(&self, key: &str, now: Moment) -> Result<Option<Entry>, KvdbError> {
        Ok(self.find_any(key)?.filter(|entry| entry.expiry > now))
    }

    pub(super) fn find_any(&self, key: &str) -> Result<Option<Entry>, KvdbError> {
        let Some(row) = self.keys.get(key).map_err(KvdbError::store)? else { return Ok(None) };
        let (expiry, kind, bytes) = row.value();
        Ok(Some(Entry { expiry: Moment(expiry), kind: Kind::of(kind)?, bytes: bytes.to_owned() }))
    }

    /// The collection of a key, unless it has expired.
    pub(super) fn collection(
        &self,
        key: &str,
        kind: Kind,
        now: Moment,
    ) -> Result<Option<Collection>, KvdbError> {
        self.find(key, now)?.map(|entry| entry.collection(kind)).transpose()
    }

    /// The row of a field or member.
    pub(super) fn row(&self, collection: Collection, name: &[u8]) -> Result<Option<Vec<u8>>, KvdbError> {
        let row = self.rows.get((collection.number, name)).map_err(KvdbError::store)?;
        Ok(row.map(|row| row.value().to_owned()))
    }

    /// All rows of a collection, sorted by field or member.
    pub(super) fn rows(
        &self,
        collection: Collection,
        mut each: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), KvdbError> {
        let range = row_range(collection.number);
        for row in self.rows.range(range).map_err(KvdbError::store)? {
            let (name, value) = row.map_err(KvdbError::store)?;
            each(name.value().1, value.value());
        }
        Ok(())
    }
}

/// Where the rows of a collection are.
pub(super) fn row_range(number: u64) -> std::ops::Range<(u64, &'static [u8])> {
    (number, [].as_slice())..(number + 1, [].as_slice())
}

/// Where the scores of a sorted set are.
pub(super) fn score_range(number: u64) -> std::ops::Range<(u64, u64, &'static [u8])> {
    (number, 0, [].as_slice())..(number + 1, 0, [].as_slice())
}

/// The error of a file whose rows contradict one another.
pub(super) fn damaged() -> KvdbError {
    KvdbError::store(redb::Error::Corrupted("a row of the key/value store can't be read".to_owned()))
}
