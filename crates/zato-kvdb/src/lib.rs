#![doc = include_str!("../README.md")]

mod clock;
mod command;
mod embedded;
mod error;
mod glob;
mod key_value;
mod kvdb;
mod redis;
mod reply;
mod score;
#[cfg(feature = "test-util")]
pub mod test_util;

pub use clock::{Clock, SystemClock};
pub use command::{
    Administration, Command, Comparison, End, Expiry, Inspection, Key, Read, ScoreOptions, Selection,
    SetOptions, Unit, Value, Write,
};
pub use embedded::Embedded;
pub use error::{KvdbError, StoreError};
pub use key_value::{Condition, KeyValue, Lifetime, Outcome, Written};
pub use kvdb::{KEY_LIMIT, Kvdb, VALUE_LIMIT};
pub use redis::{InvalidLocation, Redis, RedisLocation};
pub use reply::Reply;
