//! How a connection to a broker fares, in words for operators.
//!
//! Owns the states and their texts. It must not know how one comes about.

use std::fmt;
use std::sync::Arc;

/// The state of an outgoing connection or of a consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It is switched off.
    Inactive,
    /// The first attempt to connect is under way.
    Connecting,
    /// There is no connection; the next attempt comes by itself.
    Disconnected {
        /// Why, in the broker's words where it had any.
        reason: Arc<str>,
    },
    /// It works.
    Connected,
    /// It is connected, but the broker is short of memory or disk space and takes no messages for now.
    Blocked {
        /// What the broker is short of.
        reason: Arc<str>,
    },
    /// It was stopped, or replaced by another configuration.
    Stopped,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inactive => f.write_str("inactive"),
            Self::Connecting => f.write_str("connecting"),
            Self::Disconnected { reason } => write!(f, "connecting: {reason}"),
            Self::Connected => f.write_str("connected"),
            Self::Blocked { reason } => write!(f, "connected, but the broker takes no messages: {reason}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}
