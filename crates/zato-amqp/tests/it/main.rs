//! This crate against a real RabbitMQ.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod consuming;
mod outages;
mod sending;
mod support;
