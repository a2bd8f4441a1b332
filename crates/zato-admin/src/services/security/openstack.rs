//! `zato.security.openstack`: credentials of OpenStack.
//!
//! Owns that the password of such a definition is the key. It must not know which channels and connections use one.

use zato_catalogue::security::openstack;
use zato_odb::model::{SecurityDefinition, SecurityKind, SecurityType};

use super::Definitions;
use crate::family::services;
use crate::password;

struct OpenStack;

impl Definitions for OpenStack {
    const TYPE: SecurityType = SecurityType::OpenStack;
    const NOUN: &'static str = "OpenStack definition";
}

services! {
    OpenStack in openstack: create, edit, change_password, delete, get_list;
    {
        object SecurityDefinition { is_active, username }
        kind SecurityKind::OpenStack {  }
        initially { password: Some(password::random()?), rate_limit: None, max_in_flight: None }
    }
}
