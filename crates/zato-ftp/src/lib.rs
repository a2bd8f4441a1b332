#![doc = include_str!("../README.md")]

// Only its features are of use; see the manifest.
use log as _;

mod connection;
mod error;
mod session;
#[cfg(feature = "test-util")]
pub mod test_util;
mod tls;

pub use connection::{Config, ConfigError, Ftp};
pub use error::{Error, ProtocolError};
pub use session::{Entry, Session};
