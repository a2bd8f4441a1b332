//! HTTP Basic authentication, RFC 7617.
//!
//! Owns how the `Authorization` header is read and compared, and the challenge. It must not know channels.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderValue, header};
use zeroize::Zeroizing;

use super::denied::Denied;
use super::secret::{Password, is_same};

/// Credentials are written by many tools; some leave out the padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A user and a password, ready to be compared.
pub(super) struct BasicAuth {
    username: Box<str>,
    password: Password,
    /// The whole header of a caller who writes it the usual way: most calls are decided by one comparison.
    authorization: Zeroizing<Vec<u8>>,
    challenge: HeaderValue,
}

impl BasicAuth {
    /// None if the realm can't stand in a header.
    pub(super) fn new(realm: &str, username: String, password: Password) -> Option<Self> {
        let challenge = challenge(realm)?;
        let credentials = Zeroizing::new(format!("{username}:{}", password.as_str()));
        let authorization =
            Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(credentials.as_bytes())));
        let authorization = Zeroizing::new(authorization.as_bytes().to_vec());
        Some(Self { username: username.into(), password, authorization, challenge })
    }

    pub(super) fn challenge(&self) -> &HeaderValue {
        &self.challenge
    }

    /// The short way is for those who are let in: to whoever is refused anyway, it would tell that the rest was right.
    pub(super) fn check(&self, headers: &HeaderMap, is_active: bool) -> Result<(), Denied> {
        let given =
            headers.get(header::AUTHORIZATION).ok_or_else(|| Denied::NoHeader("Authorization".into()))?;
        let given = given.as_bytes();
        if bool::from(is_same(&self.authorization, given)) && is_active {
            return Ok(());
        }
        // Another spelling of the scheme, padding or spacing, or somebody who may not call. Which of these is for the log.
        let (scheme, encoded) = given.split_at_checked(6).ok_or(Denied::Scheme("Basic"))?;
        if !scheme.eq_ignore_ascii_case(b"basic ") {
            return Err(Denied::Scheme("Basic"));
        }
        let decoded =
            LENIENT.decode(encoded.trim_ascii()).map(Zeroizing::new).map_err(|_| Denied::NotBase64)?;
        let colon = decoded.iter().position(|byte| *byte == b':').ok_or(Denied::NoColon)?;
        let (username, password) = (&decoded[..colon], &decoded[colon + 1..]);
        // Both are compared whatever the first comparison says.
        let is_user = is_same(self.username.as_bytes(), username);
        let is_password = self.password.is(password);
        if bool::from(is_user & is_password) {
            Ok(())
        } else if bool::from(is_user) {
            Err(Denied::Password)
        } else {
            Err(Denied::Username)
        }
    }
}

/// The realm as a quoted string of RFC 9110, section 5.6.4.
fn challenge(realm: &str) -> Option<HeaderValue> {
    let realm = realm.replace('\\', "\\\\").replace('"', "\\\"");
    HeaderValue::from_bytes(format!("Basic realm=\"{realm}\"").as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(username: &str, password: &str) -> BasicAuth {
        BasicAuth::new("A \"quoted\" realm", username.to_owned(), password.into()).unwrap()
    }

    #[track_caller]
    fn check(authorization: Option<&str>, expected: impl Into<Option<Denied>>) {
        let mut headers = HeaderMap::new();
        if let Some(authorization) = authorization {
            headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        }
        let checked = definition("user", "pass:word").check(&headers, true);
        assert_eq!(checked.err(), expected.into(), "{authorization:?}");
    }

    fn basic(credentials: &[u8]) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(credentials))
    }

    #[test]
    fn credentials() {
        check(None, Denied::NoHeader("Authorization".into()));
        check(Some(""), Denied::Scheme("Basic"));
        check(Some("Basic"), Denied::Scheme("Basic"));
        check(Some("Bearer dXNlcjpwYXNzOndvcmQ="), Denied::Scheme("Basic"));
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
        let definition = definition("użytkownik", "hasło");
        let check = |credentials: &[u8]| {
            let headers =
                HeaderMap::from_iter([(header::AUTHORIZATION, basic(credentials).parse().unwrap())]);
            definition.check(&headers, true)
        };
        assert_eq!(check("użytkownik:hasło".as_bytes()), Ok(()));
        assert_eq!(check(b"u\xBFytkownik:has\xB3o"), Err(Denied::Username));
    }

    #[test]
    fn a_realm_is_quoted() {
        assert_eq!(definition("user", "pass").challenge(), r#"Basic realm="A \"quoted\" realm""#);
    }
}
