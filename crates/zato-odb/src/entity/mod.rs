//! The tables: one module a family, each with its columns and the mapping of its objects.
//!
//! Owns everything that is particular to a table. It must not run statements: that is written once, in `read` and
//! `transaction`.

pub(crate) mod cluster;
pub(crate) mod event_log;
pub(crate) mod event_log_trimmed;
pub(crate) mod http_soap;
pub(crate) mod security;
pub(crate) mod server;
pub(crate) mod service;
