//! The crate from the outside: real sockets, with peers in the same process.

mod calls;
mod peer;
