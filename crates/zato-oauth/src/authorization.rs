//! The `Authorization` header of a signed request, RFC 5849, section 3.5.1.
//!
//! Owns how it is read and written, and the step from there to a signature that is verified. It must not know which
//! times and nonces are acceptable.

use std::fmt;
use std::fmt::Write as _;

use percent_encoding::percent_decode_str;
use subtle::{Choice, ConstantTimeEq};

use crate::base_string::escaped;
use crate::method::UnknownSignatureMethod;
use crate::{Oversized, Request, SignatureMethod};

/// Who a client is, and the proof.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// Names the client.
    pub consumer_key: &'a str,
    /// What only client and server know.
    pub consumer_secret: &'a str,
    /// Whom the client acts for, as a token and its secret.
    pub token: Option<(&'a str, &'a str)>,
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.map(|(token, _)| token);
        f.debug_struct("Credentials")
            .field("consumer_key", &self.consumer_key)
            .field("token", &token)
            .finish_non_exhaustive()
    }
}

/// What a client says of itself with a request. `Debug` does not show the signature.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorization {
    consumer_key: String,
    token: Option<String>,
    method: SignatureMethod,
    signature: String,
    timestamp: Option<u64>,
    nonce: Option<String>,
    /// Everything that is signed, as it was sent, decoded.
    parameters: Vec<(String, String)>,
}

/// Why a header can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationError {
    /// The header is one of another scheme.
    #[error("the scheme is not OAuth")]
    Scheme,
    /// Something is not `name="value"`.
    #[error("the parameters are not written as name=\"value\", separated by commas")]
    Syntax,
    /// A value is not percent-encoded UTF-8.
    #[error("the value of {name} is not percent-encoded UTF-8")]
    Encoding {
        /// The parameter.
        name: String,
    },
    /// A parameter is there twice, so that it is unclear which one counts.
    #[error("{name} is there twice")]
    Repeated {
        /// The parameter.
        name: String,
    },
    /// A parameter is not there that must be.
    #[error("there is no {name}")]
    Missing {
        /// The parameter.
        name: &'static str,
    },
    /// The version is not 1.0.
    #[error("the version is not 1.0")]
    Version,
    /// The time is not a number of seconds.
    #[error("the timestamp is no positive number")]
    Timestamp,
    /// The signature method is not known.
    #[error(transparent)]
    Method(#[from] UnknownSignatureMethod),
}

