//! What a stored security definition means to channels.
//!
//! Owns the translation, which both validates a definition before it is stored and puts it in effect afterwards. It must
//! not read the database, nor know how callers are checked.

use std::sync::Arc;
use std::time::Duration;

use zato_channel::{
    CertificateRules, Jwt, JwtKey, OAuth, Password, SaltedDigest, Security, WsSecurity, XPath,
};
use zato_odb::model::{SecurityDefinition, SecurityKind};
use zato_service::Error;

use super::convert::{at_least_one, call_limits, credentials};
use crate::error::not_allowed;
use crate::value::within;

/// How far clocks may be apart when nothing is said, in seconds.
const LEEWAY: i32 = 60;

/// How far they may be at most: beyond, an expiry would mean nothing.
const LONGEST_LEEWAY: i32 = 3600;

/// Whether definitions of a type can guard channels. The others are for outgoing connections alone.
pub(crate) fn guards_channels(kind: &SecurityKind) -> bool {
    !matches!(
        kind,
        SecurityKind::Aws | SecurityKind::Ntlm | SecurityKind::OpenStack | SecurityKind::TlsKeyCert { .. }
    )
}

/// Says whether a definition can guard channels, if it is of a type that does.
pub(crate) fn check_guard(definition: &SecurityDefinition) -> Result<(), Error> {
    if guards_channels(&definition.kind) { channel_security(definition).map(drop) } else { Ok(()) }
}

/// A definition as channels check callers against it. One that still has to get a password lets nobody in.
pub(crate) fn channel_security(definition: &SecurityDefinition) -> Result<Arc<Security>, Error> {
    let (username, password) = credentials(definition);
    let kind = match &definition.kind {
        SecurityKind::BasicAuth { realm } => zato_channel::SecurityKind::BasicAuth {
            realm: realm.clone(),
            username,
            password: password.expose().into(),
        },
        SecurityKind::WsSecurity {
            reject_empty_nonce_creat,
            reject_stale_tokens,
            reject_expiry_limit,
            nonce_freshness_time,
            ..
        } => zato_channel::SecurityKind::WsSecurity(WsSecurity {
            username,
            password: password.expose().into(),
            reject_empty_nonce_creat: *reject_empty_nonce_creat,
            reject_stale_tokens: reject_stale_tokens.unwrap_or_default(),
            reject_expiry_limit: Duration::from_secs((*reject_expiry_limit).try_into().unwrap_or(0)),
            nonce_freshness_time: Duration::from_secs(
                nonce_freshness_time.unwrap_or_default().try_into().unwrap_or(0),
            ),
        }),
        SecurityKind::ApiKey => {
            zato_channel::SecurityKind::ApiKey { header: username, key: password.expose().into() }
        }
        SecurityKind::TechnicalAccount { salt } => {
            let digest = match &definition.password {
                Some(digest) => SaltedDigest::from_hex(digest.expose(), salt.as_str())
                    .map_err(|error| Error::internal(error.to_string()))?,
                None => SaltedDigest::of(&"".into(), salt.as_str()),
            };
            zato_channel::SecurityKind::TechnicalAccount { password: digest }
        }
        SecurityKind::OAuth { proto_version, sig_method, max_nonce_log } => {
            if proto_version != "1.0" {
                return Err(not_allowed("proto_version", proto_version, "1.0"));
            }
            zato_channel::SecurityKind::OAuth(OAuth {
                consumer_key: username,
                consumer_secret: password.expose().into(),
                signature_method: sig_method.parse().map_err(|_| {
                    not_allowed("sig_method", sig_method, "HMAC-SHA1, HMAC-SHA256 or PLAINTEXT")
                })?,
                max_nonces: at_least_one("max_nonce_log", *max_nonce_log)?,
            })
        }
        SecurityKind::XPath { username_expr, password_expr } => zato_channel::SecurityKind::XPath(XPath {
            username,
            username_expr: username_expr.clone(),
            password: password.expose().into(),
            password_expr: password_expr.clone(),
        }),
        SecurityKind::TlsChannel { value } => {
            let rules: Result<CertificateRules, _> = value.expose().parse();
            let rules = rules.map_err(|error| Error::bad_request(error.to_string()))?;
            zato_channel::SecurityKind::ClientCertificate(rules)
        }
        SecurityKind::Jwt { algorithm, public_key, issuer, audience, leeway } => {
            let leeway = leeway.unwrap_or(LEEWAY);
            within("leeway", leeway, &(0..=LONGEST_LEEWAY))?;
            zato_channel::SecurityKind::Jwt(Jwt {
                key: jwt_key(algorithm, password.expose(), public_key.as_deref())?,
                issuer: issuer.clone(),
                audience: audience.clone(),
                leeway: Duration::from_secs(leeway.unsigned_abs().into()),
            })
        }
        other => zato_channel::SecurityKind::Other(other.security_type().as_str().to_owned()),
    };
    let has_proof =
        definition.password.is_some() || matches!(definition.kind, SecurityKind::TlsChannel { .. });
    let is_active = definition.is_active && has_proof;
    let limits = call_limits(definition.rate_limit.as_ref(), definition.max_in_flight)?;
    let security = Security::new(definition.id, definition.name.as_str(), is_active, kind)
        .map_err(|error| Error::bad_request(error.to_string()))?;
    Ok(Arc::new(security.with_limits(limits)))
}

/// The key of an algorithm: a secret or a public key, and never one that would be stored and not used.
fn jwt_key(algorithm: &str, secret: &str, public_key: Option<&str>) -> Result<JwtKey, Error> {
    let with_secret: Option<fn(Password) -> JwtKey> = match algorithm {
        "HS256" => Some(JwtKey::Hs256),
        "HS384" => Some(JwtKey::Hs384),
        "HS512" => Some(JwtKey::Hs512),
        _ => None,
    };
    let with_public_key: Option<fn(String) -> JwtKey> = match algorithm {
        "RS256" => Some(JwtKey::Rs256),
        "ES256" => Some(JwtKey::Es256),
        _ => None,
    };
    match (with_secret, with_public_key, public_key) {
        (Some(key), _, None) => Ok(key(secret.into())),
        (_, Some(key), Some(public_key)) => Ok(key(public_key.to_owned())),
        (Some(_), _, Some(_)) => {
            Err(Error::bad_request(format!("{algorithm} has a secret and no public_key")))
        }
        (_, Some(_), None) => Err(Error::bad_request(format!("{algorithm} needs a public_key"))),
        (None, None, _) => Err(not_allowed("algorithm", algorithm, "HS256, HS384, HS512, RS256 or ES256")),
    }
}
