//! How a signature is computed.
//!
//! Owns the methods and their keys. It must not know what is signed.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
use zeroize::Zeroizing;

use crate::base_string::escaped;

/// The way from secrets and a request to a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureMethod {
    /// RFC 5849, section 3.4.2.
    HmacSha1,
    /// As the former, with SHA-256: not of the RFC, but what many clients offer instead.
    HmacSha256,
    /// RFC 5849, section 3.4.4: the secrets themselves.
    Plaintext,
}

/// A text is not the name of a signature method.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no signature method; there are HMAC-SHA1, HMAC-SHA256 and PLAINTEXT")]
pub struct UnknownSignatureMethod(pub(crate) String);

impl SignatureMethod {
    /// The name that requests use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::Plaintext => "PLAINTEXT",
        }
    }

    /// The signature of a base string in two parts, which the last method doesn't look at.
    pub(crate) fn signature(self, base_string: [&str; 2], consumer: &str, token: &str) -> Zeroizing<String> {
        // Section 3.4.2: the secrets are encoded, and joined even if there is no token.
        let mut key = Zeroizing::new(String::with_capacity(3 * (consumer.len() + token.len()) + 1));
        key.extend(escaped(consumer));
        key.push('&');
        key.extend(escaped(token));
        let algorithm = match self {
            Self::HmacSha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::HmacSha256 => hmac::HMAC_SHA256,
            Self::Plaintext => return key,
        };
        let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm, key.as_bytes()));
        base_string.iter().for_each(|part| context.update(part.as_bytes()));
        Zeroizing::new(BASE64_STANDARD.encode(context.sign()))
    }
}

impl fmt::Display for SignatureMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SignatureMethod {
    type Err = UnknownSignatureMethod;

    fn from_str(name: &str) -> Result<Self, UnknownSignatureMethod> {
        [Self::HmacSha1, Self::HmacSha256, Self::Plaintext]
            .into_iter()
            .find(|method| method.as_str() == name)
            .ok_or_else(|| UnknownSignatureMethod(name.to_owned()))
    }
}
