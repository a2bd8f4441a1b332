#![doc = include_str!("../README.md")]

mod clock;
mod embedded;
mod error;
mod key_value;
mod kvdb;

pub use clock::{Clock, SystemClock};
pub use embedded::Embedded;
pub use error::{KvdbError, StoreError};
pub use key_value::{KeyValue, Lifetime, Outcome};
pub use kvdb::{KEY_LIMIT, Kvdb, VALUE_LIMIT};
