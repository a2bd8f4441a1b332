//! `zato.security.tls.channel`: what the certificates of callers have to say.
//!
//! Owns that such a definition has a user name, which is its name. It must not know how certificates are checked.

use zato_catalogue::security::tls::channel;
use zato_odb::model::{SecurityDefinition, SecurityKind, SecurityType};
use zato_service::Error;

use crate::apply;
use crate::family::services;
use crate::services::security::Definitions;

struct CertificateRules;

impl Definitions for CertificateRules {
    const TYPE: SecurityType = SecurityType::TlsChannel;
    const NOUN: &'static str = "TLS channel security definition";
    const TAKEN: &'static str = "A TLS channel security definition";

    fn check_values(definition: &SecurityDefinition) -> Result<(), Error> {
        apply::check_guard(definition)
    }
}

services! {
    CertificateRules in channel: create, edit, delete, get_list;
    {
        object SecurityDefinition { is_active, rate_limit, max_in_flight }
        kind SecurityKind::TlsChannel { value }
        ignored { password, password_type, username }
        found(_change, definition) { username: Some(definition.name.clone()) }
        initially { password: None }
        shown(definition) { username: definition.username.clone(), password_type: Some(String::new()) }
    }
}
