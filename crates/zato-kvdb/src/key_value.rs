//! The interface of a key/value store.
//!
//! Owns what a store has to be able to do. It must not know any store, nor what single commands mean.

use std::fmt::Debug;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::command::{Administration, Key, Read, Value, Write};
use crate::error::KvdbError;
use crate::reply::Reply;

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

/// What has to be true for a transaction to take place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// The key has this value, or, for none, does not exist.
    ValueIs(Key, Option<Value>),
}

/// What became of each write of a transaction; none if it did not take place.
pub type Written = Option<Vec<Result<Reply, KvdbError>>>;

/// A key/value store. Callers use [`Kvdb`](crate::Kvdb), which has checked keys and values by the time they arrive here.
///
/// Every command is atomic, and a write is as durable as the store can make it before its future is ready. A future that
/// is dropped may or may not have done its work. An expired key is to be treated as absent.
pub trait KeyValue: Debug + Send + Sync {
    /// Runs a command that reads.
    fn read(&self, command: Read) -> Outcome<'_, Reply>;

    /// Runs a command that writes.
    fn write(&self, command: Write) -> Outcome<'_, Reply>;

    /// Runs writes one after the other, with nobody else's command in between, provided that all conditions hold. A write
    /// that fails by itself keeps none of the others from being done.
    fn transact(&self, conditions: Vec<Condition>, writes: Vec<Write>) -> Outcome<'_, Written>;

    /// Runs a command about the store itself.
    fn administer(&self, command: Administration) -> Outcome<'_, Reply>;
}
