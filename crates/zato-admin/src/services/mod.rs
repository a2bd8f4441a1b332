//! The services, one module per family of the catalogue.
//!
//! Owns which families there are. A family must not know another one; what it refers to there, it refers to by id.

pub(crate) mod audit;
pub(crate) mod channel;
mod core;
pub(crate) mod definition;
mod helpers;
pub(crate) mod http_soap;
mod info;
pub(crate) mod invoke_by_path;
mod kvdb;
pub(crate) mod message;
pub(crate) mod outgoing;
mod scheduler;
pub(crate) mod security;
mod server;
pub(crate) mod service;
mod stats;
mod url_security;
