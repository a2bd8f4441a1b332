#![doc = include_str!("../README.md")]

mod envelope;
pub mod escape;
mod fault;
mod frame;
mod read;
mod username_token;
mod version;

pub use envelope::Envelope;
pub use fault::{Fault, FaultCode};
pub use frame::{Frame, FrameOptions};
pub use read::{ReadError, parse};
pub use username_token::{Password, TokenError, UsernameToken};
pub use version::Version;
// Whoever parses a message says how much it may ask for, and where it isn't one.
pub use zato_xml::{Limits, Position};
