//! What each reading command finds.
//!
//! Owns the meaning of those commands on the tables. It must not know transactions, nor commands that write.

use std::ops::Range;
use std::time::Duration;

use redb::{AccessGuard, StorageError};

use super::dump;
use super::moment::Moment;
use super::tables::{Collection, Expiries, Items, Keys, Kind, Rows, ScoreKey, Scores, Tables, score_range};
use crate::command::{Inspection, Read, Unit};
use crate::error::KvdbError;
use crate::glob::Glob;
use crate::reply::Reply;
use crate::score::Score;

impl<K: Keys, R: Rows, I: Items, S: Scores, X: Expiries> Tables<K, R, I, S, X> {
    /// Runs a command. `random` chooses a key if one is to be chosen.
    pub(super) fn read(&self, command: Read, now: Moment, random: u64) -> Result<Reply, KvdbError> {
        Ok(match command {
            Read::Get(key) => {
                Reply::optional(self.find(&key, now)?.map(super::tables::Entry::into_text).transpose()?)
            }
            Read::GetMany(keys) => {
                let value = |key: &String| {
                    let entry = self.find(key, now)?;
                    Ok(Reply::optional(entry.and_then(|entry| entry.into_text().ok())))
                };
                Reply::Array(keys.iter().map(value).collect::<Result<_, KvdbError>>()?)
            }
            Read::Exists(keys) => {
                let mut count = 0;
                for key in keys {
                    count += i64::from(self.find(&key, now)?.is_some());
                }
                Reply::Integer(count)
            }
            Read::Lifetime(key, unit) => Reply::Integer(self.lifetime(&key, unit, now)?),
            Read::Kind(key) => {
                let kind = self.find(&key, now)?.map_or("none", |entry| entry.kind.name());
                Reply::Status(kind.to_owned())
            }
            Read::Keys(pattern) => Reply::values(self.keys(&pattern, now)?),
            Read::RandomKey => Reply::optional(self.random_key(random, now)?),
            Read::Count => Reply::count(self.count(now)?),
            Read::Dump(key) => match self.find(&key, now)? {
                Some(entry) => Reply::Value(dump::write(&self.content(entry)?)),
                None => Reply::Nil,
            },
            Read::Inspect(what, key) => self.inspect(what, &key, now)?,

            Read::HashGet(key, field) => match self.collection(&key, Kind::Hash, now)? {
                Some(hash) => Reply::optional(self.row(hash, &field)?),
                None => Reply::Nil,
            },
            Read::HashGetAll(key) => self.names(&key, Kind::Hash, now, |all, field, value| {
                all.push(field.to_owned());
                all.push(value.to_owned());
            })?,
            Read::HashFields(key) => {
                self.names(&key, Kind::Hash, now, |all, field, _| all.push(field.to_owned()))?
            }
            Read::HashValues(key) => {
                self.names(&key, Kind::Hash, now, |all, _, value| all.push(value.to_owned()))?
            }
            Read::HashLength(key) => self.length(&key, Kind::Hash, now)?,
            Read::HashContains(key, field) => self.contains(&key, Kind::Hash, &field, now)?,

            Read::ListRange(key, start, stop) => match self.collection(&key, Kind::List, now)? {
                Some(list) => Reply::values(self.list_range(list, ranks(start, stop, list.length))?),
                None => Reply::Array(Vec::new()),
            },
            Read::ListLength(key) => self.length(&key, Kind::List, now)?,

            Read::SetMembers(key) => {
                self.names(&key, Kind::Set, now, |all, member, _| all.push(member.to_owned()))?
            }
            Read::SetContains(key, member) => self.contains(&key, Kind::Set, &member, now)?,

            Read::SortedSetRange(key, start, stop) => {
                self.members(&key, start, stop, Order::Ascending, now, |all, _, member| all.push(member))?
            }
            Read::SortedSetRangeWithScores(key, start, stop) => {
                self.members(&key, start, stop, Order::Ascending, now, push_with_score)?
            }
            Read::SortedSetReverseRange(key, start, stop) => {
                self.members(&key, start, stop, Order::Descending, now, |all, _, member| all.push(member))?
            }
            Read::SortedSetReverseRangeWithScores(key, start, stop) => {
                self.members(&key, start, stop, Order::Descending, now, push_with_score)?
            }
        })
    }

