#![doc = include_str!("../README.md")]

mod authorization;
mod base_string;
mod method;

pub use authorization::{Authorization, AuthorizationError, Credentials};
pub use base_string::{Oversized, Request};
pub use method::{SignatureMethod, UnknownSignatureMethod};
