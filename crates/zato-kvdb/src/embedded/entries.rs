//! The entries within a writing transaction.
//!
//! Owns that the tables agree with one another: that no element is without a key, and that each key that expires is among
//! the expiries, once. It must not know commands, nor when transactions begin and end.

use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use super::moment::Moment;
use super::tables::{
    Collection, EXPIRIES, Entry, ExpiryKey, ITEMS, ItemKey, KEYS, KeyRow, Kind, ROWS, RowKey, SCORES,
    ScoreKey, Tables, row_range, score_range,
};
use crate::error::KvdbError;

/// The number of the next collection, under the empty name.
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
/// The table of values of files that were written before there were collections.
const VALUES_ONLY: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("entries");

type WritableTables<'t> = Tables<
    Table<'t, &'static str, KeyRow>,
    Table<'t, RowKey, &'static [u8]>,
    Table<'t, ItemKey, &'static [u8]>,
    Table<'t, ScoreKey, ()>,
    Table<'t, ExpiryKey, ()>,
>;

/// The entries within a writing transaction.
pub(super) struct Entries<'t> {
    pub(super) tables: WritableTables<'t>,
    numbers: Table<'t, &'static str, u64>,
}

impl<'t> Entries<'t> {
    pub(super) fn of(transaction: &'t WriteTransaction) -> Result<Self, KvdbError> {
        Ok(Self {
            tables: Tables {
                keys: transaction.open_table(KEYS).map_err(KvdbError::store)?,
                rows: transaction.open_table(ROWS).map_err(KvdbError::store)?,
                items: transaction.open_table(ITEMS).map_err(KvdbError::store)?,
                scores: transaction.open_table(SCORES).map_err(KvdbError::store)?,
                expiries: transaction.open_table(EXPIRIES).map_err(KvdbError::store)?,
            },
            numbers: transaction.open_table(NUMBERS).map_err(KvdbError::store)?,
        })
    }

    /// Takes over what a file has that was written before there were collections.
    pub(super) fn upgrade(transaction: &'t WriteTransaction) -> Result<(), KvdbError> {
        let mut entries = Self::of(transaction)?;
        let old = transaction.open_table(VALUES_ONLY).map_err(KvdbError::store)?;
        for row in old.iter().map_err(KvdbError::store)? {
            let (key, row) = row.map_err(KvdbError::store)?;
            let (expiry, value) = row.value();
            entries
                .tables
                .keys
                .insert(key.value(), (expiry, Kind::Text as u8, value))
                .map_err(KvdbError::store)?;
        }
        transaction.delete_table(old).map_err(KvdbError::store)?;
        Ok(())
    }

    /// What a key holds. An entry that has expired is removed, so that a new one can take its place.
    pub(super) fn live(&mut self, key: &str, now: Moment) -> Result<Option<Entry>, KvdbError> {
        match self.tables.find_any(key)? {
            Some(entry) if entry.expiry <= now => {
                self.remove(key, &entry)?;
                Ok(None)
            }
            entry => Ok(entry),
        }
    }

    /// The collection of a key and when it expires; a new, empty one if there is no such key.
    pub(super) fn live_or_new(
        &mut self,
        key: &str,
        kind: Kind,
        now: Moment,
    ) -> Result<(Collection, Moment), KvdbError> {
        match self.live(key, now)? {
            Some(entry) => Ok((entry.collection(kind)?, entry.expiry)),
            None => Ok((self.new_collection()?, Moment::NEVER)),
        }
    }

    /// The collection of a key and when it expires, if there is one.
    pub(super) fn live_collection(
        &mut self,
        key: &str,
        kind: Kind,
        now: Moment,
    ) -> Result<Option<(Collection, Moment)>, KvdbError> {
        let Some(entry) = self.live(key, now)? else { return Ok(None) };
        Ok(Some((entry.collection(kind)?, entry.expiry)))
    }

    fn new_collection(&mut self) -> Result<Collection, KvdbError> {
        let number = self.numbers.get("").map_err(KvdbError::store)?.map_or(0, |number| number.value());
        self.numbers.insert("", number + 1).map_err(KvdbError::store)?;
        Ok(Collection { number, length: 0, first: 0 })
    }

    /// Stores a value. What the key held before is removed.
    pub(super) fn put_text(&mut self, key: &str, value: &[u8], expiry: Moment) -> Result<(), KvdbError> {
        if let Some(old) = self.tables.find_any(key)? {
            self.remove_elements(&old)?;
            self.remove_expiry(key, old.expiry)?;
        }
        self.put(key, expiry, Kind::Text, value)
    }

