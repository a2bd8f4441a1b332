//! The typed form of the commands on hashes, lists, sets and sorted sets.
//!
//! Owns the Rust types that they take and return. It must not know any store.

use super::Kvdb;
use crate::command::{End, Read, ScoreOptions, Write};
use crate::error::KvdbError;

/// Hashes: values by the names of fields. Commands that set or remove several at a time need at least one, or fail with
/// [`KvdbError::NoElements`].
impl Kvdb {
    /// The value of a field, `None` if there is no such field or key.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn hash_get(&self, key: &str, field: &str) -> Result<Option<Vec<u8>>, KvdbError> {
        self.read(Read::HashGet(key.to_owned(), field.into())).await?.into_optional()
    }

    /// All fields with their values, sorted by field.
    ///
    /// # Errors
    /// [`KvdbError::NotText`] if somebody else has stored a field whose name is not UTF-8; see [`Kvdb`].
    pub async fn hash_get_all(&self, key: &str) -> Result<Vec<(String, Vec<u8>)>, KvdbError> {
        let mut pairs = self.read(Read::HashGetAll(key.to_owned())).await?.into_pairs()?;
        pairs.sort_unstable();
        Ok(pairs)
    }

    /// How many fields there are.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn hash_len(&self, key: &str) -> Result<u64, KvdbError> {
        self.read(Read::HashLength(key.to_owned())).await?.into_count()
    }

    /// Whether there is a field of that name.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn hash_contains(&self, key: &str, field: &str) -> Result<bool, KvdbError> {
        self.read(Read::HashContains(key.to_owned(), field.into())).await?.into_truth()
    }

    /// Sets fields, and returns how many are new.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn hash_set<V: AsRef<[u8]>>(&self, key: &str, fields: &[(&str, V)]) -> Result<u64, KvdbError> {
        self.write(Write::hash_set(key, fields)).await?.into_count()
    }

    /// Sets a field unless it exists, and returns whether it did so.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn hash_set_if_absent(&self, key: &str, field: &str, value: &[u8]) -> Result<bool, KvdbError> {
        let command = Write::HashSetIfAbsent(key.to_owned(), field.into(), value.to_owned());
        self.write(command).await?.into_truth()
    }

    /// Removes fields, and returns how many of them there were.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn hash_delete(&self, key: &str, fields: &[&str]) -> Result<u64, KvdbError> {
        self.write(Write::hash_delete(key, fields)).await?.into_count()
    }

    /// Adds to the integer that a field holds as decimal text, and returns the sum. An absent field counts as 0.
    ///
    /// # Errors
    /// [`KvdbError::NotAnInteger`], [`KvdbError::Overflow`]; see [`Kvdb`].
    pub async fn hash_increment(&self, key: &str, field: &str, by: i64) -> Result<i64, KvdbError> {
        self.write(Write::HashIncrement(key.to_owned(), field.into(), by)).await?.into_integer()
    }
}

/// Lists: values in order. Indexes count from 0 at the front, negative ones from -1 at the back; ranges include both of
/// their ends. Commands that add several values need at least one, or fail with [`KvdbError::NoElements`].
impl Kvdb {
    /// Adds values at the front, one after the other, so that the last one comes first; returns how many there are now.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn list_push_front<V: AsRef<[u8]>>(&self, key: &str, values: &[V]) -> Result<u64, KvdbError> {
        self.write(Write::ListPush(key.to_owned(), End::Front, owned(values))).await?.into_count()
    }

    /// Adds values at the back, and returns how many there are now.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn list_push_back<V: AsRef<[u8]>>(&self, key: &str, values: &[V]) -> Result<u64, KvdbError> {
        self.write(Write::ListPush(key.to_owned(), End::Back, owned(values))).await?.into_count()
    }

    /// Takes the first value, `None` if there is none.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn list_pop_front(&self, key: &str) -> Result<Option<Vec<u8>>, KvdbError> {
        self.write(Write::ListPop(key.to_owned(), End::Front)).await?.into_optional()
    }

    /// Takes the last value, `None` if there is none.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn list_pop_back(&self, key: &str) -> Result<Option<Vec<u8>>, KvdbError> {
        self.write(Write::ListPop(key.to_owned(), End::Back)).await?.into_optional()
    }

    /// The values from one index to another.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn list_range(&self, key: &str, start: i64, stop: i64) -> Result<Vec<Vec<u8>>, KvdbError> {
        self.read(Read::ListRange(key.to_owned(), start, stop)).await?.into_values()
    }

    /// Removes all values but those from one index to another.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn list_trim(&self, key: &str, start: i64, stop: i64) -> Result<(), KvdbError> {
        self.write(Write::ListTrim(key.to_owned(), start, stop)).await.map(drop)
    }

    /// How many values there are.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn list_len(&self, key: &str) -> Result<u64, KvdbError> {
        self.read(Read::ListLength(key.to_owned())).await?.into_count()
    }
}

