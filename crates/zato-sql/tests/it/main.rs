//! The same suite on PostgreSQL, MariaDB and SQLite, and what only servers can show: passwords, restarts, lost
//! connections.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod servers;
mod suite;
mod support;
