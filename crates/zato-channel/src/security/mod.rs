//! Who may call a channel.
//!
//! Owns security definitions as channels need them: what each type is configured with, and which check belongs to which
//! type. It must not know which channels use a definition, nor what a refused caller is answered.
//!
//! Each type has a module of its own. Whatever is wrong with a caller's credentials, its check does the same work before
//! it says so, secrets are compared in a time that does not depend on them, and they are never shown.

mod api_key;
mod basic_auth;
mod certificate_rules;
mod denied;
mod jwt;
mod jwt_signature;
mod nonces;
mod oauth;
mod secret;
mod technical_account;
mod ws_security;
mod xpath;

use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use time::OffsetDateTime;
use zato_soap::UsernameToken;

use crate::{CallLimits, SecurityError};

use api_key::ApiKey;
use basic_auth::BasicAuth;
pub use certificate_rules::{CertificateRuleError, CertificateRules};
pub(crate) use denied::Denied;
use jwt::JwtCheck;
pub use jwt::{Jwt, JwtKey, JwtKeyError};
pub(crate) use nonces::Nonces;
pub use oauth::OAuth;
pub use secret::{InvalidDigest, Password, SaltedDigest};
pub use ws_security::WsSecurity;
pub use xpath::XPath;
use xpath::XPathCheck;

/// What callers must prove to know.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SecurityKind {
    /// HTTP Basic authentication.
    BasicAuth {
        /// Shown to callers who are refused.
        realm: String,
        /// Compared exactly, as UTF-8.
        username: String,
        /// Compared exactly, as UTF-8.
        password: Password,
    },
    /// A secret in a header.
    ApiKey {
        /// The header's name, such as `X-API-Key`. Hyphens and underscores are the same here.
        header: String,
        /// Compared exactly.
        key: Password,
    },
    /// The headers `X-Zato-User`, which must have the definition's name, and `X-Zato-Password`.
    TechnicalAccount {
        /// What is kept of the password.
        password: SaltedDigest,
    },
    /// A `UsernameToken` in the header of the SOAP envelope.
    WsSecurity(WsSecurity),
    /// Credentials somewhere in an XML message.
    XPath(XPath),
    /// A signature of OAuth 1.0.
    OAuth(OAuth),
    /// The certificate of the TLS connection.
    ClientCertificate(CertificateRules),
    /// A JSON Web Token.
    Jwt(Jwt),
    /// A type that can't guard a channel, by its name; [`Security::new`] refuses it.
    Other(String),
}

/// A security definition, ready to check callers.
pub struct Security {
    id: i64,
    name: Arc<str>,
    /// What roles know it by.
    client: Box<str>,
    is_active: bool,
    guard: Guard,
    limits: CallLimits,
}

/// Where a caller's proof is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// In the request itself: it can be checked before the body is asked for.
    Request,
    /// In the header of a SOAP envelope.
    Envelope,
    /// In an XML message.
    Message,
    /// In the request, together with a form in the body.
    Form,
}

enum Guard {
    BasicAuth(BasicAuth),
    ApiKey(ApiKey),
    TechnicalAccount(SaltedDigest),
    WsSecurity(WsSecurity),
    XPath(XPathCheck),
    OAuth(OAuth),
    ClientCertificate(CertificateRules),
    Jwt(JwtCheck),
}

impl Guard {
    /// The type's name in configuration.
    fn security_type(&self) -> &'static str {
        match self {
            Self::BasicAuth(_) => "basic_auth",
            Self::ApiKey(_) => "apikey",
            Self::TechnicalAccount(_) => "tech_acc",
            Self::WsSecurity(_) => "wss",
            Self::XPath(_) => "xpath_sec",
            Self::OAuth(_) => "oauth",
            Self::ClientCertificate(_) => "tls_channel_sec",
            Self::Jwt(_) => "jwt",
        }
    }
}

impl Security {
    /// Prepares a definition. An inactive one lets nobody in.
    ///
    /// # Errors
    /// The definition can't guard channels.
    pub fn new(
        id: i64,
        name: impl Into<Arc<str>>,
        is_active: bool,
        kind: SecurityKind,
    ) -> Result<Self, SecurityError> {
        let name = name.into();
        let guard = match kind {
            SecurityKind::BasicAuth { realm, username, password } => {
                let basic = BasicAuth::new(&realm, username, password);
                Guard::BasicAuth(basic.ok_or_else(|| SecurityError::Realm { name: Arc::clone(&name) })?)
            }
            SecurityKind::ApiKey { header, key } => match ApiKey::new(&header, key) {
                Some(key) => Guard::ApiKey(key),
                None => return Err(SecurityError::Header { name, header }),
            },
            SecurityKind::TechnicalAccount { password } => Guard::TechnicalAccount(password),
            SecurityKind::WsSecurity(rules) => Guard::WsSecurity(rules),
            SecurityKind::XPath(rules) => match XPathCheck::new(rules) {
                Ok(check) => Guard::XPath(check),
                Err(reason) => return Err(SecurityError::XPath { name, reason }),
            },
            SecurityKind::OAuth(rules) => Guard::OAuth(rules),
            SecurityKind::ClientCertificate(rules) => Guard::ClientCertificate(rules),
            SecurityKind::Jwt(rules) => match JwtCheck::new(rules) {
                Ok(check) => Guard::Jwt(check),
                Err(reason) => return Err(SecurityError::Jwt { name, reason }),
            },
            SecurityKind::Other(sec_type) => return Err(SecurityError::Type { name, sec_type }),
        };
        let client = format!("sec_def:::{}:::{name}", guard.security_type()).into();
        Ok(Self { id, name, client, is_active, guard, limits: CallLimits::default() })
    }

