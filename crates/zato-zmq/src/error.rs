//! Why a message was not sent.

/// A message that was not handed to an open connection. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// There was no connection within the time-out, or too much was waiting for it.
    #[error("the outgoing ZeroMQ connection `{connection}` could not send the message: {reason}")]
    Unavailable {
        /// The connection's name.
        connection: Box<str>,
        /// How the connection fares.
        reason: Box<str>,
    },
    /// A message has at least one frame.
    #[error("a ZeroMQ message needs at least one frame")]
    Empty,
}
