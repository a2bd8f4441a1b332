//! Why a message was not sent, and how far it got.
//!
//! Owns the outcomes that a sender can act on.

/// A message of which it is not certain that the broker has it.
///
/// [`may_have_been_sent`](Self::may_have_been_sent) tells whether sending it again could make it arrive twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// There was no connection to the broker within the time-out. Nothing was sent.
    #[error("the outgoing AMQP connection `{connection}` is not connected to its broker: {reason}")]
    Unavailable {
        /// The connection's name.
        connection: Box<str>,
        /// Why it is not connected.
        reason: Box<str>,
    },
    /// Too many messages wait for the broker's confirmation. Nothing was sent.
    #[error(
        "too many messages of the outgoing AMQP connection `{connection}` wait for the broker's confirmation"
    )]
    Busy {
        /// The connection's name.
        connection: Box<str>,
    },
    /// AMQP can't carry the message: a name or a text property has more than 255 bytes. Nothing was sent.
    #[error("{field} of the message has more than 255 bytes, which AMQP can't carry")]
    TooLong {
        /// What is too long.
        field: Box<str>,
    },
    /// The broker refused the message: there is no such exchange, for instance.
    #[error("the broker of the outgoing AMQP connection `{connection}` refused the message: {reason}")]
    Refused {
        /// The connection's name.
        connection: Box<str>,
        /// What the broker said.
        reason: Box<str>,
    },
    /// No queue is bound to the exchange for this routing key, so that nobody has the message.
    #[error("no queue took the message to exchange `{exchange}` with routing key `{routing_key}`: {reason}")]
    Unroutable {
        /// The exchange.
        exchange: Box<str>,
        /// The routing key.
        routing_key: Box<str>,
        /// What the broker said.
        reason: Box<str>,
    },
    /// The broker had the message and could not keep it, a queue being full for instance.
    #[error("the broker of the outgoing AMQP connection `{connection}` could not keep the message")]
    Rejected {
        /// The connection's name.
        connection: Box<str>,
    },
    /// The message went out and was not confirmed: the broker may have it or not.
    #[error(
        "the broker of the outgoing AMQP connection `{connection}` did not confirm the message, which it may have or not: {reason}"
    )]
    Unconfirmed {
        /// The connection's name.
        connection: Box<str>,
        /// Why there was no confirmation.
        reason: Box<str>,
    },
}

impl SendError {
    /// Whether the broker may have the message all the same.
    #[must_use]
    pub fn may_have_been_sent(&self) -> bool {
        matches!(self, Self::Unconfirmed { .. })
    }
}
