//! The families of services, each with its cases in a file.

mod basic_auth;
mod core;
mod helpers;
mod http_soap;
mod info;
mod security;
mod service;

use super::cases::Cases;

/// States the cases of a family.
type StateCases = fn(&mut Cases<'_>);

/// Each family of the catalogue that has built services.
pub(super) const FAMILIES: &[(&str, StateCases)] = &[
    ("core", core::cases),
    ("helpers", helpers::cases),
    ("http-soap", http_soap::cases),
    ("info", info::cases),
    ("security", security::cases),
    ("security.basic-auth", basic_auth::cases),
    ("service", service::cases),
];
