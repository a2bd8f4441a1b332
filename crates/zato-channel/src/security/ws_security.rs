//! Callers who prove who they are in the header of a SOAP envelope.
//!
//! Owns the rules for a `UsernameToken` of WS-Security. It must not know how the token is read or its digest computed:
//! `zato_soap` does that. Nonces are not remembered, so within the expiry limit a token can be used again.

use std::time::Duration;

use subtle::Choice;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zato_soap::UsernameToken;

use super::denied::Denied;
use super::secret::{Password, is_same};

/// Which tokens are accepted. Clear-text and digest passwords both are.
#[derive(Clone, Debug)]
pub struct WsSecurity {
    /// Compared exactly.
    pub username: String,
    /// Compared exactly, or used to compute the digest that the token must have.
    pub password: Password,
    /// Whether a token must have a nonce and the time of its creation.
    pub reject_empty_nonce_creat: bool,
    /// Whether a token that has a time of creation may be too old.
    pub reject_stale_tokens: bool,
    /// How old a token may be, and how far ahead the clock of its maker.
    pub reject_expiry_limit: Duration,
}

impl WsSecurity {
    /// The password is checked first, so that whoever doesn't know it learns nothing about the rest.
    pub(super) fn check(&self, token: &UsernameToken, now: OffsetDateTime) -> Result<(), Denied> {
        let is_user = is_same(self.username.as_bytes(), token.username().as_bytes());
        // Both are compared whatever the first comparison says.
        let is_password = self.is_password(token);
        if !bool::from(is_user) {
            return Err(Denied::Username);
        }
        if !bool::from(is_password) {
            return Err(Denied::Password);
        }
        if self.reject_empty_nonce_creat && (token.nonce().is_none() || token.created().is_none()) {
            return Err(Denied::Incomplete);
        }
        if !self.reject_stale_tokens {
            return Ok(());
        }
        let Some(created) = token.created() else { return Ok(()) };
        let created = OffsetDateTime::parse(created.trim(), &Rfc3339).map_err(|_| Denied::Created)?;
        if (now - created).unsigned_abs() > self.reject_expiry_limit { Err(Denied::Stale) } else { Ok(()) }
    }

    fn is_password(&self, token: &UsernameToken) -> Choice {
        match token.password() {
            zato_soap::Password::Text(sent) => self.password.is(sent.as_bytes()),
            _ => Choice::from(u8::from(token.verify(self.password.as_str()))),
        }
    }
}