/// Sets, and sorted sets, whose members have scores and are in their order; members with the same score are sorted byte by
/// byte. Commands about several members need at least one, or fail with [`KvdbError::NoElements`].
impl Kvdb {
    /// Adds members to a set, and returns how many are new.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn set_add<V: AsRef<[u8]>>(&self, key: &str, members: &[V]) -> Result<u64, KvdbError> {
        self.write(Write::SetAdd(key.to_owned(), owned(members))).await?.into_count()
    }

    /// Removes members from a set, and returns how many of them there were.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn set_remove<V: AsRef<[u8]>>(&self, key: &str, members: &[V]) -> Result<u64, KvdbError> {
        self.write(Write::SetRemove(key.to_owned(), owned(members))).await?.into_count()
    }

    /// The members of a set, sorted byte by byte.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn set_members(&self, key: &str) -> Result<Vec<Vec<u8>>, KvdbError> {
        let mut members = self.read(Read::SetMembers(key.to_owned())).await?.into_values()?;
        members.sort_unstable();
        Ok(members)
    }

    /// Whether a set has a member.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn set_contains(&self, key: &str, member: &[u8]) -> Result<bool, KvdbError> {
        self.read(Read::SetContains(key.to_owned(), member.to_owned())).await?.into_truth()
    }

    /// Gives members of a sorted set their scores, and returns how many members are new.
    ///
    /// # Errors
    /// [`KvdbError::NotANumber`]; see [`Kvdb`].
    pub async fn sorted_set_add<V: AsRef<[u8]>>(
        &self,
        key: &str,
        members: &[(V, f64)],
    ) -> Result<u64, KvdbError> {
        let members = members.iter().map(|(member, score)| (*score, member.as_ref().to_owned())).collect();
        let command = Write::SortedSetAdd(key.to_owned(), members, ScoreOptions::default());
        self.write(command).await?.into_count()
    }

    /// The members of a sorted set from one rank to another, with their scores, the lowest score first. Ranks count like
    /// the indexes of lists.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn sorted_set_range(
        &self,
        key: &str,
        start: i64,
        stop: i64,
    ) -> Result<Vec<(Vec<u8>, f64)>, KvdbError> {
        self.read(Read::SortedSetRangeWithScores(key.to_owned(), start, stop)).await?.into_scored()
    }

    /// Removes members of a sorted set, and returns how many of them there were.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn sorted_set_remove<V: AsRef<[u8]>>(
        &self,
        key: &str,
        members: &[V],
    ) -> Result<u64, KvdbError> {
        self.write(Write::SortedSetRemove(key.to_owned(), owned(members))).await?.into_count()
    }

    /// Keeps so many members of a sorted set, those with the highest scores, and returns how many are removed.
    ///
    /// # Errors
    /// See [`Kvdb`].
    pub async fn sorted_set_trim(&self, key: &str, keep: u32) -> Result<u64, KvdbError> {
        let command = Write::SortedSetRemoveRange(key.to_owned(), 0, -i64::from(keep) - 1);
        self.write(command).await?.into_count()
    }
}

fn owned<V: AsRef<[u8]>>(values: &[V]) -> Vec<Vec<u8>> {
    values.iter().map(|value| value.as_ref().to_owned()).collect()
}
