//! The services, one module per family of the catalogue.
//!
//! Owns which families there are and which service answers each raw call. Families must not know one another, save
//! for what one refers to in another by id.

pub(crate) mod basic_auth;
mod core;
mod helpers;
pub(crate) mod http_soap;
mod info;
pub(crate) mod invoke_by_path;
mod security;
mod service;
