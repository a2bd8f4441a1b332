//! `zato.security.ntlm`: credentials of Windows domains.
//!
//! Owns that the user name of such a definition has the domain in it. It must not know which channels and connections use one.

use zato_catalogue::security::ntlm;
use zato_odb::model::{SecurityDefinition, SecurityKind, SecurityType};

use super::Definitions;
use crate::family::services;
use crate::password;

struct Ntlm;

impl Definitions for Ntlm {
    const TYPE: SecurityType = SecurityType::Ntlm;
    const NOUN: &'static str = "NTLM definition";
}

services! {
    Ntlm in ntlm: create, edit, change_password, delete, get_list;
    {
        object SecurityDefinition { is_active, username }
        kind SecurityKind::Ntlm {  }
        initially { password: Some(password::random()?), rate_limit: None, max_in_flight: None }
    }
}
