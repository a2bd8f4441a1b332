//! `zato.security.tls.key-cert`: the certificates that outgoing connections show, with their keys.
//!
//! Owns what is said of such a pair. It must not know which connections use one.

use zato_catalogue::security::tls::key_cert;
use zato_odb::Secret;
use zato_odb::model::{SecurityDefinition, SecurityKind, SecurityType};
use zato_service::Error;

use crate::family::services;
use crate::services::security::Definitions;
use crate::{apply, certificate};

struct KeyPairs;

impl Definitions for KeyPairs {
    const TYPE: SecurityType = SecurityType::TlsKeyCert;
    const NOUN: &'static str = "TLS key/cert pair";
    const TAKEN: &'static str = "A TLS key/cert pair";

    fn check_values(definition: &SecurityDefinition) -> Result<(), Error> {
        apply::check_identity(definition)
    }
}

services! {
    KeyPairs in key_cert: create, edit, delete, get_list;
    {
        object SecurityDefinition { is_active }
        sent { value }
        ignored { password, password_type, username }
        made { kind: pair(value)? }
        found(_change, definition) { username: Some(definition.name.clone()) }
        initially { password: None, rate_limit: None, max_in_flight: None }
        reply(_admin, definition) { info: Some(parts(definition).0.to_owned()) }
        shown(definition) {
            info: Some(parts(definition).0.to_owned()),
            value: parts(definition).1.to_owned(),
            username: definition.username.clone(),
            password_type: Some(String::new()),
        }
    }
}

fn pair(value: String) -> Result<SecurityKind, Error> {
    Ok(SecurityKind::TlsKeyCert { info: certificate::key_and_subject(&value)?, value: Secret::new(value) })
}

/// What is said of the pair, and the pair.
fn parts(definition: &SecurityDefinition) -> (&str, &str) {
    match &definition.kind {
        SecurityKind::TlsKeyCert { info, value } => (info, value.expose()),
        _ => ("", ""),
    }
}
