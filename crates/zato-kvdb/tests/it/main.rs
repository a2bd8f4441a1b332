//! The suite of key/value stores, and what only the embedded one has.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod commands;
mod crash;
mod dictionary;
mod disk;
mod embedded;
mod redis;
mod suite;
