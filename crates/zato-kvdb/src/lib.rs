#![doc = include_str!("../README.md")]

mod clock;
mod command;
pub mod dictionary;
mod embedded;
mod error;
pub mod escape;
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
    Administration, Command, CommandError, CommandLine, Comparison, End, Expiry, Inspection, Key, Read,
    ScoreOptions, Selection, SetOptions, Unit, Value, Write,
};
pub use embedded::Embedded;
pub use error::{KvdbError, StoreError};
pub use key_value::{Condition, KeyValue, Lifetime, Outcome, Written};
pub use kvdb::{KEY_LIMIT, Kvdb, VALUE_LIMIT};
pub use redis::{InvalidLocation, Redis, RedisLocation};
pub use reply::Reply;
