//! Who may call a channel.
//!
//! Owns security definitions as channels need them and the check of Basic Auth. It must not know which channels use
//! a definition, nor what a refused caller is answered. Secrets are compared in constant time and never shown.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderValue, header};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::SecurityError;
use crate::wss::WsSecurity;

/// Credentials are written by many tools; some leave out the padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A password. Wiped from memory when dropped, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Password {
    fn from(password: T) -> Self {
        Self(Zeroizing::new(password.into()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

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
    /// A `UsernameToken` in the header of the SOAP envelope.
    WsSecurity(WsSecurity),
    /// A type that can't guard a channel, by its name; [`Security::new`] refuses it.
    Other(String),
}

/// A security definition, ready to check callers.
pub struct Security {
    id: i64,
    name: Arc<str>,
    is_active: bool,
    guard: Guard,
}

enum Guard {
    BasicAuth(BasicAuth),
    WsSecurity(WsSecurity),
}

struct BasicAuth {
    username: Box<str>,
    password: Password,
    /// The whole header of a caller who writes it the usual way: most calls are decided by one comparison.
    authorization: Zeroizing<Vec<u8>>,
    challenge: HeaderValue,
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
                let challenge =
                    challenge(&realm).ok_or_else(|| SecurityError::Realm { name: Arc::clone(&name) })?;
                Guard::BasicAuth(BasicAuth::new(username, password, challenge))
            }
            SecurityKind::WsSecurity(kind) => Guard::WsSecurity(kind),
            SecurityKind::Other(sec_type) => return Err(SecurityError::Type { name, sec_type }),
        };
        Ok(Self { id, name, is_active, guard })
    }

    /// Tells the definition from all others.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Its name, which services see as the name of the caller.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The `WWW-Authenticate` header of whoever is refused.
    pub(crate) fn challenge(&self) -> HeaderValue {
        match &self.guard {
            Guard::BasicAuth(basic) => basic.challenge.clone(),
            Guard::WsSecurity(_) => HeaderValue::from_static("zato-wss"),
        }
    }

    /// The definition's rules for SOAP headers, if callers are known by those.
    pub(crate) fn ws_security(&self) -> Option<&WsSecurity> {
        match &self.guard {
            Guard::BasicAuth(_) => None,
            Guard::WsSecurity(rules) => Some(rules),
        }
    }

    /// Checks what can be checked before the body is looked at.
    pub(crate) fn check_headers(&self, headers: &HeaderMap) -> Result<(), Denied> {
        match &self.guard {
            _ if !self.is_active => Err(Denied::Inactive),
            Guard::BasicAuth(basic) => basic.check(headers),
            Guard::WsSecurity(_) => Ok(()),
        }
    }
}

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.guard {
            Guard::BasicAuth(_) => "basic_auth",
            Guard::WsSecurity(_) => "wss",
        };
        f.debug_struct("Security")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("is_active", &self.is_active)
            .field("kind", &kind)
            .finish_non_exhaustive()
    }
}

/// The realm as a quoted string of RFC 9110, section 5.6.4.
fn challenge(realm: &str) -> Option<HeaderValue> {
    let realm = realm.replace('\\', "\\\\").replace('"', "\\\"");
    HeaderValue::from_bytes(format!("Basic realm=\"{realm}\"").as_bytes()).ok()
}

impl BasicAuth {
    fn new(username: String, password: Password, challenge: HeaderValue) -> Self {
        let credentials = Zeroizing::new(format!("{username}:{}", password.as_str()));
        let authorization =
            Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(credentials.as_bytes())));
        let authorization = Zeroizing::new(authorization.as_bytes().to_vec());
        Self { username: username.into(), password, authorization, challenge }
    }

    /// Only the length of what is compared shows in the time that it takes.
    fn check(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let given = headers.get(header::AUTHORIZATION).ok_or(Denied::NoAuthorization)?.as_bytes();
        if bool::from(given.ct_eq(&self.authorization)) {
            return Ok(());
        }
        // Another scheme's spelling, padding or spacing, or somebody who may not call. Which of these is for the log.
        let (scheme, encoded) = given.split_at_checked(6).ok_or(Denied::NotBasic)?;
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return Err(Denied::NotBasic);
        }
        let decoded =
            LENIENT.decode(encoded.trim_ascii()).map(Zeroizing::new).map_err(|_| Denied::NotBase64)?;
        let colon = decoded.iter().position(|byte| *byte == b':').ok_or(Denied::NoColon)?;
        let (username, password) = (&decoded[..colon], &decoded[colon + 1..]);
        let is_user = username.ct_eq(self.username.as_bytes());
        let is_password = password.ct_eq(self.password.as_str().as_bytes());
        if bool::from(is_user & is_password) {
            Ok(())
        } else if bool::from(is_user) {
            Err(Denied::Password)
        } else {
            Err(Denied::Username)
        }
    }
}

