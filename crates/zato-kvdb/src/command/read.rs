//! Commands that change nothing.
//!
//! Owns what each of them means. It must not know any store.

use super::options::{Inspection, Unit};
use super::{Key, Value};

/// A command that reads entries.
///
/// Indexes count from 0 at the front of a list, or of a sorted set in the order of its scores; negative ones count from
/// -1 at its end. Ranges include both of their ends. A command about one type of value fails with
/// [`WrongType`](crate::KvdbError::WrongType) if the key holds another one, and finds nothing if there is no such key.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Read {
    /// The value of a key: `GET`.
    Get(Key),
    /// The values of several keys; nil for those which are absent or hold no value: `MGET`.
    GetMany(Vec<Key>),
    /// How many of the keys exist, each counted as often as it is named: `EXISTS`.
    Exists(Vec<Key>),
    /// How long until the key expires; -1 if it does not, -2 if it does not exist: `TTL`, `PTTL`.
    Lifetime(Key, Unit),
    /// What the key holds: `string`, `hash`, `list`, `set`, `zset` or `none`: `TYPE`.
    Kind(Key),
    /// The keys that match a glob pattern: `KEYS`.
    Keys(Value),
    /// One of the keys, by chance: `RANDOMKEY`.
    RandomKey,
    /// How many keys there are: `DBSIZE`.
    Count,
    /// The entry in the form in which it can be restored: `DUMP`.
    Dump(Key),
    /// The inner form of the entry: `OBJECT`.
    Inspect(Inspection, Key),

    /// The value of a field: `HGET`.
    HashGet(Key, Value),
    /// All fields, each followed by its value: `HGETALL`.
    HashGetAll(Key),
    /// All fields: `HKEYS`.
    HashFields(Key),
    /// The values of all fields: `HVALS`.
    HashValues(Key),
    /// How many fields there are: `HLEN`.
    HashLength(Key),
    /// Whether there is a field of that name: `HEXISTS`.
    HashContains(Key, Value),

    /// The elements from one index to another: `LRANGE`.
    ListRange(Key, i64, i64),
    /// How many elements there are: `LLEN`.
    ListLength(Key),

    /// All members: `SMEMBERS`.
    SetMembers(Key),
    /// Whether there is such a member: `SISMEMBER`.
    SetContains(Key, Value),

    /// The members from one rank to another, from the lowest score to the highest: `ZRANGE`.
    SortedSetRange(Key, i64, i64),
    /// The same, each member followed by its score: `ZRANGE` with `WITHSCORES`.
    SortedSetRangeWithScores(Key, i64, i64),
    /// The members from one rank to another, from the highest score to the lowest: `ZRANGE` with `REV`.
    SortedSetReverseRange(Key, i64, i64),
    /// The same, each member followed by its score: `ZRANGE` with `REV` and `WITHSCORES`.
    SortedSetReverseRangeWithScores(Key, i64, i64),
}