    /// The same definition, which lets so many calls through over all channels that it guards.
    #[must_use]
    pub fn with_limits(self, limits: CallLimits) -> Self {
        Self { limits, ..self }
    }

    /// How many calls it lets through.
    pub(crate) fn limits(&self) -> CallLimits {
        self.limits
    }

    /// Tells the definition from all others.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Its name, which services see as the name of the caller.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether it lets anyone in.
    pub fn is_active(&self) -> bool {
        self.is_active
    }

    /// Its type's name in configuration, such as `basic_auth`.
    pub fn security_type(&self) -> &'static str {
        self.guard.security_type()
    }

    /// The `WWW-Authenticate` header of whoever is refused.
    pub(crate) fn challenge(&self) -> HeaderValue {
        match &self.guard {
            Guard::BasicAuth(basic) => basic.challenge().clone(),
            Guard::ApiKey(_) => HeaderValue::from_static("zato-apikey"),
            Guard::TechnicalAccount(_) => HeaderValue::from_static("zato-tech-acc"),
            Guard::WsSecurity(_) => HeaderValue::from_static("zato-wss"),
            Guard::XPath(_) => HeaderValue::from_static("zato-xpath"),
            Guard::OAuth(_) => HeaderValue::from_static("OAuth"),
            Guard::ClientCertificate(_) => HeaderValue::from_static("zato-tls-channel-sec"),
            Guard::Jwt(_) => HeaderValue::from_static("Bearer"),
        }
    }

    /// The caller as roles know it: `sec_def:::<type>:::<name>`.
    pub(crate) fn client(&self) -> &str {
        &self.client
    }

    /// Marks what is a key in a request's headers although only the definition says so.
    pub(crate) fn mark_keys(&self, headers: &mut HeaderMap) {
        if let Guard::ApiKey(key) = &self.guard {
            key.mark(headers);
        }
    }

    /// Whether callers are known by the header of a SOAP envelope.
    pub(crate) fn is_in_envelope(&self) -> bool {
        matches!(self.guard, Guard::WsSecurity(_))
    }

    /// Whether callers are known by something in an XML message.
    pub(crate) fn is_in_message(&self) -> bool {
        matches!(self.guard, Guard::XPath(_))
    }

    /// Where the proof of this request's caller has to be.
    pub(crate) fn proof(&self, request: &Parts) -> Proof {
        match self.guard {
            Guard::WsSecurity(_) => Proof::Envelope,
            Guard::XPath(_) => Proof::Message,
            Guard::OAuth(_) if oauth::signs_body(&request.headers) => Proof::Form,
            _ => Proof::Request,
        }
    }

    /// Checks a proof in the request itself, and in its body if that is a form. The time is asked for only where it matters.
    pub(crate) fn check_request(
        &self,
        request: &Parts,
        form: Option<&str>,
        now: impl FnOnce() -> OffsetDateTime,
        nonces: &Nonces,
    ) -> Result<(), Denied> {
        let headers = &request.headers;
        self.if_active(match &self.guard {
            Guard::BasicAuth(basic) => basic.check(headers, self.is_active),
            Guard::ApiKey(key) => key.check(headers),
            Guard::TechnicalAccount(password) => technical_account::check(&self.name, password, headers),
            Guard::OAuth(rules) => rules.check(request, form, now(), nonces, self.is_active),
            Guard::ClientCertificate(rules) => rules.check(request.extensions.get(), now()),
            Guard::Jwt(check) => check.check(headers, now()),
            Guard::WsSecurity(_) => Err(Denied::NoToken),
            Guard::XPath(_) => Err(Denied::NotFound("username")),
        })
    }

    /// Checks a token of a SOAP envelope.
    pub(crate) fn check_token(
        &self,
        token: &UsernameToken,
        now: OffsetDateTime,
        nonces: &Nonces,
    ) -> Result<(), Denied> {
        self.if_active(match &self.guard {
            Guard::WsSecurity(rules) => rules.check(token, now, nonces, self.is_active),
            _ => Err(Denied::NoToken),
        })
    }

    /// Checks an XML message, which is known to be within all limits.
    pub(crate) fn check_message(&self, message: &str, is_soap: bool) -> Result<(), Denied> {
        self.if_active(match &self.guard {
            Guard::XPath(check) => check.check(message, is_soap),
            _ => Err(Denied::NotFound("username")),
        })
    }

    /// An inactive definition lets nobody in, and takes as long to say so.
    fn if_active(&self, checked: Result<(), Denied>) -> Result<(), Denied> {
        if self.is_active { checked } else { Err(Denied::Inactive) }
    }
}

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Security")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("is_active", &self.is_active)
            .field("type", &self.security_type())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: SecurityKind, expected: &str) {
        assert_eq!(Security::new(1, "users", true, kind).unwrap_err().to_string(), expected);
    }

    #[test]
    fn what_cannot_guard_a_channel_is_refused() {
        check(
            SecurityKind::Other("aws".to_owned()),
            "security definition [users]: type aws can't guard a channel",
        );
        check(
            SecurityKind::BasicAuth {
                realm: "a\nb".to_owned(),
                username: "u".to_owned(),
                password: "p".into(),
            },
            "security definition [users]: its realm has a control character",
        );
        check(
            SecurityKind::ApiKey { header: "X API Key".to_owned(), key: "k".into() },
            "security definition [users]: [X API Key] can't be the name of a header",
        );
    }

    #[test]
    fn no_secret_is_shown() {
        let kind = SecurityKind::BasicAuth {
            realm: String::new(),
            username: "user".to_owned(),
            password: "S3cret".into(),
        };
        let shown = format!("{kind:?} {:?}", Security::new(1, "users", true, kind.clone()).unwrap());
        assert!(!shown.contains("S3cret") && !shown.contains("dXNlcjpTM2NyZXQ"), "{shown}");
    }
}
