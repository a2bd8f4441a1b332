//! What can go wrong.
//!
//! Owns the error types. Neither keys nor values are part of them: both may be somebody's secret.

use crate::{KEY_LIMIT, VALUE_LIMIT};

/// An operation of the key/value store failed. Nothing of it was done, unless it says otherwise.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KvdbError {
    /// The key is empty or longer than [`KEY_LIMIT`].
    #[error("a key has 1 to {KEY_LIMIT} bytes, this one has {length}")]
    InvalidKey {
        /// Its length in bytes.
        length: usize,
    },
    /// The value is longer than [`VALUE_LIMIT`].
    #[error("a value has at most {VALUE_LIMIT} bytes, this one has {length}")]
    ValueTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// A time to live of nothing.
    #[error("a time to live has to be longer than zero")]
    ZeroTimeToLive,
    /// A time to live that is too long, or for setting a value not longer than zero.
    #[error("the time to live is invalid")]
    InvalidExpiry,
    /// The key holds a value of another type than the command is about.
    #[error("the key holds another type of value")]
    WrongType,
    /// The value to increment is not the text of a 64-bit integer.
    #[error("the value is not an integer")]
    NotAnInteger,
    /// The incremented value would be no 64-bit integer.
    #[error("the incremented value would be out of range")]
    Overflow,
    /// A command about several elements was given none.
    #[error("at least one element is needed")]
    NoElements,
    /// A score is not a number.
    #[error("the score is not a number")]
    NotANumber,
    /// There is no key of that name, where one is needed.
    #[error("there is no such key")]
    NoSuchKey,
    /// The list has no such index.
    #[error("the index is out of range")]
    IndexOutOfRange,
    /// The key exists, where it must not.
    #[error("the key exists already")]
    KeyExists,
    /// What is to be restored was not dumped by a store of this kind.
    #[error("the dump is of another version, or damaged")]
    BadDump,
    /// The store has no setting of that name, it can't be changed, or not to that value.
    #[error("the setting does not exist or can't be changed so: {0}")]
    BadSetting(String),
    /// The store has been asked for what it does not keep track of.
    #[error("the store does not keep track of that")]
    NotTracked,
    /// A name that is stored is not UTF-8, so that it can't be shown as text.
    #[error("the store has a name that is not UTF-8")]
    NotText,
    /// Another process has the file open.
    #[error("the store is in use by another process")]
    InUse,
    /// The store has refused the command; its own words follow.
    #[error("the store refused the command: {0}")]
    Refused(String),
    /// The store can't be reached, did not answer in time, or the disk has failed it. It may work again later. Whether a
    /// write was done is not known.
    #[error("the key/value store is unavailable")]
    Unavailable(#[source] StoreError),
    /// The store can't be opened, or holds what can't be read.
    #[error("the store failed")]
    Store(#[source] StoreError),
    /// The store has given an answer of a form that its command can't have.
    #[error("the store gave an unexpected answer")]
    UnexpectedReply,
    /// The store was closed: a cause of [`Unavailable`](Self::Unavailable).
    #[error("the store is closed")]
    Closed,
}

/// Why reading or writing failed. Its text is meant for logs.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct StoreError(std::sync::Arc<dyn std::error::Error + Send + Sync>);

impl StoreError {
    pub(crate) fn new(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(std::sync::Arc::new(error))
    }
}

impl KvdbError {
    /// A failure of the file behind the store.
    pub(crate) fn store(error: impl Into<redb::Error>) -> Self {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            // What follows an I/O error is refused as such.
            error @ (redb::Error::Io(_) | redb::Error::PreviousIo | redb::Error::DatabaseClosed) => {
                Self::Unavailable(StoreError::new(error))
            }
            error => Self::Store(StoreError::new(error)),
        }
    }

    /// The store has come to an end.
    pub(crate) fn closed() -> Self {
        Self::Unavailable(StoreError::new(Self::Closed))
    }

    /// Whether the file behind the store has failed, rather than a single operation.
    pub(crate) fn is_of_the_file(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Unavailable(_))
    }
}
