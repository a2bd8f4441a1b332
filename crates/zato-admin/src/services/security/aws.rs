//! `zato.security.aws`: access keys of Amazon Web Services.
//!
//! Owns that the user name of such a definition is the id of the access key. It must not know which channels and connections use one.

use zato_catalogue::security::aws;
use zato_odb::model::{SecurityDefinition, SecurityKind, SecurityType};

use super::Definitions;
use crate::family::services;
use crate::password;

struct Aws;

impl Definitions for Aws {
    const TYPE: SecurityType = SecurityType::Aws;
    const NOUN: &'static str = "AWS definition";
}

services! {
    Aws in aws: create, edit, change_password, delete, get_list;
    {
        object SecurityDefinition { is_active, username }
        kind SecurityKind::Aws {  }
        initially { password: Some(password::random()?), rate_limit: None, max_in_flight: None }
    }
}
