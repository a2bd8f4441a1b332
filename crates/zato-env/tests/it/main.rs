//! Replies written and read from outside the crate.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod documented;
mod round_trip;
mod tolerance;