impl Authorization {
    /// Reads a header. Time and nonce can only be missing beside [`SignatureMethod::Plaintext`].
    ///
    /// # Errors
    /// The header is not one of OAuth 1.0.
    pub fn parse(header: &str) -> Result<Self, AuthorizationError> {
        let (scheme, rest) = header.trim().split_once([' ', '\t']).ok_or(AuthorizationError::Scheme)?;
        if !scheme.eq_ignore_ascii_case("oauth") {
            return Err(AuthorizationError::Scheme);
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for parameter in parts(rest).map(str::trim).filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').ok_or(AuthorizationError::Syntax)?;
            let quoted = value.trim_start().strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            let value = quoted.ok_or(AuthorizationError::Syntax)?;
            let name = name.trim_end();
            // The realm is for people to read, and not signed.
            if name.eq_ignore_ascii_case("realm") {
                continue;
            }
            if value.contains('"') {
                return Err(AuthorizationError::Syntax);
            }
            let name = decoded(name, name)?;
            let value = decoded(&name, value)?;
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(AuthorizationError::Repeated { name });
            }
            parameters.push((name, value));
        }
        Self::of(parameters)
    }

    fn of(mut parameters: Vec<(String, String)>) -> Result<Self, AuthorizationError> {
        let signature = parameters.iter().position(|(name, _)| name == "oauth_signature");
        let (_, signature) =
            parameters.swap_remove(signature.ok_or(AuthorizationError::Missing { name: "oauth_signature" })?);
        let get = |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let required = |name: &'static str| get(name).ok_or(AuthorizationError::Missing { name });
        let method = required("oauth_signature_method")?.parse::<SignatureMethod>()?;
        if get("oauth_version").is_some_and(|version| version != "1.0") {
            return Err(AuthorizationError::Version);
        }
        let timestamp =
            get("oauth_timestamp").map(|seconds| seconds.parse().map_err(|_| AuthorizationError::Timestamp));
        let timestamp = timestamp.transpose()?;
        let nonce = get("oauth_nonce").filter(|nonce| !nonce.is_empty()).cloned();
        if method != SignatureMethod::Plaintext {
            timestamp.ok_or(AuthorizationError::Missing { name: "oauth_timestamp" })?;
            nonce.as_ref().ok_or(AuthorizationError::Missing { name: "oauth_nonce" })?;
        }
        let consumer_key = required("oauth_consumer_key")?.clone();
        // Some clients send an empty token for none.
        let token = get("oauth_token").filter(|token| !token.is_empty()).cloned();
        Ok(Self { consumer_key, token, method, signature, timestamp, nonce, parameters })
    }

    /// The header of a signed request.
    ///
    /// `timestamp` is in seconds since 1970; `nonce` must be new with each request of the same time.
    ///
    /// # Errors
    /// The request says too much.
    pub fn sign(
        request: &Request<'_>,
        credentials: &Credentials<'_>,
        method: SignatureMethod,
        timestamp: u64,
        nonce: &str,
    ) -> Result<String, Oversized> {
        let timestamp = timestamp.to_string();
        let mut parameters = vec![
            ("oauth_consumer_key", credentials.consumer_key),
            ("oauth_signature_method", method.as_str()),
            ("oauth_timestamp", &timestamp),
            ("oauth_nonce", nonce),
            ("oauth_version", "1.0"),
        ];
        parameters.extend(credentials.token.map(|(token, _)| ("oauth_token", token)));
        let token_secret = credentials.token.map_or("", |(_, secret)| secret);
        let base_string = [&*request.beginning(), &request.parameters(&parameters)?];
        let signature = method.signature(base_string, credentials.consumer_secret, token_secret);
        parameters.push(("oauth_signature", &signature));
        let mut header = String::from("OAuth ");
        for (place, (name, value)) in parameters.iter().enumerate() {
            let separator = if place == 0 { "" } else { ", " };
            // Writing to a string doesn't fail.
            let _ = write!(header, "{separator}{name}=\"{}\"", escaped(value));
        }
        Ok(header)
    }

    /// Whether whoever signed the request knows these secrets; that of the token is empty where there is no token.
    ///
    /// The time that this takes depends on the request, not on the secrets.
    ///
    /// # Errors
    /// The request says too much.
    pub fn verify(
        &self,
        request: &Request<'_>,
        consumer_secret: &str,
        token_secret: &str,
    ) -> Result<bool, Oversized> {
        self.verify_under(&[request.scheme], request, consumer_secret, token_secret)
    }

    /// As [`Self::verify`], whether `http` or `https` is the scheme that was signed: behind a proxy that ends TLS a server can't
    /// know. The scheme of the request does not count.
    ///
    /// # Errors
    /// The request says too much.
    pub fn verify_under_either_scheme(
        &self,
        request: &Request<'_>,
        consumer_secret: &str,
        token_secret: &str,
    ) -> Result<bool, Oversized> {
        self.verify_under(&["http", "https"], request, consumer_secret, token_secret)
    }

    fn verify_under(
        &self,
        schemes: &[&str],
        request: &Request<'_>,
        consumer_secret: &str,
        token_secret: &str,
    ) -> Result<bool, Oversized> {
        let parameters: Vec<_> =
            self.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let parameters = request.parameters(&parameters)?;
        let is_signed = |scheme: &&str| {
            let beginning = Request { scheme, ..*request }.beginning();
            let expected = self.method.signature([&beginning, &parameters], consumer_secret, token_secret);
            expected.as_bytes().ct_eq(self.signature.as_bytes())
        };
        // All are tried, so that the time doesn't tell which one it was.
        Ok(schemes.iter().map(is_signed).fold(Choice::from(0), |either, one| either | one).into())
    }

    /// Who signed the request, as they say.
    #[must_use]
    pub fn consumer_key(&self) -> &str {
        &self.consumer_key
    }

    /// Whom the client acts for, if anybody.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// How the request is signed.
    #[must_use]
    pub fn method(&self) -> SignatureMethod {
        self.method
    }

    /// When it was signed, in seconds since 1970.
    #[must_use]
    pub fn timestamp(&self) -> Option<u64> {
        self.timestamp
    }

    /// What makes the request unlike all others of its time.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("consumer_key", &self.consumer_key)
            .field("token", &self.token)
            .field("method", &self.method)
            .field("timestamp", &self.timestamp)
            .field("nonce", &self.nonce)
            .finish_non_exhaustive()
    }
}

