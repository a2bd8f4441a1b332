//! The public API of the crate, seen from outside: tables for every conversion, and round trips.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::needless_pass_by_value, reason = "tables of values read better without borrows")]

mod decode_json;
mod decode_xml;
mod encode;
mod round_trip;
mod schema;
