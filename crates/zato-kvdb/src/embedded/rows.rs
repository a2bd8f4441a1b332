//! What writing commands do to hashes, sets and sorted sets: those collections whose elements have names.
//!
//! Owns that their headers, rows and scores agree. It must not know lists.

use super::entries::Entries;
use super::moment::Moment;
use super::read::{Order, ranks};
use super::tables::{Collection, Kind, damaged};
use super::write::add;
use crate::command::{Comparison, ScoreOptions, Selection, Value};
use crate::error::KvdbError;
use crate::reply::Reply;
use crate::score::Score;

impl Entries<'_> {
    pub(super) fn hash_set(
        &mut self,
        key: &str,
        fields: &[(Value, Value)],
        now: Moment,
    ) -> Result<Reply, KvdbError> {
        let (mut hash, expiry) = self.live_or_new(key, Kind::Hash, now)?;
        let mut new = 0;
        for (field, value) in fields {
            new += u64::from(self.put_row(hash, field, value)?);
        }
        hash.length += new;
        self.put_collection(key, Kind::Hash, hash, expiry)?;
        Ok(Reply::count(new))
    }

    pub(super) fn hash_set_if_absent(
        &mut self,
        key: &str,
        field: &[u8],
        value: &[u8],
        now: Moment,
    ) -> Result<Reply, KvdbError> {
        let (mut hash, expiry) = self.live_or_new(key, Kind::Hash, now)?;
        if self.tables.row(hash, field)?.is_some() {
            return Ok(Reply::truth(false));
        }
        self.put_row(hash, field, value)?;
        hash.length += 1;
        self.put_collection(key, Kind::Hash, hash, expiry)?;
        Ok(Reply::truth(true))
    }

    pub(super) fn hash_increment(
        &mut self,
        key: &str,
        field: &[u8],
        by: i64,
        now: Moment,
    ) -> Result<Reply, KvdbError> {
        let (mut hash, expiry) = self.live_or_new(key, Kind::Hash, now)?;
        let sum = add(self.tables.row(hash, field)?.as_deref(), by)?;
        hash.length += u64::from(self.put_row(hash, field, sum.to_string().as_bytes())?);
        self.put_collection(key, Kind::Hash, hash, expiry)?;
        Ok(Reply::Integer(sum))
    }

    pub(super) fn set_add(&mut self, key: &str, members: &[Value], now: Moment) -> Result<Reply, KvdbError> {
        let (mut set, expiry) = self.live_or_new(key, Kind::Set, now)?;
        let mut new = 0;
        for member in members {
            new += u64::from(self.put_row(set, member, &[])?);
        }
        set.length += new;
        self.put_collection(key, Kind::Set, set, expiry)?;
        Ok(Reply::count(new))
    }

    /// Removes fields or members, and answers how many there were.
    pub(super) fn remove_rows(
        &mut self,
        key: &str,
        kind: Kind,
        names: &[Value],
        now: Moment,
    ) -> Result<Reply, KvdbError> {
        let Some((mut collection, expiry)) = self.live_collection(key, kind, now)? else {
            return Ok(Reply::Integer(0));
        };
        let mut removed = 0;
        for name in names {
            removed += u64::from(self.remove_row(collection, kind, name)?);
        }
        collection.length = collection.length.saturating_sub(removed);
        self.put_collection(key, kind, collection, expiry)?;
        Ok(Reply::count(removed))
    }

    pub(super) fn sorted_set_add(
        &mut self,
        key: &str,
        members: &[(f64, Value)],
        options: ScoreOptions,
        now: Moment,
    ) -> Result<Reply, KvdbError> {
        let (mut set, expiry) = self.live_or_new(key, Kind::SortedSet, now)?;
        let (mut new, mut changed) = (0, 0);
        for (score, member) in members {
            let old = self.score(set, member)?;
            if !accepts(options, old, *score) {
                continue;
            }
            self.put_score(set, member, old, *score)?;
            match old {
                None => new += 1,
                Some(old) => changed += u64::from(old != *score),
            }
        }
        set.length += new;
        self.put_collection(key, Kind::SortedSet, set, expiry)?;
        Ok(Reply::count(if options.count_changed { new + changed } else { new }))
    }

    pub(super) fn sorted_set_increment(
        &mut self,
        key: &str,
        by: f64,
        member: &[u8],
        options: ScoreOptions,
        now: Moment,
    ) -> Result<Reply, KvdbError> {
        let (mut set, expiry) = self.live_or_new(key, Kind::SortedSet, now)?;
        let old = self.score(set, member)?;
        let score = old.unwrap_or(0.0) + by;
        if score.is_nan() {
            return Err(KvdbError::NotANumber);
        }
        if !accepts(options, old, score) {
            return Ok(Reply::Nil);
        }
        self.put_score(set, member, old, score)?;
        set.length += u64::from(old.is_none());
        self.put_collection(key, Kind::SortedSet, set, expiry)?;
        Ok(Reply::Value(Score(score).to_text()))
    }

    pub(super) fn sorted_set_remove_range(
        &mut self,
        key: &str,
        start: i64,
        stop: i64,
        now: Moment,
    ) -> Result<Reply, KvdbError> {
        let Some((set, _)) = self.live_collection(key, Kind::SortedSet, now)? else {
            return Ok(Reply::Integer(0));
        };
        let members = self.tables.ranked(set, ranks(start, stop, set.length), Order::Ascending)?;
        let members: Vec<Value> = members.into_iter().map(|(_, member)| member).collect();
        self.remove_rows(key, Kind::SortedSet, &members, now)
    }

    fn score(&self, set: Collection, member: &[u8]) -> Result<Option<f64>, KvdbError> {
        let row = self.tables.row(set, member)?;
        row.map(|row| score(&row)).transpose()
    }

    fn put_score(
        &mut self,
        set: Collection,
        member: &[u8],
        old: Option<f64>,
        score: f64,
    ) -> Result<(), KvdbError> {
        let scores = &mut self.tables.scores;
        if let Some(old) = old {
            scores.remove((set.number, Score(old).to_ordered(), member)).map_err(KvdbError::store)?;
        }
        scores.insert((set.number, Score(score).to_ordered(), member), ()).map_err(KvdbError::store)?;
        self.put_row(set, member, &Score(score).to_ordered().to_le_bytes())?;
        Ok(())
    }

    /// Stores a row, and says whether it is new.
    fn put_row(&mut self, collection: Collection, name: &[u8], value: &[u8]) -> Result<bool, KvdbError> {
        let old = self.tables.rows.insert((collection.number, name), value).map_err(KvdbError::store)?;
        Ok(old.is_none())
    }

    fn remove_row(&mut self, collection: Collection, kind: Kind, name: &[u8]) -> Result<bool, KvdbError> {
        let old = self.tables.rows.remove((collection.number, name)).map_err(KvdbError::store)?;
        let Some(old) = old.map(|old| old.value().to_owned()) else { return Ok(false) };
        if kind == Kind::SortedSet {
            let score = Score(score(&old)?).to_ordered();
            self.tables.scores.remove((collection.number, score, name)).map_err(KvdbError::store)?;
        }
        Ok(true)
    }
}

/// Whether a member is given a score in place of its old one, or of none.
fn accepts(options: ScoreOptions, old: Option<f64>, score: f64) -> bool {
    let selected = match options.selection {
        Selection::Any => true,
        Selection::Absent => old.is_none(),
        Selection::Present => old.is_some(),
    };
    let compared = match (options.comparison, old) {
        (Comparison::Any, _) | (_, None) => true,
        (Comparison::Greater, Some(old)) => score > old,
        (Comparison::Less, Some(old)) => score < old,
    };
    selected && compared
}

/// The score that a row of a sorted set has.
pub(super) fn score(row: &[u8]) -> Result<f64, KvdbError> {
    let ordered = row.try_into().map_err(|_| damaged())?;
    Ok(Score::from_ordered(u64::from_le_bytes(ordered)).0)
}
