#![doc = include_str!("../README.md")]

mod consumer;
mod definition;
mod error;
mod message;
mod outgoing;
mod publisher;
mod session;
mod supervise;
#[cfg(feature = "test-util")]
pub mod test_util;
mod value;
mod wire;

pub use consumer::{Consumer, ConsumerConfig, DEFAULT_PREFETCH, Handler, Outcome};
pub use definition::Definition;
pub use error::SendError;
pub use message::{Delivery, Headers, Message, Properties};
pub use outgoing::{Outgoing, OutgoingConfig};
pub use supervise::RECONNECT_INTERVAL;
pub use value::Value;
pub use zato_connections::{Secret, Status};
