//! What can go wrong.
//!
//! Owns the error types. Neither keys nor values are part of them: both may be somebody's secret.

use crate::kvdb::{KEY_LIMIT, VALUE_LIMIT};

/// An operation of the key/value store failed. Nothing of it was done.
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
    /// The value to increment is not the text of a 64-bit integer.
    #[error("the value is not an integer")]
    NotAnInteger,
    /// The incremented value would be no 64-bit integer.
    #[error("the incremented value would be out of range")]
    Overflow,
    /// Another process has the file open.
    #[error("the store is in use by another process")]
    InUse,
    /// Reading or writing failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
    /// The store was closed or has stopped after a failure.
    #[error("the store is closed")]
    Closed,
}

/// Why reading or writing failed. Its text is meant for logs.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub struct StoreError(std::sync::Arc<redb::Error>);

impl KvdbError {
    /// A failure of the file behind the store.
    pub(crate) fn store(error: impl Into<redb::Error>) -> Self {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            error => Self::Store(StoreError(std::sync::Arc::new(error))),
        }
    }
}
