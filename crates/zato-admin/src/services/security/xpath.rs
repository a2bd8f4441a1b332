//! `zato.security.xpath`: credentials that stand in messages.
//!
//! Owns the expressions that find user name and password. It must not know which channels and connections use one.

use zato_catalogue::security::xpath;
use zato_odb::model::{SecurityDefinition, SecurityKind, SecurityType};
use zato_service::Error;

use super::Definitions;
use crate::family::services;
use crate::{apply, password};

struct XPathCredentials;

impl Definitions for XPathCredentials {
    const TYPE: SecurityType = SecurityType::XPath;
    const NOUN: &'static str = "XPath security definition";

    fn check_values(definition: &SecurityDefinition) -> Result<(), Error> {
        apply::check_guard(definition)
    }
}

services! {
    XPathCredentials in xpath: create, edit, change_password, delete, get_list;
    {
        object SecurityDefinition { is_active, username, rate_limit, max_in_flight }
        kind SecurityKind::XPath { username_expr, password_expr }
        initially { password: Some(password::random()?) }
    }
}
