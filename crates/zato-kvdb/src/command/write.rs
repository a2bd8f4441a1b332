//! Commands that change entries.
//!
//! Owns what each of them means. It must not know any store.

use super::options::{Comparison, End, Expiry, ScoreOptions, Selection, SetOptions};
use super::{Key, Value};

/// A command that changes entries.
///
/// Hashes, lists, sets and sorted sets come into being with their first element and are gone with the last one; what
/// changes them leaves their time to live as it is. A command about one type of value fails with
/// [`WrongType`](crate::KvdbError::WrongType) if the key holds another one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Write {
    /// Stores a value, whatever the key held before: `SET`.
    Set(Key, Value, SetOptions),
    /// Stores several values: `MSET`.
    SetMany(Vec<(Key, Value)>),
    /// Stores several values if none of the keys exists, and says whether it did so: `MSETNX`.
    SetManyIfAbsent(Vec<(Key, Value)>),
    /// Adds to the integer that is stored as decimal text: `INCRBY`.
    Increment(Key, i64),
    /// Deletes keys and answers how many existed: `DEL`.
    Delete(Vec<Key>),
    /// Makes a key expire, and says whether it does: `PEXPIRE`, `PEXPIREAT`. A moment that has passed deletes it.
    ///
    /// The selection asks for a key that expires already, or for one that does not. A key without an expiry counts as
    /// one that expires later than any other.
    Expire(Key, Expiry, Selection, Comparison),
    /// Makes a key stay, and says whether it would have expired: `PERSIST`.
    Persist(Key),
    /// Moves what a key holds to another key, which loses what it held: `RENAME`.
    Rename(Key, Key),
    /// The same if the other key does not exist; says whether it did so: `RENAMENX`.
    RenameIfAbsent(Key, Key),
    /// Stores a dumped entry: `RESTORE`. Without `replace`, the key must not exist.
    Restore {
        /// Where it is stored.
        key: Key,
        /// When it expires.
        expiry: Option<Expiry>,
        /// What was dumped.
        dump: Value,
        /// Whether it takes the place of another entry.
        replace: bool,
    },
    /// Deletes all keys: `FLUSHDB`.
    Flush,

    /// Sets fields and answers how many are new: `HSET`.
    HashSet(Key, Vec<(Value, Value)>),
    /// Sets a field unless it exists, and says whether it did so: `HSETNX`.
    HashSetIfAbsent(Key, Value, Value),
    /// Removes fields and answers how many existed: `HDEL`.
    HashDelete(Key, Vec<Value>),
    /// Adds to the integer that a field holds as decimal text: `HINCRBY`.
    HashIncrement(Key, Value, i64),

    /// Adds elements at an end, one after the other, and answers how many there are now: `LPUSH`, `RPUSH`.
    ListPush(Key, End, Vec<Value>),
    /// The same if the list exists: `LPUSHX`.
    ListPushIfPresent(Key, End, Vec<Value>),
    /// Takes an element from an end: `LPOP`, `RPOP`.
    ListPop(Key, End),
    /// Takes up to so many elements from an end: `LPOP`, `RPOP` with a count.
    ListPopMany(Key, End, u64),
    /// Removes elements that are equal to a value and answers how many: the first so many, the last so many if the
    /// number is negative, all of them if it is 0: `LREM`.
    ListRemove(Key, i64, Value),
    /// Replaces the element at an index: `LSET`.
    ListSet(Key, i64, Value),
    /// Removes all elements but those from one index to another: `LTRIM`.
    ListTrim(Key, i64, i64),

    /// Adds members and answers how many are new: `SADD`.
    SetAdd(Key, Vec<Value>),
    /// Removes members and answers how many existed: `SREM`.
    SetRemove(Key, Vec<Value>),

    /// Gives members their scores and answers how many are new: `ZADD`.
    SortedSetAdd(Key, Vec<(f64, Value)>, ScoreOptions),
    /// Adds to the score of a member and answers its score: `ZADD` with `INCR`.
    SortedSetIncrement(Key, f64, Value, ScoreOptions),
    /// Removes members and answers how many existed: `ZREM`.
    SortedSetRemove(Key, Vec<Value>),
    /// Removes the members from one rank to another and answers how many these were: `ZREMRANGEBYRANK`.
    SortedSetRemoveRange(Key, i64, i64),
}
