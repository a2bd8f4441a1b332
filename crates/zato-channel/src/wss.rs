//! Callers who prove who they are in the header of a SOAP envelope.
//!
//! Owns the rules for a `UsernameToken` of WS-Security. It must not know how the token is read or its digest computed:
//! `zato_soap` does that. Nonces are not remembered, so within the expiry limit a token can be used again.

use std::time::Duration;

use subtle::ConstantTimeEq;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zato_soap::UsernameToken;

use crate::security::{Denied, Password};

/// Which tokens are accepted. Clear-text and digest passwords both are.
#[derive(Clone, Debug)]
pub struct WsSecurity {
    /// Compared exactly.
    pub username: String,
    /// Compared exactly, or used to compute the digest that the token must have.
    pub password: Password,
    /// Whether a token must have a nonce and the time of its creation. Without this the time isn't looked at.
    pub reject_empty_nonce_creat: bool,
    /// Whether a token may be too old.
    pub reject_stale_tokens: bool,
    /// How old a token may be, and how far ahead the clock of its maker.
    pub reject_expiry_limit: Duration,
}

impl WsSecurity {
    pub(crate) fn check(&self, token: &UsernameToken, now: OffsetDateTime) -> Result<(), Denied> {
        if !bool::from(token.username().as_bytes().ct_eq(self.username.as_bytes())) {
            return Err(Denied::Username);
        }
        if self.reject_empty_nonce_creat {
            let (Some(_), Some(created)) = (token.nonce(), token.created()) else {
                return Err(Denied::Incomplete);
            };
            let created = OffsetDateTime::parse(created.trim(), &Rfc3339).map_err(|_| Denied::Created)?;
            if self.reject_stale_tokens && (now - created).unsigned_abs() > self.reject_expiry_limit {
                return Err(Denied::Stale);
            }
        }
        if token.verify(self.password.as_str()) { Ok(()) } else { Err(Denied::Password) }
    }
}
