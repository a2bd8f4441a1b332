//! The crate from outside: what is read and what is refused, and that a reader which isn't ours agrees.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic anywhere")]

mod differential;
mod limits;
mod malformed;
mod oracle;
mod round_trip;
mod support;
mod well_formed;
