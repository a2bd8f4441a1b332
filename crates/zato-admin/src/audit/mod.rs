//! The audit log of channels.
//!
//! Owns the way of a call from its channel to the operational database: a queue, what has to be hidden, and whoever
//! stores it. It must not know how channels are called, nor who reads the log.
//!
//! Calls never wait for their audit. They are queued as they are, within limits of number and memory, and dropped and
//! counted beyond those; everything else is done off the call path, in batches.

mod entry;
mod hidden;
mod queue;
mod rules;
mod writer;

pub use queue::{Audit, AuditStatistics};
pub(crate) use rules::Rules;
pub use writer::AuditWriter;
