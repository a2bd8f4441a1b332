//! `zato.security.wss`: what a UsernameToken has to say.
//!
//! Owns which rules there are for such a token. It must not know which channels and connections use one.

use zato_catalogue::security::wss;
use zato_odb::model::{SecurityDefinition, SecurityKind, SecurityType};
use zato_service::Error;

use super::Definitions;
use crate::family::services;
use crate::password;
use crate::value::{COUNTS, within};

struct WsSecurity;

impl Definitions for WsSecurity {
    const TYPE: SecurityType = SecurityType::WsSecurity;
    const NOUN: &'static str = "WS-Security definition";
    const PASSWORD_REQUIRED: bool = true;

    fn check_values(definition: &SecurityDefinition) -> Result<(), Error> {
        let SecurityKind::WsSecurity { reject_expiry_limit, nonce_freshness_time, .. } = &definition.kind
        else {
            return Ok(());
        };
        within("reject_expiry_limit", *reject_expiry_limit, &COUNTS)?;
        nonce_freshness_time.map_or(Ok(()), |time| within("nonce_freshness_time", time, &COUNTS))
    }
}

services! {
    WsSecurity in wss: create, edit, change_password, delete, get_list;
    {
        object SecurityDefinition { is_active, username, rate_limit, max_in_flight }
        kind SecurityKind::WsSecurity { password_type, reject_empty_nonce_creat, reject_stale_tokens, reject_expiry_limit, nonce_freshness_time }
        initially { password: Some(password::random()?) }
    }
}
