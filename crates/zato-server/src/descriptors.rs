//! How many files and sockets this process may have open.
//!
//! Owns raising that number. Each connection is a descriptor, and the usual limit of 1,024 is meant for programs that
//! wait with `select`, which this one is not.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit as far as this user may.
pub(crate) fn raise_limit() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => tracing::debug!(from = current, to = maximum, "raised the limit of open files"),
        Err(error) => tracing::warn!(%error, limit = current, "can't raise the limit of open files"),
    }
}
