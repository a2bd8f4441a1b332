//! `zato.security.basic-auth`: HTTP Basic Auth definitions.
//!
//! Owns what such a definition is made of. It must not know which channels and connections use one, nor how callers
//! are checked against it.

use zato_catalogue::security::basic_auth;
use zato_odb::model::{SecurityDefinition, SecurityKind, SecurityType};
use zato_service::Error;

use super::Definitions;
use crate::family::services;
use crate::password;

struct BasicAuth;

impl Definitions for BasicAuth {
    const TYPE: SecurityType = SecurityType::BasicAuth;
    const NOUN: &'static str = "HTTP Basic Auth definition";

    fn check(definition: &SecurityDefinition) -> Result<(), Error> {
        let username = definition.username.as_deref().unwrap_or_default();
        if username.contains(':') {
            return Err(Error::bad_request(format!(
                "username [{username}] must not contain a colon: in HTTP Basic Auth the password begins after it"
            )));
        }
        Ok(())
    }
}

services! {
    BasicAuth in basic_auth: create, edit, change_password, delete, get_list;
    {
        object SecurityDefinition { is_active, username, rate_limit, max_in_flight }
        kind SecurityKind::BasicAuth { realm }
        initially { password: Some(password::random()?) }
    }
}
