//! Callers who prove who they are in the header of a SOAP envelope.
//!
//! Owns the rules for a `UsernameToken` of WS-Security. It must not know how the token is read or its digest computed:
//! `zato_soap` does that.

use std::time::Duration;

use subtle::Choice;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zato_soap::UsernameToken;

use super::denied::Denied;
use super::nonces::{Fingerprint, Nonce, Nonces};
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
    /// For how long a nonce can't be used again. As long as its token isn't too old yet, it can't either.
    pub nonce_freshness_time: Duration,
}

/// How many nonces of one definition are remembered, which takes about 8 MB.
const CAPACITY: usize = 100_000;

impl WsSecurity {
    /// Everything is looked at whatever is wrong, so that a refusal takes as long for any reason, and one that somebody
    /// who doesn't know the password gets says nothing about the rest.
    ///
    /// A nonce or a time of creation is checked wherever there is one: `reject_empty_nonce_creat` says no more than that
    /// there must be.
    pub(super) fn check(
        &self,
        token: &UsernameToken,
        now: OffsetDateTime,
        nonces: &Nonces,
        is_active: bool,
    ) -> Result<(), Denied> {
        let is_user = bool::from(is_same(self.username.as_bytes(), token.username().as_bytes()));
        let is_password = bool::from(self.is_password(token));
        let is_incomplete = self.reject_empty_nonce_creat
            && (token.nonce().is_none_or(<[u8]>::is_empty) || token.created().is_none());
        let until = self.until(token, now);
        let verdict = if !is_active {
            Err(Denied::Inactive)
        } else if !is_user {
            Err(Denied::Username)
        } else if !is_password {
            Err(Denied::Password)
        } else if is_incomplete {
            Err(Denied::Incomplete)
        } else {
            until.clone().map(|_| ())
        };
        let Some(nonce) = token.nonce() else { return verdict };
        let fingerprint = Fingerprint::of(&[nonce]);
        nonces.admit(verdict, Nonce { fingerprint, until: until.unwrap_or(now), capacity: CAPACITY }, now)
    }

    /// Until when a token's nonce has to be known.
    fn until(&self, token: &UsernameToken, now: OffsetDateTime) -> Result<OffsetDateTime, Denied> {
        let freshness = limit(self.nonce_freshness_time);
        match token.created() {
            Some(created) if self.reject_stale_tokens => {
                let expiry = limit(self.reject_expiry_limit);
                let created = OffsetDateTime::parse(created.trim(), &Rfc3339).map_err(|_| Denied::Created)?;
                if (now - created).abs() > expiry {
                    return Err(Denied::Stale);
                }
                // It may arrive that late, and has to be known for that long from then on.
                Ok(created.saturating_add(expiry.saturating_add(expiry.max(freshness))))
            }
            _ => Ok(now.saturating_add(freshness)),
        }
    }

    fn is_password(&self, token: &UsernameToken) -> Choice {
        match token.password() {
            zato_soap::Password::Text(sent) => self.password.is(sent.as_bytes()),
            _ => Choice::from(u8::from(token.verify(self.password.as_str()))),
        }
    }
}

fn limit(duration: Duration) -> time::Duration {
    duration.try_into().unwrap_or(time::Duration::MAX)
}
