//! The suite of the operational database: every case runs on SQLite and on PostgreSQL.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod fixture;

mod audit;
mod events;
mod objects;
mod opening;
mod pages;
mod samples;
mod secrets;
mod tables;
mod transactions;
mod uniqueness;