fn decoded(name: &str, text: &str) -> Result<String, AuthorizationError> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| AuthorizationError::Encoding { name: name.to_owned() })
}

/// What stands between commas, those inside of quoted strings not counted (RFC 9110, section 5.6.4).
fn parts(list: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    list.split(move |character| {
        let is_plain = !std::mem::take(&mut is_escaped);
        match character {
            '"' if is_plain => is_quoted = !is_quoted,
            '\\' if is_plain && is_quoted => is_escaped = true,
            _ => {}
        }
        character == ',' && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REQUEST: Request<'_> = Request {
        method: "GET",
        scheme: "http",
        authority: "photos.example.net",
        path: "/photos",
        query: Some("file=vacation.jpg&size=original"),
        form: None,
    };

    /// The example of RFC 5849, section 1.2.
    const HEADER: &str = r#"OAuth realm="Photos",
        oauth_consumer_key="dpf43f3p2l4k3l03",
        oauth_token="nnch734d00sl2jdk",
        oauth_signature_method="HMAC-SHA1",
        oauth_timestamp="137131202",
        oauth_nonce="chapoH",
        oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D""#;

    #[test]
    fn the_example_of_the_rfc() {
        let authorization = Authorization::parse(HEADER).unwrap();
        assert_eq!(authorization.consumer_key(), "dpf43f3p2l4k3l03");
        assert_eq!(authorization.token(), Some("nnch734d00sl2jdk"));
        assert_eq!(authorization.timestamp(), Some(137_131_202));
        assert_eq!(authorization.nonce(), Some("chapoH"));
        let verify = |consumer, token| authorization.verify(&REQUEST, consumer, token).unwrap();
        assert!(verify("kd94hf93k423kf44", "pfkkdhi9sl3r4s00"));
        assert!(!verify("kd94hf93k423kf45", "pfkkdhi9sl3r4s00"));
        assert!(!verify("kd94hf93k423kf44", ""));
        let shown = format!("{authorization:?}");
        assert!(!shown.contains("MdpQcU8iPSU"), "{shown}");
    }

    #[test]
    fn a_server_need_not_know_the_scheme() {
        let credentials = Credentials { consumer_key: "k", consumer_secret: "s", token: None };
        for (scheme, is_either) in [("http", true), ("https", true), ("ws", false)] {
            let signed = Request { scheme, ..REQUEST };
            let header =
                Authorization::sign(&signed, &credentials, SignatureMethod::HmacSha1, 1, "n").unwrap();
            let authorization = Authorization::parse(&header).unwrap();
            assert_eq!(
                authorization.verify_under_either_scheme(&REQUEST, "s", ""),
                Ok(is_either),
                "{scheme}"
            );
            assert_eq!(authorization.verify_under_either_scheme(&signed, "S", ""), Ok(false), "{scheme}");
            assert_eq!(authorization.verify(&REQUEST, "s", ""), Ok(scheme == "http"), "{scheme}");
        }
    }

    #[test]
    fn a_realm_is_any_text() {
        for realm in ["", "Photos, mine", "a \\\" b, c", "a=b", "\\\\"] {
            let header = HEADER.replace("Photos", realm);
            assert_eq!(Authorization::parse(&header).unwrap().consumer_key(), "dpf43f3p2l4k3l03", "{header}");
        }
    }

    #[track_caller]
    fn check(header: &str, expected: &AuthorizationError) {
        assert_eq!(&Authorization::parse(header).unwrap_err(), expected, "{header}");
    }

    #[test]
    fn what_is_no_header_of_oauth() {
        let missing = |name| AuthorizationError::Missing { name };
        check("", &AuthorizationError::Scheme);
        check("OAuth", &AuthorizationError::Scheme);
        check("Basic abc", &AuthorizationError::Scheme);
        check("OAuth abc", &AuthorizationError::Syntax);
        check("OAuth a=b", &AuthorizationError::Syntax);
        check("OAuth a=\"b", &AuthorizationError::Syntax);
        check("OAuth a=\"b\"c\"", &AuthorizationError::Syntax);
        check("OAuth a=\"%FF\"", &AuthorizationError::Encoding { name: "a".to_owned() });
        check("OAuth a=\"1\", a=\"2\"", &AuthorizationError::Repeated { name: "a".to_owned() });
        check("OAuth ,,", &missing("oauth_signature"));
        check(&HEADER.replace("oauth_consumer_key", "other"), &missing("oauth_consumer_key"));
        check(&HEADER.replace("oauth_timestamp", "other"), &missing("oauth_timestamp"));
        check(&HEADER.replace("oauth_nonce", "other"), &missing("oauth_nonce"));
        check(&HEADER.replace("chapoH", ""), &missing("oauth_nonce"));
        check(&HEADER.replace("137131202", "-1"), &AuthorizationError::Timestamp);
        check(
            &HEADER.replace("HMAC-SHA1", "RSA-SHA1"),
            &AuthorizationError::Method(UnknownSignatureMethod("RSA-SHA1".to_owned())),
        );
        check(&HEADER.replace("realm=\"Photos\"", "oauth_version=\"2.0\""), &AuthorizationError::Version);
    }

    #[test]
    fn plaintext_needs_no_nonce() {
        let header = "oauth oauth_consumer_key=\"k\",oauth_signature_method=\"PLAINTEXT\",oauth_signature=\"a%2526b%26\"";
        let authorization = Authorization::parse(header).unwrap();
        assert_eq!(
            (authorization.timestamp(), authorization.nonce(), authorization.token()),
            (None, None, None)
        );
        assert!(authorization.verify(&REQUEST, "a&b", "").unwrap());
        assert!(!authorization.verify(&REQUEST, "a", "b").unwrap());
    }

    proptest! {
        #[test]
        fn what_is_signed_is_verified(
            key in ".{0,10}", secret in ".{0,10}", token in proptest::option::of((".{1,5}", ".{0,5}")), nonce in ".{1,8}",
            query in proptest::option::of("[a-z=&%+]{0,20}"), timestamp: u64, method in 0..3_usize,
        ) {
            let method = [SignatureMethod::HmacSha1, SignatureMethod::HmacSha256, SignatureMethod::Plaintext][method];
            let request = Request { query: query.as_deref(), ..REQUEST };
            let token = token.as_ref().map(|(token, secret)| (token.as_str(), secret.as_str()));
            let credentials = Credentials { consumer_key: &key, consumer_secret: &secret, token };
            let header = Authorization::sign(&request, &credentials, method, timestamp, &nonce).unwrap();
            let read = Authorization::parse(&header).unwrap();
            prop_assert_eq!((read.consumer_key(), read.token()), (key.as_str(), token.map(|(token, _)| token)));
            prop_assert_eq!((read.timestamp(), read.nonce()), (Some(timestamp), Some(nonce.as_str())));
            let token_secret = token.map_or("", |(_, secret)| secret);
            prop_assert!(read.verify(&request, &secret, token_secret).unwrap());
            let longer = format!("{secret}x");
            prop_assert!(!read.verify(&request, &longer, token_secret).unwrap());
            if method != SignatureMethod::Plaintext {
                let other = Request { method: "PUT", ..request };
                prop_assert!(!read.verify(&other, &secret, token_secret).unwrap());
            }
        }

        #[test]
        fn reading_never_fails_otherwise(header in ".{0,80}", parameters in "OAuth [a-z=\",% ]{0,80}") {
            let _ = Authorization::parse(&header);
            let _ = Authorization::parse(&parameters);
        }
    }
}
