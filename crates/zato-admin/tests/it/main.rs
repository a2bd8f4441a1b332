//! The internal services as callers see them: requests go through a real dispatcher, changes through a real database and
//! event log, without sockets.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod apply;
mod audit;
mod basic_auth;
mod bootstrap;
mod effect;
mod http_soap;
mod invoke;
mod leader;
mod lists;
mod logs;
mod other_services;
mod outgoing_sql;
mod roles;
mod security_types;
mod server;
mod service;
mod support;
