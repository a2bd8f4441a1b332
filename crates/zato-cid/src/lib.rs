#![doc = include_str!("../README.md")]

mod cid;
mod form;
mod generator;
mod parse;
#[cfg(feature = "serde")]
mod serde;
#[cfg(feature = "system")]
mod system;

pub use cid::Cid;
pub use form::Form;
pub use generator::Generator;
pub use parse::{Expected, ParseCidError};
#[cfg(feature = "system")]
pub use system::SystemGenerator;
