//! Callers who bring a token that somebody signed for them.
//!
//! Owns which tokens are accepted: JSON Web Tokens of RFC 7519, as bearer tokens of RFC 6750. It must not know how
//! signatures are computed: `jwt_signature` does that.

use std::sync::Once;
use std::time::Duration;

use http::{HeaderMap, header};
use jsonwebtoken::dangerous::insecure_decode;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use time::OffsetDateTime;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::RSAPublicKey;

use super::denied::Denied;
use super::jwt_signature;
use super::secret::Password;

/// Which tokens are accepted. They must say when they expire.
#[derive(Clone, Debug)]
pub struct Jwt {
    /// What their signature is verified with.
    pub key: JwtKey,
    /// Who must have made them; without this anybody who knows the key.
    pub issuer: Option<String>,
    /// For whom they must be meant. Without this they must be meant for nobody in particular.
    pub audience: Option<String>,
    /// How far the clocks of whoever made a token and of the server may be apart.
    pub leeway: Duration,
}

/// How tokens are signed, and the key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JwtKey {
    /// `HS256`: HMAC with SHA-256 and a secret of at least 32 bytes.
    Hs256(Password),
    /// `HS384`: HMAC with SHA-384 and a secret of at least 48 bytes.
    Hs384(Password),
    /// `HS512`: HMAC with SHA-512 and a secret of at least 64 bytes.
    Hs512(Password),
    /// `RS256`: RSA of PKCS #1 1.5 with SHA-256, and the public key or a certificate in PEM.
    Rs256(String),
    /// `ES256`: ECDSA on P-256 with SHA-256, and the public key or a certificate in PEM.
    Es256(String),
}

/// Why a key can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtKeyError {
    /// The secret could be guessed: RFC 7518, section 3.2, wants as many bytes as the hash has.
    #[error("a secret for {algorithm} has at least {minimum} bytes")]
    Short {
        /// How tokens are signed.
        algorithm: &'static str,
        /// The shortest secret.
        minimum: usize,
    },
    /// The text is no key for the algorithm.
    #[error("the public key can't be read as one in PEM for {0}")]
    Pem(&'static str),
    /// The key is too short or too long: RFC 7518, section 3.3, wants 2,048 bits at least.
    #[error("the public key for RS256 has {found} bits; it should have 2048 to 8192")]
    RsaSize {
        /// The size of the key, in bits.
        found: usize,
    },
    /// The key is one of another curve: RFC 7518, section 3.4, wants P-256. Its point is not compressed.
    #[error("the public key for ES256 is no uncompressed point of the curve P-256")]
    Curve,
}

/// The rules, ready to check tokens.
pub(super) struct JwtCheck {
    key: DecodingKey,
    validation: Validation,
    /// In seconds.
    leeway: f64,
}

/// What is checked here besides what the library checks, because its clock is the system's.
#[derive(Deserialize)]
struct Claims {
    exp: f64,
    nbf: Option<f64>,
}

