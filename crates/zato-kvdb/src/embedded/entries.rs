//! How entries are laid out in the file, and what each operation does to them.
//!
//! Owns the two tables: entries by key, and keys by the moment at which they expire, which is what the sweep goes
//! through. It must not know when transactions begin and end.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, Table, TableDefinition, WriteTransaction};

use crate::error::KvdbError;
use crate::key_value::Lifetime;

/// The moment of expiry and the value of each key.
const ENTRIES: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("entries");
/// The keys that expire, in the order in which they do.
const EXPIRIES: TableDefinition<'_, (u64, &str), ()> = TableDefinition::new("expiries");

/// A point in time: milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u64);

impl Moment {
    /// When entries without a time to live expire.
    pub(super) const NEVER: Self = Self(u64::MAX);

    /// The moment of a time. Clocks that stand before 1970 count as standing there.
    pub(super) fn of(time: SystemTime) -> Self {
        Self(whole_milliseconds(time.duration_since(UNIX_EPOCH).unwrap_or_default()))
    }

    /// When an entry that is written now expires. Parts of a millisecond count as a whole one, so that nothing expires
    /// too early.
    pub(super) fn expiry(self, time_to_live: Option<Duration>) -> Self {
        let Some(time_to_live) = time_to_live else { return Self::NEVER };
        let rounded_up = time_to_live.saturating_add(Duration::from_nanos(999_999));
        Self(self.0.saturating_add(whole_milliseconds(rounded_up)))
    }
}

fn whole_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A value and when it expires.
pub(super) struct Entry {
    pub(super) expiry: Moment,
    pub(super) value: Vec<u8>,
}

fn find(
    table: &impl ReadableTable<&'static str, (u64, &'static [u8])>,
    key: &str,
    now: Moment,
) -> Result<Option<Entry>, KvdbError> {
    let Some(stored) = table.get(key).map_err(KvdbError::store)? else { return Ok(None) };
    let (expiry, value) = stored.value();
    Ok((expiry > now.0).then(|| Entry { expiry: Moment(expiry), value: value.to_owned() }))
}

/// The entries as they were when a reading transaction began.
pub(super) struct Snapshot {
    entries: ReadOnlyTable<&'static str, (u64, &'static [u8])>,
}

impl Snapshot {
    pub(super) fn of(transaction: &ReadTransaction) -> Result<Self, KvdbError> {
        Ok(Self { entries: transaction.open_table(ENTRIES).map_err(KvdbError::store)? })
    }

    pub(super) fn get(&self, key: &str, now: Moment) -> Result<Option<Vec<u8>>, KvdbError> {
        Ok(find(&self.entries, key, now)?.map(|entry| entry.value))
    }

    pub(super) fn lifetime(&self, key: &str, now: Moment) -> Result<Lifetime, KvdbError> {
        let stored = self.entries.get(key).map_err(KvdbError::store)?;
        Ok(match stored.map(|stored| stored.value().0) {
            Some(expiry) if expiry == Moment::NEVER.0 => Lifetime::Forever,
            Some(expiry) if expiry > now.0 => Lifetime::Expires(Duration::from_millis(expiry - now.0)),
            _ => Lifetime::Absent,
        })
    }

    pub(super) fn keys(&self, prefix: &str, now: Moment) -> Result<Vec<String>, KvdbError> {
        let mut keys = Vec::new();
        for stored in self.entries.range(prefix..).map_err(KvdbError::store)? {
            let (key, entry) = stored.map_err(KvdbError::store)?;
            if !key.value().starts_with(prefix) {
                break;
            }
            if entry.value().0 > now.0 {
                keys.push(key.value().to_owned());
            }
        }
        Ok(keys)
    }
}

/// The entries within a writing transaction.
pub(super) struct Entries<'t> {
    entries: Table<'t, &'static str, (u64, &'static [u8])>,
    expiries: Table<'t, (u64, &'static str), ()>,
}

impl<'t> Entries<'t> {
    pub(super) fn of(transaction: &'t WriteTransaction) -> Result<Self, KvdbError> {
        Ok(Self {
            entries: transaction.open_table(ENTRIES).map_err(KvdbError::store)?,
            expiries: transaction.open_table(EXPIRIES).map_err(KvdbError::store)?,
        })
    }

    pub(super) fn get(&self, key: &str, now: Moment) -> Result<Option<Entry>, KvdbError> {
        find(&self.entries, key, now)
    }

    pub(super) fn set(&mut self, key: &str, value: &[u8], expiry: Moment) -> Result<(), KvdbError> {
        let replaced = self.entries.insert(key, (expiry.0, value)).map_err(KvdbError::store)?;
        let old_expiry = replaced.map(|replaced| replaced.value().0);
        if let Some(old_expiry) = old_expiry
            && old_expiry != Moment::NEVER.0
        {
            self.expiries.remove((old_expiry, key)).map_err(KvdbError::store)?;
        }
        if expiry != Moment::NEVER {
            self.expiries.insert((expiry.0, key), ()).map_err(KvdbError::store)?;
        }
        Ok(())
    }

    pub(super) fn delete(&mut self, key: &str, now: Moment) -> Result<bool, KvdbError> {
        let removed = self.entries.remove(key).map_err(KvdbError::store)?;
        let Some(expiry) = removed.map(|removed| removed.value().0) else { return Ok(false) };
        if expiry != Moment::NEVER.0 {
            self.expiries.remove((expiry, key)).map_err(KvdbError::store)?;
        }
        Ok(expiry > now.0)
    }

    /// Removes at most `limit` of the entries that have expired, and returns how many.
    pub(super) fn sweep(&mut self, now: Moment, limit: usize) -> Result<usize, KvdbError> {
        let mut removed = 0;
        while removed < limit {
            let Some(first) = self.expiries.first().map_err(KvdbError::store)? else { break };
            let (expiry, key) = first.0.value();
            if expiry > now.0 {
                break;
            }
            let key = key.to_owned();
            drop(first);
            self.entries.remove(key.as_str()).map_err(KvdbError::store)?;
            self.expiries.remove((expiry, key.as_str())).map_err(KvdbError::store)?;
            removed += 1;
        }
        Ok(removed)
    }
}
