//! The limits of keys and values.
//!
//! Owns where in a command they are looked for. It must not know what commands do.

use super::{Administration, Read, Write};
use crate::error::KvdbError;
use crate::{KEY_LIMIT, VALUE_LIMIT};

impl Read {
    /// Checks that keys and values are within their limits.
    pub(crate) fn check(&self) -> Result<(), KvdbError> {
        match self {
            Self::GetMany(keys) | Self::Exists(keys) => check_keys(keys),
            Self::Keys(pattern) => check_value(pattern),
            Self::RandomKey | Self::Count => Ok(()),
            Self::HashGet(key, value) | Self::HashContains(key, value) | Self::SetContains(key, value) => {
                check_key(key)?;
                check_value(value)
            }
            Self::Get(key)
            | Self::Lifetime(key, _)
            | Self::Kind(key)
            | Self::Dump(key)
            | Self::Inspect(_, key)
            | Self::HashGetAll(key)
            | Self::HashFields(key)
            | Self::HashValues(key)
            | Self::HashLength(key)
            | Self::ListRange(key, _, _)
            | Self::ListLength(key)
            | Self::SetMembers(key)
            | Self::SortedSetRange(key, _, _)
            | Self::SortedSetRangeWithScores(key, _, _)
            | Self::SortedSetReverseRange(key, _, _)
            | Self::SortedSetReverseRangeWithScores(key, _, _) => check_key(key),
        }
    }
}

impl Write {
    /// Checks that keys and values are within their limits.
    pub(crate) fn check(&self) -> Result<(), KvdbError> {
        match self {
            Self::Flush => Ok(()),
            Self::SetMany(entries) | Self::SetManyIfAbsent(entries) => {
                check_any(entries)?;
                entries.iter().try_for_each(|(key, value)| {
                    check_key(key)?;
                    check_value(value)
                })
            }
            Self::Delete(keys) => check_keys(keys),
            Self::Rename(from, to) | Self::RenameIfAbsent(from, to) => {
                check_key(from)?;
                check_key(to)
            }
            Self::HashSet(key, fields) => {
                check_key(key)?;
                check_any(fields)?;
                fields.iter().try_for_each(|(field, value)| {
                    check_value(field)?;
                    check_value(value)
                })
            }
            Self::HashSetIfAbsent(key, field, value) => {
                check_key(key)?;
                check_value(field)?;
                check_value(value)
            }
            Self::HashDelete(key, values)
            | Self::ListPush(key, _, values)
            | Self::ListPushIfPresent(key, _, values)
            | Self::SetAdd(key, values)
            | Self::SetRemove(key, values)
            | Self::SortedSetRemove(key, values) => {
                check_key(key)?;
                check_any(values)?;
                values.iter().try_for_each(|value| check_value(value))
            }
            Self::SortedSetAdd(key, members, _) => {
                check_key(key)?;
                check_any(members)?;
                members.iter().try_for_each(|(score, member)| check_member(*score, member))
            }
            Self::SortedSetIncrement(key, score, member, _) => {
                check_key(key)?;
                check_member(*score, member)
            }
            Self::Set(key, value, _)
            | Self::Restore { key, dump: value, .. }
            | Self::HashIncrement(key, value, _)
            | Self::ListRemove(key, _, value)
            | Self::ListSet(key, _, value) => {
                check_key(key)?;
                check_value(value)
            }
            Self::Increment(key, _)
            | Self::Expire(key, ..)
            | Self::Persist(key)
            | Self::ListPop(key, _)
            | Self::ListPopMany(key, _, _)
            | Self::ListTrim(key, _, _)
            | Self::SortedSetRemoveRange(key, _, _) => check_key(key),
        }
    }
}

impl Administration {
    /// Checks that values are within their limits.
    pub(crate) fn check(&self) -> Result<(), KvdbError> {
        match self {
            Self::Ping(Some(value)) | Self::Echo(value) => check_value(value),
            Self::Ping(None)
            | Self::Time
            | Self::Info(_)
            | Self::ConfigGet(_)
            | Self::ConfigSet(_)
            | Self::ConfigResetStatistics
            | Self::ConfigRewrite => Ok(()),
        }
    }
}

fn check_any<T>(elements: &[T]) -> Result<(), KvdbError> {
    if elements.is_empty() { Err(KvdbError::NoElements) } else { Ok(()) }
}

fn check_keys(keys: &[String]) -> Result<(), KvdbError> {
    check_any(keys)?;
    keys.iter().try_for_each(|key| check_key(key))
}

pub(crate) fn check_key(key: &str) -> Result<(), KvdbError> {
    match key.len() {
        1..=KEY_LIMIT => Ok(()),
        length => Err(KvdbError::InvalidKey { length }),
    }
}

fn check_value(value: &[u8]) -> Result<(), KvdbError> {
    match value.len() {
        0..=VALUE_LIMIT => Ok(()),
        length => Err(KvdbError::ValueTooLong { length }),
    }
}

fn check_member(score: f64, member: &[u8]) -> Result<(), KvdbError> {
    if score.is_nan() {
        return Err(KvdbError::NotANumber);
    }
    check_value(member)
}