impl JwtCheck {
    pub(super) fn new(rules: Jwt) -> Result<Self, JwtKeyError> {
        static PROVIDER: Once = Once::new();
        // A program that has chosen another provider keeps it.
        PROVIDER.call_once(|| {
            let _ = jwt_signature::PROVIDER.install_default();
        });
        let (algorithm, key) = match rules.key {
            JwtKey::Hs256(secret) => (Algorithm::HS256, secret_key("HS256", 32, &secret)?),
            JwtKey::Hs384(secret) => (Algorithm::HS384, secret_key("HS384", 48, &secret)?),
            JwtKey::Hs512(secret) => (Algorithm::HS512, secret_key("HS512", 64, &secret)?),
            JwtKey::Rs256(pem) => {
                // The library takes a private key as well, whose owner would have to learn that it is public now.
                if pem.contains("PRIVATE KEY") {
                    return Err(JwtKeyError::Pem("RS256"));
                }
                let key = DecodingKey::from_rsa_pem(pem.as_bytes());
                let key = key.map_err(|_| JwtKeyError::Pem("RS256"))?;
                let (_, parsed) =
                    RSAPublicKey::from_der(bytes(&key)).map_err(|_| JwtKeyError::Pem("RS256"))?;
                let found = parsed.key_size();
                if !(2048..=8192).contains(&found) {
                    return Err(JwtKeyError::RsaSize { found });
                }
                (Algorithm::RS256, key)
            }
            JwtKey::Es256(pem) => {
                let key = DecodingKey::from_ec_pem(pem.as_bytes());
                let key = key.map_err(|_| JwtKeyError::Pem("ES256"))?;
                if !jwt_signature::is_of_p256(bytes(&key)) {
                    return Err(JwtKeyError::Curve);
                }
                (Algorithm::ES256, key)
            }
        };
        let mut validation = Validation::new(algorithm);
        validation.validate_exp = false;
        let mut required = vec!["exp"];
        if let Some(issuer) = &rules.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        if let Some(audience) = &rules.audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        Ok(Self { key, validation, leeway: rules.leeway.as_secs_f64() })
    }

    pub(super) fn check(&self, headers: &HeaderMap, now: OffsetDateTime) -> Result<(), Denied> {
        let given =
            headers.get(header::AUTHORIZATION).ok_or_else(|| Denied::NoHeader("Authorization".into()))?;
        let (scheme, token) = given.as_bytes().split_at_checked(7).ok_or(Denied::Scheme("Bearer"))?;
        if !scheme.eq_ignore_ascii_case(b"bearer ") {
            return Err(Denied::Scheme("Bearer"));
        }
        let token = token.trim_ascii();
        let decoded = decode::<Claims>(token, &self.key, &self.validation);
        if matches!(&decoded, Err(error) if *error.kind() == ErrorKind::InvalidSignature) {
            // What nobody signed is read as well, so that its refusal takes as long as that of what somebody did.
            let _unproven = std::hint::black_box(insecure_decode::<Claims>(token));
        }
        let token = decoded.map_err(denied)?;
        // RFC 7515, section 4.1.11: what these name must be understood, and none of them is.
        if token.header.crit.is_some() {
            return Err(Denied::Unreadable("it has critical extensions".to_owned()));
        }
        let now = now.unix_timestamp() as f64;
        let is_current = now < token.claims.exp + self.leeway
            && token.claims.nbf.is_none_or(|nbf| nbf <= now + self.leeway);
        if is_current { Ok(()) } else { Err(Denied::Stale) }
    }
}

/// What the library has read out of a PEM.
fn bytes(key: &DecodingKey) -> &[u8] {
    key.try_get_as_bytes().unwrap_or_default()
}

fn secret_key(
    algorithm: &'static str,
    minimum: usize,
    secret: &Password,
) -> Result<DecodingKey, JwtKeyError> {
    let secret = secret.as_str().as_bytes();
    if secret.len() < minimum {
        return Err(JwtKeyError::Short { algorithm, minimum });
    }
    Ok(DecodingKey::from_secret(secret))
}