    fn lifetime(&self, key: &str, unit: Unit, now: Moment) -> Result<i64, KvdbError> {
        let Some(entry) = self.find(key, now)? else { return Ok(-2) };
        if entry.expiry == Moment::NEVER {
            return Ok(-1);
        }
        let left = entry.expiry.since(now);
        let number = match unit {
            Unit::Milliseconds => left.as_millis(),
            Unit::Seconds => u128::from((left + Duration::from_millis(500)).as_secs()),
        };
        Ok(i64::try_from(number).unwrap_or(i64::MAX))
    }

    fn keys(&self, pattern: &[u8], now: Moment) -> Result<Vec<Vec<u8>>, KvdbError> {
        let glob = Glob::new(pattern);
        // Keys are text, so that none of them begins with what is not.
        let Ok(prefix) = std::str::from_utf8(glob.prefix()) else { return Ok(Vec::new()) };
        let mut keys = Vec::new();
        for row in self.keys.range(prefix..).map_err(KvdbError::store)? {
            let (key, entry) = row.map_err(KvdbError::store)?;
            let key = key.value();
            if !key.starts_with(prefix) {
                break;
            }
            if entry.value().0 > now.0 && glob.matches(key.as_bytes()) {
                keys.push(key.as_bytes().to_owned());
            }
        }
        Ok(keys)
    }

    fn random_key(&self, random: u64, now: Moment) -> Result<Option<Vec<u8>>, KvdbError> {
        let Some(position) = random.checked_rem(self.count(now)?) else { return Ok(None) };
        let mut position = usize::try_from(position).unwrap_or(usize::MAX);
        for row in self.keys.iter().map_err(KvdbError::store)? {
            let (key, entry) = row.map_err(KvdbError::store)?;
            if entry.value().0 <= now.0 {
                continue;
            }
            if position == 0 {
                return Ok(Some(key.value().as_bytes().to_owned()));
            }
            position -= 1;
        }
        Ok(None)
    }

    /// How many keys there are, without those that have expired.
    pub(super) fn count(&self, now: Moment) -> Result<u64, KvdbError> {
        let keys = self.keys.len().map_err(KvdbError::store)?;
        Ok(keys.saturating_sub(self.expired(now)?))
    }

    /// How many keys will expire.
    pub(super) fn expiring(&self, now: Moment) -> Result<u64, KvdbError> {
        let keys = self.expiries.len().map_err(KvdbError::store)?;
        Ok(keys.saturating_sub(self.expired(now)?))
    }

    fn expired(&self, now: Moment) -> Result<u64, KvdbError> {
        let expired = self.expiries.range(..(now.0.saturating_add(1), "")).map_err(KvdbError::store)?;
        Ok(expired.count() as u64)
    }

    fn inspect(&self, what: Inspection, key: &str, now: Moment) -> Result<Reply, KvdbError> {
        let Some(entry) = self.find(key, now)? else { return Ok(Reply::Nil) };
        match what {
            Inspection::Encoding if entry.kind == Kind::Text => Ok(Reply::Value(b"raw".to_vec())),
            Inspection::Encoding => Ok(Reply::Value(b"btree".to_vec())),
            Inspection::References => Ok(Reply::Integer(1)),
            Inspection::Frequency | Inspection::IdleTime => Err(KvdbError::NotTracked),
        }
    }

    fn length(&self, key: &str, kind: Kind, now: Moment) -> Result<Reply, KvdbError> {
        Ok(Reply::count(self.collection(key, kind, now)?.map_or(0, |collection| collection.length)))
    }

    fn contains(&self, key: &str, kind: Kind, name: &[u8], now: Moment) -> Result<Reply, KvdbError> {
        let Some(collection) = self.collection(key, kind, now)? else { return Ok(Reply::truth(false)) };
        let row = self.rows.get((collection.number, name)).map_err(KvdbError::store)?;
        Ok(Reply::truth(row.is_some()))
    }

