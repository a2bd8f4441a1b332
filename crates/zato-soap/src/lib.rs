#![doc = include_str!("../README.md")]

mod envelope;
pub mod escape;
mod fault;
mod frame;
mod limits;
mod read;
mod scan;
mod username_token;
mod version;

pub use envelope::Envelope;
pub use fault::{Fault, FaultCode};
pub use frame::{Frame, FrameOptions};
pub use limits::Limits;
pub use read::{Position, ReadError, parse};
// Documents and nodes of this crate are those of roxmltree: whoever reads a payload needs its names.
pub use roxmltree;
pub use username_token::{Password, TokenError, UsernameToken};
pub use version::Version;
