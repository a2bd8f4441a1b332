//! What every test needs: the real server as a process, clients for it, and peers for it to call.
//!
//! Owns processes, sockets and the reading of replies. It must not know any behaviour under test beyond the contract
//! of the binaries and the two envelopes, so that each rule is stated once, in the module that tests it.

pub(crate) mod api;
pub(crate) mod backend;
pub(crate) mod certificates;

pub(crate) mod envelope;
pub(crate) mod http;
pub(crate) mod launch;
pub(crate) mod peer;
pub(crate) mod postgres;
pub(crate) mod proxy;
pub(crate) mod python;
pub(crate) mod rabbitmq;
pub(crate) mod raw;
pub(crate) mod server;
pub(crate) mod shell;
pub(crate) mod wait;

pub(crate) use api::Format;
pub(crate) use backend::Backend;
pub(crate) use http::Reply;
pub(crate) use launch::Launch;
pub(crate) use peer::{Peer, PeerReply};
pub(crate) use server::Server;
pub(crate) use wait::eventually;
