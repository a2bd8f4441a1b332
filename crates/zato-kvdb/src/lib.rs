#![doc = include_str!("../README.md")]

mod clock;
mod command;
mod embedded;
mod error;
mod glob;
mod key_value;
mod kvdb;
mod reply;

pub use clock::{Clock, SystemClock};
pub use command::{
    Administration, Command, Comparison, End, Expiry, Inspection, Key, Read, ScoreOptions, Selection,
    SetOptions, Unit, Value, Write,
};
pub use embedded::Embedded;
pub use error::{KvdbError, StoreError};
pub use key_value::{Condition, KeyValue, Lifetime, Outcome, Written};
pub use kvdb::{KEY_LIMIT, Kvdb, VALUE_LIMIT};
pub use reply::Reply;
