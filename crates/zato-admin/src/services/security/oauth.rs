//! `zato.security.oauth`: what callers sign their requests with by OAuth 1.0.
//!
//! Owns that the user name of such a definition is the consumer key, and the password the secret. It must not know which channels and connections use one.

use zato_catalogue::security::oauth;
use zato_odb::model::{SecurityDefinition, SecurityKind, SecurityType};

use super::Definitions;
use crate::family::services;
use crate::password;

struct OAuth;

impl Definitions for OAuth {
    const TYPE: SecurityType = SecurityType::OAuth;
    const NOUN: &'static str = "OAuth definition";
}

services! {
    OAuth in oauth: create, edit, change_password, delete, get_list;
    {
        object SecurityDefinition { is_active, username, rate_limit, max_in_flight }
        kind SecurityKind::OAuth { proto_version, sig_method, max_nonce_log }
        initially { password: Some(password::random()?) }
    }
}
