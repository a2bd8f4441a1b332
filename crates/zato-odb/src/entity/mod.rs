//! Tables whose mapping is written by hand: what is no plain object of a cluster, and the one that holds objects of many
//! types. All others come from declarations in `model`.
//!
//! Owns everything that is particular to these tables. It must not run statements: that is written once, in `read` and
//! `transaction`.

pub(crate) mod event_log;
pub(crate) mod event_log_trimmed;
pub(crate) mod job_progress;
pub(crate) mod security;
