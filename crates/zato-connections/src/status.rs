//! How a connection that is kept up in the background fares, in words for operators.
//!
//! Owns the states and their texts. It must not know how one comes about.

use std::fmt;
use std::sync::Arc;

/// The state of a connection that is kept up in the background.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Nobody keeps it up: it is switched off, or that has not begun.
    Inactive,
    /// The first attempt to connect is under way.
    Connecting,
    /// There is no connection; the next attempt comes by itself.
    Disconnected {
        /// Why, in the other side's words where it had any.
        reason: Arc<str>,
    },
    /// It works.
    Connected,
    /// It is connected, but the other side takes nothing for now.
    Blocked {
        /// Why, in its words.
        reason: Arc<str>,
    },
    /// It was stopped, or replaced by another configuration, or what kept it up has failed.
    Stopped,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inactive => f.write_str("inactive"),
            Self::Connecting => f.write_str("connecting"),
            Self::Disconnected { reason } => write!(f, "connecting: {reason}"),
            Self::Connected => f.write_str("connected"),
            Self::Blocked { reason } => write!(f, "connected, but blocked: {reason}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: &Status, text: &str) {
        assert_eq!(status.to_string(), text);
    }

    #[test]
    fn operators_read_what_is_the_matter() {
        check(&Status::Inactive, "inactive");
        check(&Status::Connecting, "connecting");
        check(&Status::Disconnected { reason: "no route to host".into() }, "connecting: no route to host");
        check(&Status::Connected, "connected");
        check(&Status::Blocked { reason: "low on memory".into() }, "connected, but blocked: low on memory");
        check(&Status::Stopped, "stopped");
    }
}
