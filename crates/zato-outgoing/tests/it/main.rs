//! The crate from the outside: real sockets, with peers in the same process.
#![expect(clippy::unwrap_used, reason = "helpers of tests panic like the tests themselves")]

mod auth;
mod bodies;
mod calls;
mod configuration;
mod connecting;
mod cost;
mod failures;
mod following;
mod keep_alive;
mod log;
mod peer;
mod ping;
mod resilience;
mod secrets;
mod soap;
mod streaming;
mod tls;
