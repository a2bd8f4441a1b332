//! The public API as data: what services there are, what they take and return, and typed requests and responses for
//! those that are built.
//!
//! `catalogue/<family>.toml` in this crate is the one source of all of it; `cargo xtask codegen` writes the modules
//! below [`families`] and the two documents. This crate must not know how services are implemented, stored or
//! reached over the network.
#![doc = include_str!("../README.md")]

mod call;
mod descriptor;
mod documents;
mod generated;
mod lookup;
mod redacted;

pub use call::{Call, RawCall};
pub use descriptor::{DefaultValue, Element, ElementType, Family, Service, Shape, Status, Version};
pub use documents::{OPENAPI, WSDL, WSDL_ADDRESS, wsdl};
pub use generated::requests::*;
pub use lookup::{by_name, families, services};