/// Why a caller was refused. For the log only: callers learn no more than that they were.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("the security definition is inactive")]
    Inactive,
    #[error("there is no Authorization header")]
    NoAuthorization,
    #[error("the Authorization header is not a Basic one")]
    NotBasic,
    #[error("the credentials are not in base64")]
    NotBase64,
    #[error("the credentials have no colon between username and password")]
    NoColon,
    #[error("the username is not the definition's")]
    Username,
    #[error("the password is wrong")]
    Password,
    #[error("the body is no SOAP message: {0}")]
    NoMessage(String),
    #[error("the WS-Security header can't be read: {0}")]
    Token(String),
    #[error("there is no WS-Security UsernameToken")]
    NoToken,
    #[error("the token lacks its nonce or the time of its creation")]
    Incomplete,
    #[error("the time of the token's creation is no UTC date and time")]
    Created,
    #[error("the token has expired, or is from the future")]
    Stale,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(username: &str, password: &str) -> Security {
        let kind = SecurityKind::BasicAuth {
            realm: "A \"quoted\" realm".to_owned(),
            username: username.to_owned(),
            password: password.into(),
        };
        Security::new(1, "users", true, kind).unwrap()
    }

    #[track_caller]
    fn check(authorization: Option<&str>, expected: impl Into<Option<Denied>>) {
        let mut headers = HeaderMap::new();
        if let Some(authorization) = authorization {
            headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        }
        assert_eq!(
            definition("user", "pass:word").check_headers(&headers).err(),
            expected.into(),
            "{authorization:?}"
        );
    }

    fn basic(credentials: &[u8]) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(credentials))
    }

    #[test]
    fn basic_auth() {
        check(None, Denied::NoAuthorization);
        check(Some(""), Denied::NotBasic);
        check(Some("Basic"), Denied::NotBasic);
        check(Some("Bearer dXNlcjpwYXNzOndvcmQ="), Denied::NotBasic);
        check(Some("Basic !!!!"), Denied::NotBase64);
        check(Some("Basic "), Denied::NoColon);
        check(Some(&basic(b"user")), Denied::NoColon);
        check(Some(&basic(b"User:pass:word")), Denied::Username);
        check(Some(&basic(b":")), Denied::Username);
        check(Some(&basic(b"user:")), Denied::Password);
        check(Some(&basic(b"user:pass:wore")), Denied::Password);
        check(Some(&basic(b"user:pass:word ")), Denied::Password);
        check(Some(&basic(b"user:pass:word")), None);
        check(Some("basic  dXNlcjpwYXNzOndvcmQ= "), None);
        check(Some("BASIC dXNlcjpwYXNzOndvcmQ"), None);
    }

    #[test]
    fn credentials_are_utf_8() {
        let security = definition("użytkownik", "hasło");
        let check = |credentials: &[u8]| {
            let headers =
                HeaderMap::from_iter([(header::AUTHORIZATION, basic(credentials).parse().unwrap())]);
            security.check_headers(&headers)
        };
        assert_eq!(check("użytkownik:hasło".as_bytes()), Ok(()));
        assert_eq!(check(b"u\xBFytkownik:has\xB3o"), Err(Denied::Username));
    }

    #[test]
    fn an_inactive_definition_lets_nobody_in() {
        let kind =
            SecurityKind::BasicAuth { realm: String::new(), username: "u".to_owned(), password: "p".into() };
        let security = Security::new(1, "users", false, kind).unwrap();
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, basic(b"u:p").parse().unwrap())]);
        assert_eq!(security.check_headers(&headers), Err(Denied::Inactive));
    }

    #[test]
    fn a_realm_is_quoted_and_a_password_is_not_shown() {
        let security = definition("user", "S3cret");
        assert_eq!(security.challenge(), r#"Basic realm="A \"quoted\" realm""#);
        let shown = format!("{security:?} {:?}", Password::from("S3cret"));
        assert!(
            !shown.contains("S3cret") && !shown.contains(&BASE64_STANDARD.encode("user:S3cret")),
            "{shown}"
        );
    }

    #[test]
    fn what_cannot_guard_a_channel_is_refused() {
        let error = Security::new(1, "aws", true, SecurityKind::Other("aws".to_owned())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "security definition [aws]: type aws can't guard a channel; basic_auth and wss can"
        );
        let kind = SecurityKind::BasicAuth {
            realm: "a\nb".to_owned(),
            username: "u".to_owned(),
            password: "p".into(),
        };
        let error = Security::new(1, "users", true, kind).unwrap_err();
        assert_eq!(error, SecurityError::Realm { name: "users".into() });
    }
}
