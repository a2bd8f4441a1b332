//! This crate against libzmq, by way of Python's pyzmq, and against peers that come and go.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod outages;
mod peer;
mod receiving;
mod sending;
mod support;
