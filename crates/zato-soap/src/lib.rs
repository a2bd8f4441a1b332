#![doc = include_str!("../README.md")]

mod envelope;
mod error;
mod fault;
mod frame;
mod username_token;
mod version;

pub use envelope::Envelope;
pub use error::ReadError;
pub use fault::{Fault, FaultCode};
pub use frame::{Frame, FrameOptions};
pub use username_token::{Password, TokenError, UsernameToken};
pub use version::Version;
// A message is XML first: whoever reads one says how much it may ask for, and is told where it isn't one.
pub use zato_xml::{Limits, Position, parse};
