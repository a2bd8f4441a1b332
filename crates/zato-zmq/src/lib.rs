#![doc = include_str!("../README.md")]

mod channel;
mod error;
mod link;
mod outgoing;

pub use channel::{Channel, ChannelConfig, ChannelKind, DEFAULT_CONCURRENCY, Handler};
pub use error::SendError;
pub use link::RECONNECT_INTERVAL;
pub use outgoing::{Message, Outgoing, OutgoingConfig, OutgoingKind};
pub use zato_connections::Status;