#[expect(clippy::needless_pass_by_value, reason = "it is an adapter for `map_err`, which passes by value")]
fn denied(error: Error) -> Denied {
    match error.kind() {
        ErrorKind::InvalidSignature => Denied::Signature,
        ErrorKind::MissingRequiredClaim(_)
        | ErrorKind::InvalidClaimFormat(_)
        | ErrorKind::InvalidIssuer
        | ErrorKind::InvalidAudience => Denied::Claims(error.to_string()),
        _ => Denied::Unreadable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    use serde_json::{Value, json};
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-05-04 12:00 UTC);
    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn now(offset: i64) -> i64 {
        NOW.unix_timestamp() + offset
    }

    fn part(value: &Value) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
    }

    fn signed(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
        let message = format!("{}.{}", part(header), part(claims));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    fn hmac(name: &str, algorithm: ring::hmac::Algorithm, secret: &str, claims: &Value) -> String {
        let key = ring::hmac::Key::new(algorithm, secret.as_bytes());
        signed(&json!({"alg": name}), claims, |message| ring::hmac::sign(&key, message).as_ref().to_vec())
    }

    fn hs256(secret: &str, claims: &Value) -> String {
        hmac("HS256", ring::hmac::HMAC_SHA256, secret, claims)
    }

    fn of(key: JwtKey) -> Result<JwtCheck, JwtKeyError> {
        JwtCheck::new(Jwt { key, issuer: None, audience: None, leeway: Duration::from_secs(60) })
    }

    fn rules(issuer: Option<&str>, audience: Option<&str>) -> JwtCheck {
        let key = JwtKey::Hs256(SECRET.into());
        let (issuer, audience) = (issuer.map(str::to_owned), audience.map(str::to_owned));
        JwtCheck::new(Jwt { key, issuer, audience, leeway: Duration::from_secs(60) }).unwrap()
    }

    fn checked(check: &JwtCheck, authorization: &str) -> Option<&'static str> {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, authorization.parse().unwrap())]);
        check.check(&headers, NOW).err().map(|denied| denied.reason())
    }

    #[track_caller]
    fn check(rules: &JwtCheck, claims: &Value, expected: impl Into<Option<&'static str>>) {
        let token = hs256(SECRET, claims);
        assert_eq!(checked(rules, &format!("Bearer {token}")), expected.into(), "{claims}");
    }

    #[test]
    fn tokens_expire() {
        let any = rules(None, None);
        check(&any, &json!({"exp": now(1)}), None);
        check(&any, &json!({"exp": now(-59)}), None);
        check(&any, &json!({"exp": now(-59) as f64 + 0.5}), None);
        check(&any, &json!({"exp": now(-60)}), "stale");
        check(&any, &json!({"exp": now(100), "nbf": now(60)}), None);
        check(&any, &json!({"exp": now(100), "nbf": now(61)}), "stale");
        check(&any, &json!({}), "malformed");
        check(&any, &json!({"exp": "tomorrow"}), "malformed");
        check(&any, &json!({"exp": null}), "malformed");
        check(&any, &json!({"exp": now(100), "nbf": "now"}), "malformed");
    }

    #[test]
    fn tokens_say_by_whom_and_for_whom_they_are() {
        let some = rules(Some("idp"), Some("esb"));
        let claims = |iss: Value, aud: Value| json!({"exp": now(100), "iss": iss, "aud": aud});
        check(&some, &claims(json!("idp"), json!("esb")), None);
        check(&some, &claims(json!("idp"), json!(["crm", "esb"])), None);
        check(&some, &claims(json!("IDP"), json!("esb")), "claims");
        check(&some, &claims(json!("idp"), json!("crm")), "claims");
        check(&some, &claims(json!("idp"), json!([])), "claims");
        check(&some, &claims(json!(null), json!("esb")), "claims");
        check(&some, &json!({"exp": now(100), "iss": "idp"}), "claims");
        let any = rules(None, None);
        check(&any, &json!({"exp": now(100), "iss": "anybody"}), None);
        check(&any, &json!({"exp": now(100), "aud": "crm"}), "claims");
    }

    #[test]
    fn what_is_no_token_of_ours() {
        let any = rules(None, None);
        let claims = json!({"exp": now(100)});
        let right = hs256(SECRET, &claims);
        let hs = json!({"alg": "HS256"});
        let [header, payload, signature] = right.split('.').collect::<Vec<_>>().try_into().unwrap();
        let unsigned = |header: &Value| format!("Bearer {}.{payload}.", part(header));
        for (authorization, expected) in [
            (format!("Bearer {right}"), None),
            (format!("bearer  {right} "), None),
            ("Basic dTpw".to_owned(), Some("malformed")),
            ("Bearer".to_owned(), Some("malformed")),
            ("Bearer ".to_owned(), Some("malformed")),
            ("Bearer a.b.c".to_owned(), Some("malformed")),
            (format!("Bearer {header}.{payload}"), Some("malformed")),
            (format!("Bearer {right}.{signature}"), Some("malformed")),
            (format!("Bearer {header}.{payload}.{signature}A"), Some("signature")),
            (format!("Bearer {header}.{payload}."), Some("signature")),
            (format!("Bearer {header}.{}.{signature}", part(&json!({"exp": now(1_000)}))), Some("signature")),
            (unsigned(&json!({"alg": "none"})), Some("malformed")),
            (unsigned(&json!({"alg": "ES256"})), Some("malformed")),
            (unsigned(&json!({"alg": "HS512"})), Some("malformed")),
            (format!("Bearer {}", hs256("fedcba9876543210fedcba9876543210", &claims)), Some("signature")),
        ] {
            assert_eq!(checked(&any, &authorization), expected, "{authorization}");
        }
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
        let mut critical = hs;
        critical["crit"] = json!(["exp"]);
        let token = signed(&critical, &claims, |message| ring::hmac::sign(&key, message).as_ref().to_vec());
        assert_eq!(checked(&any, &format!("Bearer {token}")), Some("malformed"));
        assert_eq!(any.check(&HeaderMap::new(), NOW), Err(Denied::NoHeader("Authorization".into())));
    }

    #[test]
    fn secrets_are_as_long_as_the_hash() {
        use ring::hmac::{HMAC_SHA256, HMAC_SHA384, HMAC_SHA512};
        let claims = json!({"exp": now(100)});
        for (key, name, minimum) in [
            (JwtKey::Hs256 as fn(Password) -> JwtKey, "HS256", 32),
            (JwtKey::Hs384, "HS384", 48),
            (JwtKey::Hs512, "HS512", 64),
        ] {
            let secret = "s".repeat(minimum);
            let check = of(key(secret.as_str().into())).unwrap();
            for (other, other_algorithm) in
                [("HS256", HMAC_SHA256), ("HS384", HMAC_SHA384), ("HS512", HMAC_SHA512)]
            {
                let token = hmac(other, other_algorithm, &secret, &claims);
                let expected = (other != name).then_some("malformed");
                assert_eq!(checked(&check, &format!("Bearer {token}")), expected, "{other} for {name}");
            }
            let short = of(key(secret[1..].into())).err();
            assert_eq!(short, Some(JwtKeyError::Short { algorithm: name, minimum }));
        }
    }

    #[test]
    fn clocks_may_be_apart_by_the_leeway() {
        let key = JwtKey::Hs256(SECRET.into());
        let strict = Jwt { key, issuer: None, audience: None, leeway: Duration::ZERO };
        let strict = JwtCheck::new(strict).unwrap();
        check(&strict, &json!({"exp": now(1), "nbf": now(0)}), None);
        check(&strict, &json!({"exp": now(0)}), "stale");
        check(&strict, &json!({"exp": now(10), "nbf": now(1)}), "stale");
    }

    const RSA_KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
        MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAsAqDrC0E+RkNYlZT13jb\n\
        b0mbt0OsRqikmh4d5lX+X6UPNLhaAJ+npc/iMauHdGzdYMcUdi8aZUR7sAGzQuRi\n\
        lHi55vq8pFBwB9CEnTV8VG3xaavqd0hJvvLl1grrmrRIy/5PVr2VCJxtTGN+fE/Q\n\
        TmedqVYXKN9cdond5MeEfGMm0s0LhkRBUGle/qVqVN1gq9+LtYYYH7OD0wXJUCF3\n\
        0CLVPCIYCdaGUBBshrfup5mfXHfGHGmd5gc48+TyqxPwxOj9b/TNWRc/nrbMnEsN\n\
        MkrudSwKftTWhIiTXstrilo6GEcWdXWjqFBmqidutAgrZhgoHjK5bMBtS1495JeX\n\
        WwIDAQAB\n\
        -----END PUBLIC KEY-----";

    const SHORT_RSA_KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
        MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDFQ1FaMMBNinZQ6PTqKVnnBtBv\n\
        HvzLyJukId/vUFu+5qJ2Ps0UmhzVVXbqdoyX89Kjs/Jh8cBO9iBJoCtQp/v+OAEr\n\
        oskuWEVB9GgSbDHD+wwBT64pn45R04xf67OuzoAnbfsBIxKWkwHavw0qUDXSM5/E\n\
        iNKrCxog6DU/mM/QdQIDAQAB\n\
        -----END PUBLIC KEY-----";

    /// Expires in the year 2100.
    const RSA_TOKEN: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDB9.GuybTYotM__GI15ds1mRhgO8LZdZLOOgRwJIEzxO31hDIHRc\
        -stNEOLcbxoLkPqiaq95g5qrk2Zr-YUFQ-U4tqITGXm0MynqTNk6-CflaXTHPuZRdWBpw7SqIyarF8euXm54M3AIaBCjDdfHSpGW6OmJj5aqea\
        Up4_WqIBiz-sQ5Pa3bXGFvc1wHkPcXJw4zjF5S0MlSMlymQ1dROvwskjYI5AUuKj6hhCpTdHnkdl9hZd3YVgijBsVLdVwrbHT8yVCUnzNic_Zi\
        -TzjZ5H2v9v9u6hVzI4xzBJ1VZNZYVuBKu75hUKfVJbXgxdJYnl6BhiqCW5Atd0QJydzWPPEbQ";

    #[test]
    fn public_keys() {
        let pair = rcgen::KeyPair::generate().unwrap();
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pair.serialize_der(), &random)
            .unwrap();
        let sign = |message: &[u8]| key.sign(&random, message).unwrap().as_ref().to_vec();
        let token = signed(&json!({"alg": "ES256"}), &json!({"exp": now(100)}), sign);
        let (ec, rsa) = (of(JwtKey::Es256(pair.public_key_pem())), of(JwtKey::Rs256(RSA_KEY.to_owned())));
        let (ec, rsa) = (ec.unwrap(), rsa.unwrap());
        assert_eq!(checked(&ec, &format!("Bearer {token}")), None);
        assert_eq!(checked(&rsa, &format!("Bearer {RSA_TOKEN}")), None);
        assert_eq!(checked(&rsa, &format!("Bearer {token}")), Some("malformed"));
        let mut changed = RSA_TOKEN.to_owned();
        changed.replace_range(RSA_TOKEN.len() - 10..RSA_TOKEN.len() - 9, "-");
        assert_eq!(checked(&rsa, &format!("Bearer {changed}")), Some("signature"));
        // A public key is no secret: whoever knows it can't sign with it.
        let forged = hs256(RSA_KEY, &json!({"exp": now(100)}));
        assert_eq!(checked(&rsa, &format!("Bearer {forged}")), Some("malformed"));

        assert_eq!(of(JwtKey::Rs256(pair.public_key_pem())).err(), Some(JwtKeyError::Pem("RS256")));
        assert_eq!(of(JwtKey::Es256(RSA_KEY.to_owned())).err(), Some(JwtKeyError::Pem("ES256")));
        assert_eq!(of(JwtKey::Es256(String::new())).err(), Some(JwtKeyError::Pem("ES256")));
        let private = |label: &str| format!("-----BEGIN {label}-----\nMAA=\n-----END {label}-----");
        for label in ["PRIVATE KEY", "RSA PRIVATE KEY"] {
            assert_eq!(of(JwtKey::Rs256(private(label))).err(), Some(JwtKeyError::Pem("RS256")));
        }
    }

    /// Their tokens would all be refused, without anybody knowing why.
    #[test]
    fn public_keys_have_a_size() {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        assert_eq!(of(JwtKey::Es256(pair.public_key_pem())).err(), Some(JwtKeyError::Curve));
        let short = of(JwtKey::Rs256(SHORT_RSA_KEY.to_owned())).err();
        assert_eq!(short, Some(JwtKeyError::RsaSize { found: 1024 }));
    }
}