    fn names(
        &self,
        key: &str,
        kind: Kind,
        now: Moment,
        push: fn(&mut Vec<Vec<u8>>, &[u8], &[u8]),
    ) -> Result<Reply, KvdbError> {
        let mut all = Vec::new();
        if let Some(collection) = self.collection(key, kind, now)? {
            self.rows(collection, |name, value| push(&mut all, name, value))?;
        }
        Ok(Reply::values(all))
    }

    /// The elements of a list at these positions.
    pub(super) fn list_range(
        &self,
        list: Collection,
        positions: Range<u64>,
    ) -> Result<Vec<Vec<u8>>, KvdbError> {
        let index = |position| (list.number, list.first.saturating_add_unsigned(position));
        let rows =
            self.items.range(index(positions.start)..index(positions.end)).map_err(KvdbError::store)?;
        rows.map(|row| row.map(|(_, item)| item.value().to_owned()).map_err(KvdbError::store)).collect()
    }

    fn members(
        &self,
        key: &str,
        start: i64,
        stop: i64,
        order: Order,
        now: Moment,
        push: fn(&mut Vec<Vec<u8>>, Score, Vec<u8>),
    ) -> Result<Reply, KvdbError> {
        let mut all = Vec::new();
        if let Some(set) = self.collection(key, Kind::SortedSet, now)? {
            for (score, member) in self.ranked(set, ranks(start, stop, set.length), order)? {
                push(&mut all, score, member);
            }
        }
        Ok(Reply::values(all))
    }

    /// The members of a sorted set that have these ranks, counted in that order.
    pub(super) fn ranked(
        &self,
        set: Collection,
        ranks: Range<u64>,
        order: Order,
    ) -> Result<Vec<(Score, Vec<u8>)>, KvdbError> {
        let whole = self.scores.range(score_range(set.number)).map_err(KvdbError::store)?;
        let skipped = usize::try_from(ranks.start).unwrap_or(usize::MAX);
        let taken = usize::try_from(ranks.end.saturating_sub(ranks.start)).unwrap_or(usize::MAX);
        let mut members = Vec::new();
        let mut push = |row: ScoreRow<'_>| {
            let (row, _) = row.map_err(KvdbError::store)?;
            let (_, score, member) = row.value();
            members.push((Score::from_ordered(score), member.to_owned()));
            Ok(())
        };
        match order {
            Order::Ascending => whole.skip(skipped).take(taken).try_for_each(&mut push),
            Order::Descending => whole.rev().skip(skipped).take(taken).try_for_each(&mut push),
        }?;
        Ok(members)
    }
}

type ScoreRow<'r> = Result<(AccessGuard<'r, ScoreKey>, AccessGuard<'r, ()>), StorageError>;

/// In which order ranks count.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Ascending,
    Descending,
}

fn push_with_score(all: &mut Vec<Vec<u8>>, score: Score, member: Vec<u8>) {
    all.push(member);
    all.push(score.to_text());
}

/// The positions from one index to another, both included; negative ones count from the end.
pub(super) fn ranks(start: i64, stop: i64, length: u64) -> Range<u64> {
    let end = position(stop, length).map_or(0, |stop| stop.saturating_add(1).min(length));
    let start = position(start, length).unwrap_or(0).min(end);
    start..end
}

/// The position of an index; none if it lies before the first.
pub(super) fn position(index: i64, length: u64) -> Option<u64> {
    match u64::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(index.unsigned_abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(start: i64, stop: i64, length: u64, expected: Range<u64>) {
        let found = ranks(start, stop, length);
        assert!(found == expected || found.is_empty() && expected.is_empty(), "{found:?}");
    }

    #[test]
    fn indexes_count_from_both_ends() {
        check(0, -1, 3, 0..3);
        check(0, 0, 3, 0..1);
        check(1, 1, 3, 1..2);
        check(-2, -1, 3, 1..3);
        check(-100, 100, 3, 0..3);
        check(0, -4, 3, 0..0);
        check(3, 5, 3, 0..0);
        check(2, 1, 3, 0..0);
        check(i64::MIN, i64::MAX, 3, 0..3);
        check(0, -1, 0, 0..0);
    }
}
