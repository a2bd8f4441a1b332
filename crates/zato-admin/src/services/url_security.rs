//! `zato.http-soap.get-url-security`: who may call which channel of this server.
//!
//! Owns the document. It shows what is in effect rather than what is stored, and must not show a secret.

use serde_json::{Value, json};
use zato_catalogue::RawCall;
use zato_catalogue::http_soap::get_url_security;
use zato_channel::ChannelGuard;
use zato_service::{Context, Description, Error, Raw, RawInput, Service};

use crate::Admin;
use crate::handle::{Implemented, describe};

/// `zato.http-soap.get-url-security`.
pub(crate) struct GetUrlSecurity(Admin);

impl Service for GetUrlSecurity {
    type Input = RawInput;
    type Output = Raw;

    fn description(&self) -> Description {
        describe(get_url_security::Raw::SERVICE)
    }

    async fn handle(&self, _: &mut Context, _: RawInput) -> Result<Raw, Error> {
        let document: Vec<Value> = self.0.channels().guards().iter().map(entry).collect();
        Ok(Raw::json(serde_json::to_vec(&document)?))
    }
}

impl Implemented for get_url_security::Raw {
    type Service = GetUrlSecurity;

    fn service(admin: &Admin) -> GetUrlSecurity {
        GetUrlSecurity(admin.clone())
    }
}

fn entry(guard: &ChannelGuard) -> Value {
    let security = guard.security.as_ref().map(|security| {
        json!({
            "id": security.id(),
            "name": **security.name(),
            "sec_type": security.security_type(),
            "is_active": security.is_active(),
        })
    });
    json!({
        "channel": *guard.channel,
        "url_path": *guard.url_path,
        "soap_action": *guard.soap_action,
        "is_active": guard.is_active,
        "security": security,
        "has_rbac": guard.has_rbac,
    })
}