    /// Stores the header of a collection whose key held it before, or nothing; an empty one is removed.
    pub(super) fn put_collection(
        &mut self,
        key: &str,
        kind: Kind,
        collection: Collection,
        expiry: Moment,
    ) -> Result<(), KvdbError> {
        if collection.length > 0 {
            return self.put(key, expiry, kind, &collection.to_bytes());
        }
        self.tables.keys.remove(key).map_err(KvdbError::store)?;
        self.remove_expiry(key, expiry)
    }

    /// Gives an entry another key, which must not be in use, or another time to expire.
    pub(super) fn move_entry(&mut self, from: &str, entry: &Entry, to: &str) -> Result<(), KvdbError> {
        self.tables.keys.remove(from).map_err(KvdbError::store)?;
        self.remove_expiry(from, entry.expiry)?;
        self.put(to, entry.expiry, entry.kind, &entry.bytes)
    }

    /// Makes an entry expire at another moment.
    pub(super) fn set_expiry(&mut self, key: &str, entry: &Entry, expiry: Moment) -> Result<(), KvdbError> {
        self.remove_expiry(key, entry.expiry)?;
        self.put(key, expiry, entry.kind, &entry.bytes)
    }

    /// Removes an entry with all that belongs to it.
    pub(super) fn remove(&mut self, key: &str, entry: &Entry) -> Result<(), KvdbError> {
        self.remove_elements(entry)?;
        self.tables.keys.remove(key).map_err(KvdbError::store)?;
        self.remove_expiry(key, entry.expiry)
    }

    /// Removes all entries.
    pub(super) fn clear(&mut self) -> Result<(), KvdbError> {
        self.tables.keys.retain(|_, _| false).map_err(KvdbError::store)?;
        self.tables.rows.retain(|_, _| false).map_err(KvdbError::store)?;
        self.tables.items.retain(|_, _| false).map_err(KvdbError::store)?;
        self.tables.scores.retain(|_, _| false).map_err(KvdbError::store)?;
        self.tables.expiries.retain(|_, ()| false).map_err(KvdbError::store)
    }

    /// Removes at most `limit` of the entries that have expired, and returns how many.
    pub(super) fn sweep(&mut self, now: Moment, limit: usize) -> Result<usize, KvdbError> {
        let mut removed = 0;
        while removed < limit {
            let Some((expiry, key)) = self.first_expiry()? else { break };
            if expiry > now {
                break;
            }
            match self.tables.find_any(&key)? {
                Some(entry) if entry.expiry == expiry => self.remove(&key, &entry)?,
                _ => self.remove_expiry(&key, expiry)?,
            }
            removed += 1;
        }
        Ok(removed)
    }

    fn first_expiry(&self) -> Result<Option<(Moment, String)>, KvdbError> {
        let first = self.tables.expiries.first().map_err(KvdbError::store)?;
        Ok(first.map(|(row, _)| (Moment(row.value().0), row.value().1.to_owned())))
    }

    fn put(&mut self, key: &str, expiry: Moment, kind: Kind, bytes: &[u8]) -> Result<(), KvdbError> {
        self.tables.keys.insert(key, (expiry.0, kind as u8, bytes)).map_err(KvdbError::store)?;
        if expiry != Moment::NEVER {
            self.tables.expiries.insert((expiry.0, key), ()).map_err(KvdbError::store)?;
        }
        Ok(())
    }

    fn remove_expiry(&mut self, key: &str, expiry: Moment) -> Result<(), KvdbError> {
        if expiry != Moment::NEVER {
            self.tables.expiries.remove((expiry.0, key)).map_err(KvdbError::store)?;
        }
        Ok(())
    }

    fn remove_elements(&mut self, entry: &Entry) -> Result<(), KvdbError> {
        if entry.kind == Kind::Text {
            return Ok(());
        }
        let Collection { number, first, length } = Collection::from_bytes(&entry.bytes)?;
        if entry.kind == Kind::List {
            let end = first.saturating_add_unsigned(length);
            let items = &mut self.tables.items;
            return items.retain_in((number, first)..(number, end), |_, _| false).map_err(KvdbError::store);
        }
        self.tables.rows.retain_in(row_range(number), |_, _| false).map_err(KvdbError::store)?;
        if entry.kind == Kind::SortedSet {
            let range = score_range(number);
            self.tables.scores.retain_in(range, |_, ()| false).map_err(KvdbError::store)?;
        }
        Ok(())
    }
}
