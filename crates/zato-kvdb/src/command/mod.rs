//! The commands of a key/value store, typed.
//!
//! Owns which commands there are and what each of them means, in the terms of Redis, whose language this is. It must not
//! know any store, nor how commands are written as text: `parse` does.

mod administration;
mod limits;
mod line;
mod options;
mod parse;
mod read;
mod words;
mod write;

pub use administration::Administration;
pub(crate) use limits::check_key;
pub use options::{Comparison, End, Expiry, Inspection, ScoreOptions, Selection, SetOptions, Unit};
pub use parse::{CommandError, CommandLine};
pub use read::Read;
pub use write::Write;

/// Any command.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Command {
    /// One that changes nothing.
    Read(Read),
    /// One that changes entries.
    Write(Write),
    /// One about the store itself.
    Administration(Administration),
}

/// The name of an entry. Keys are text of 1 byte to [`KEY_LIMIT`](crate::KEY_LIMIT) bytes.
pub type Key = String;
/// What is stored: any bytes, up to [`VALUE_LIMIT`](crate::VALUE_LIMIT) of them. Fields of hashes and members of sets
/// are values, too.
pub type Value = Vec<u8>;
