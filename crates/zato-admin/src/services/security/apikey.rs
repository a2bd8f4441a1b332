//! `zato.security.apikey`: keys that callers send in a header.
//!
//! Owns that the user name of such a definition is the name of the header. It must not know which channels and connections use one.

use zato_catalogue::security::apikey;
use zato_odb::model::{SecurityDefinition, SecurityKind, SecurityType};

use super::Definitions;
use crate::family::services;
use crate::password;

struct ApiKeys;

impl Definitions for ApiKeys {
    const TYPE: SecurityType = SecurityType::ApiKey;
    const NOUN: &'static str = "API key";
}

services! {
    ApiKeys in apikey: create, edit, change_password, delete, get_list;
    {
        object SecurityDefinition { is_active, username, rate_limit, max_in_flight }
        kind SecurityKind::ApiKey {  }
        initially { password: Some(password::random()?) }
    }
}
