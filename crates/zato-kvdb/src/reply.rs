//! What a command answers.
//!
//! Owns the form in which every store answers and its conversion to the types of the typed interface. It must not know
//! any command.

use crate::error::KvdbError;

/// The answer of a store to a command, in the form in which Redis gives it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    /// There is nothing: no such key, field, or the condition of a write did not hold.
    Nil,
    /// It was done.
    Done,
    /// A word of the store itself, such as the type of a key.
    Status(String),
    /// A number.
    Integer(i64),
    /// A value.
    Value(Vec<u8>),
    /// Several answers.
    Array(Vec<Self>),
}

impl Reply {
    /// Values as an array.
    pub(crate) fn values(values: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self::Array(values.into_iter().map(Self::Value).collect())
    }

    /// A truth as the number that stands for it.
    pub(crate) fn truth(truth: bool) -> Self {
        Self::Integer(i64::from(truth))
    }

    /// A count as a number.
    pub(crate) fn count(count: u64) -> Self {
        Self::Integer(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// A value that may be missing.
    pub(crate) fn optional(value: Option<Vec<u8>>) -> Self {
        value.map_or(Self::Nil, Self::Value)
    }

    pub(crate) fn into_integer(self) -> Result<i64, KvdbError> {
        match self {
            Self::Integer(integer) => Ok(integer),
            _ => Err(KvdbError::UnexpectedReply),
        }
    }

    pub(crate) fn into_count(self) -> Result<u64, KvdbError> {
        u64::try_from(self.into_integer()?).map_err(|_| KvdbError::UnexpectedReply)
    }

    pub(crate) fn into_truth(self) -> Result<bool, KvdbError> {
        Ok(self.into_integer()? != 0)
    }

    pub(crate) fn into_optional(self) -> Result<Option<Vec<u8>>, KvdbError> {
        match self {
            Self::Nil => Ok(None),
            Self::Value(value) => Ok(Some(value)),
            _ => Err(KvdbError::UnexpectedReply),
        }
    }

    /// Values that may be missing each.
    pub(crate) fn into_optionals(self) -> Result<Vec<Option<Vec<u8>>>, KvdbError> {
        let Self::Array(replies) = self else { return Err(KvdbError::UnexpectedReply) };
        replies.into_iter().map(Self::into_optional).collect()
    }

    pub(crate) fn into_values(self) -> Result<Vec<Vec<u8>>, KvdbError> {
        let Self::Array(replies) = self else { return Err(KvdbError::UnexpectedReply) };
        replies
            .into_iter()
            .map(|reply| match reply {
                Self::Value(value) => Ok(value),
                _ => Err(KvdbError::UnexpectedReply),
            })
            .collect()
    }

    /// Pairs of a text and a value, of which the array has one after the other.
    pub(crate) fn into_pairs(self) -> Result<Vec<(String, Vec<u8>)>, KvdbError> {
        let mut values = self.into_values()?.into_iter();
        let mut pairs = Vec::with_capacity(values.len() / 2);
        while let Some(name) = values.next() {
            let value = values.next().ok_or(KvdbError::UnexpectedReply)?;
            pairs.push((String::from_utf8(name).map_err(|_| KvdbError::NotText)?, value));
        }
        Ok(pairs)
    }

    /// Members and scores, of which the array has one after the other.
    pub(crate) fn into_scored(self) -> Result<Vec<(Vec<u8>, f64)>, KvdbError> {
        let mut values = self.into_values()?.into_iter();
        let mut scored = Vec::with_capacity(values.len() / 2);
        while let Some(member) = values.next() {
            let score = values.next().and_then(|score| std::str::from_utf8(&score).ok()?.parse().ok());
            scored.push((member, score.ok_or(KvdbError::UnexpectedReply)?));
        }
        Ok(scored)
    }
}
