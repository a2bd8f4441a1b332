//! The interface of a key/value store.
//!
//! Owns what each operation means. It must not know any store.

use std::fmt::Debug;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::error::KvdbError;

/// The result of an operation.
pub type Outcome<'a, T> = BoxFuture<'a, Result<T, KvdbError>>;

/// Whether a key exists, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// There is no such key.
    Absent,
    /// It stays until it is deleted.
    Forever,
    /// It expires after this time, known to the millisecond.
    Expires(Duration),
}

/// A key/value store. Callers use [`Kvdb`](crate::Kvdb), which has checked keys, values and times to live by the time
/// they arrive here.
///
/// Every operation is atomic, and a write is durable before its future is ready. A future that is dropped may or may not
/// have done its work. An expired key is to be treated as absent.
pub trait KeyValue: Debug + Send + Sync {
    /// The value of a key.
    fn get<'a>(&'a self, key: &'a str) -> Outcome<'a, Option<Vec<u8>>>;

    /// Stores a value. An earlier value is replaced together with its time to live.
    fn set<'a>(&'a self, key: &'a str, value: &'a [u8], time_to_live: Option<Duration>) -> Outcome<'a, ()>;

    /// Stores a value unless the key exists, and returns whether it did so.
    fn set_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        time_to_live: Option<Duration>,
    ) -> Outcome<'a, bool>;

    /// Deletes a key, and returns whether it existed.
    fn delete<'a>(&'a self, key: &'a str) -> Outcome<'a, bool>;

    /// Adds to the integer that is stored as decimal text, and returns the sum. An absent key counts as 0; the time to
    /// live stays as it is.
    ///
    /// Fails with [`KvdbError::NotAnInteger`] or [`KvdbError::Overflow`].
    fn increment<'a>(&'a self, key: &'a str, by: i64) -> Outcome<'a, i64>;

    /// Makes a key expire after a time, counted from now, and returns whether it exists.
    fn expire<'a>(&'a self, key: &'a str, time_to_live: Duration) -> Outcome<'a, bool>;

    /// Makes a key stay until it is deleted, and returns whether it exists and would have expired.
    fn persist<'a>(&'a self, key: &'a str) -> Outcome<'a, bool>;

    /// Whether a key exists, and for how long.
    fn lifetime<'a>(&'a self, key: &'a str) -> Outcome<'a, Lifetime>;

    /// The keys that start with a prefix, sorted byte by byte.
    fn keys<'a>(&'a self, prefix: &'a str) -> Outcome<'a, Vec<String>>;
}
