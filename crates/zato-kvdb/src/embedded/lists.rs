//! What writing commands do to lists.
//!
//! Owns that the elements of a list have indexes without a gap, beginning at the one in its header. It must not know
//! other collections.

use std::ops::Range;

use super::entries::Entries;
use super::moment::Moment;
use super::read::{position, ranks};
use super::tables::{Collection, Kind};
use crate::command::{End, Selection, Value};
use crate::error::KvdbError;
use crate::reply::Reply;

impl Entries<'_> {
    pub(super) fn list_push(
        &mut self,
        key: &str,
        end: End,
        values: &[Value],
        selection: Selection,
        now: Moment,
    ) -> Result<Reply, KvdbError> {
        let (mut list, expiry) = self.live_or_new(key, Kind::List, now)?;
        if list.length == 0 && selection == Selection::Present {
            return Ok(Reply::Integer(0));
        }
        for value in values {
            let index = match end {
                End::Front => {
                    list.first = list.first.checked_sub(1).ok_or(KvdbError::IndexOutOfRange)?;
                    list.first
                }
                End::Back => index(list, list.length),
            };
            self.tables.items.insert((list.number, index), value.as_slice()).map_err(KvdbError::store)?;
            list.length += 1;
        }
        self.put_collection(key, Kind::List, list, expiry)?;
        Ok(Reply::count(list.length))
    }

    /// Takes elements from an end, the outermost first; none if there is no such list.
    pub(super) fn list_pop(
        &mut self,
        key: &str,
        end: End,
        count: u64,
        now: Moment,
    ) -> Result<Option<Vec<Value>>, KvdbError> {
        let Some((list, expiry)) = self.live_collection(key, Kind::List, now)? else { return Ok(None) };
        let count = count.min(list.length);
        let (popped, kept) = match end {
            End::Front => (0..count, count..list.length),
            End::Back => (list.length - count..list.length, 0..list.length - count),
        };
        let mut values = self.tables.list_range(list, popped)?;
        if end == End::Back {
            values.reverse();
        }
        self.keep(key, list, kept, expiry)?;
        Ok(Some(values))
    }

    pub(super) fn list_trim(
        &mut self,
        key: &str,
        start: i64,
        stop: i64,
        now: Moment,
    ) -> Result<Reply, KvdbError> {
        if let Some((list, expiry)) = self.live_collection(key, Kind::List, now)? {
            self.keep(key, list, ranks(start, stop, list.length), expiry)?;
        }
        Ok(Reply::Done)
    }

    pub(super) fn list_set(
        &mut self,
        key: &str,
        at: i64,
        value: &[u8],
        now: Moment,
    ) -> Result<Reply, KvdbError> {
        let (list, _) = self.live_collection(key, Kind::List, now)?.ok_or(KvdbError::NoSuchKey)?;
        let position = position(at, list.length)
            .filter(|position| *position < list.length)
            .ok_or(KvdbError::IndexOutOfRange)?;
        let row = (list.number, index(list, position));
        self.tables.items.insert(row, value).map_err(KvdbError::store)?;
        Ok(Reply::Done)
    }

    pub(super) fn list_remove(
        &mut self,
        key: &str,
        count: i64,
        value: &[u8],
        now: Moment,
    ) -> Result<Reply, KvdbError> {
        let Some((list, expiry)) = self.live_collection(key, Kind::List, now)? else {
            return Ok(Reply::Integer(0));
        };
        let mut values = self.tables.list_range(list, 0..list.length)?;
        let mut left = if count == 0 { u64::MAX } else { count.unsigned_abs() };
        let mut stays = |candidate: &Value| {
            let goes = left > 0 && candidate == value;
            left -= u64::from(goes);
            !goes
        };
        if count < 0 {
            values.reverse();
            values.retain(&mut stays);
            values.reverse();
        } else {
            values.retain(&mut stays);
        }
        let removed = list.length - values.len() as u64;
        if removed > 0 {
            self.replace(key, list, &values, expiry)?;
        }
        Ok(Reply::count(removed))
    }

    /// Writes the elements of a list anew, of which there are fewer than before.
    fn replace(
        &mut self,
        key: &str,
        list: Collection,
        values: &[Value],
        expiry: Moment,
    ) -> Result<(), KvdbError> {
        for (index, value) in (list.first..).zip(values) {
            self.tables.items.insert((list.number, index), value.as_slice()).map_err(KvdbError::store)?;
        }
        self.keep(key, list, 0..values.len() as u64, expiry)
    }

    /// Removes all elements but those at these positions.
    fn keep(
        &mut self,
        key: &str,
        list: Collection,
        kept: Range<u64>,
        expiry: Moment,
    ) -> Result<(), KvdbError> {
        for removed in [0..kept.start, kept.end.max(kept.start)..list.length] {
            for position in removed {
                let row = (list.number, index(list, position));
                self.tables.items.remove(row).map_err(KvdbError::store)?;
            }
        }
        let length = kept.end.saturating_sub(kept.start);
        let rest = Collection { first: index(list, kept.start), length, ..list };
        self.put_collection(key, Kind::List, rest, expiry)
    }
}

/// The index in the table of an element of a list.
fn index(list: Collection, position: u64) -> i64 {
    list.first.saturating_add_unsigned(position)
}
