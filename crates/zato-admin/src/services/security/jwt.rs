//! `zato.security.jwt`: JSON Web Tokens that callers bring along.
//!
//! Owns that such a definition has either a secret or a public key. It must not know which channels use one, nor how tokens
//! are checked.

use zato_catalogue::security::jwt;
use zato_odb::Secret;
use zato_odb::model::{SecurityDefinition, SecurityKind, SecurityType};
use zato_service::Error;

use super::Definitions;
use crate::family::services;
use crate::{apply, password};

struct Tokens;

impl Definitions for Tokens {
    const TYPE: SecurityType = SecurityType::Jwt;
    const NOUN: &'static str = "JWT definition";
    const PASSWORD_REQUIRED: bool = true;

    fn check_values(definition: &SecurityDefinition) -> Result<(), Error> {
        apply::check_guard(definition)
    }

    /// Whoever sets a secret expects that it counts.
    fn set_password(definition: &mut SecurityDefinition, password: Secret) -> Result<(), Error> {
        if let SecurityKind::Jwt { algorithm, public_key: Some(_), .. } = &definition.kind {
            let message = format!("Tokens are signed with {algorithm}, which has a public key and no secret");
            return Err(Error::bad_request(message));
        }
        definition.password = Some(password);
        Ok(())
    }
}

services! {
    Tokens in jwt: create, edit, change_password, delete, get_list;
    {
        object SecurityDefinition { is_active, rate_limit, max_in_flight }
        kind SecurityKind::Jwt { algorithm, public_key, issuer, audience, leeway }
        initially { username: None, password: Some(secret()?) }
    }
}

/// A random secret that is long enough for all algorithms, so that a definition may change between them.
fn secret() -> Result<Secret, Error> {
    Ok(Secret::new(format!("{}{}", password::random()?.expose(), password::random()?.expose())))
}
