//! Signatures of JSON Web Tokens, verified with ring.
//!
//! Owns the step from an algorithm's name to its verification. It must not know what tokens say.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use ring::{agreement, hmac};

/// Verifies the algorithms that definitions can name. Nothing is signed here, and no sets of keys are read.
pub(super) static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

/// Whether a public key is a point of the curve P-256 as ring reads it. Only an agreement on a key has that looked at.
pub(super) fn is_of_p256(point: &[u8]) -> bool {
    let random = SystemRandom::new();
    let public = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, point);
    agreement::EphemeralPrivateKey::generate(&agreement::ECDH_P256, &random)
        .and_then(|private| agreement::agree_ephemeral(private, &public, |_| ()))
        .is_ok()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is what the library calls")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> jsonwebtoken::errors::Result<Box<dyn JwtVerifier>> {
    let public = |family, verification: &'static dyn VerificationAlgorithm| {
        if key.family() != family {
            return Err(ErrorKind::InvalidKeyFormat);
        }
        let key = key.try_get_as_bytes().map_err(|_| ErrorKind::InvalidKeyFormat)?;
        Ok(Key::Public(UnparsedPublicKey::new(verification, key.to_vec())))
    };
    let secret = |algorithm| {
        if key.family() != AlgorithmFamily::Hmac {
            return Err(ErrorKind::InvalidKeyFormat);
        }
        let key = key.try_get_as_bytes().map_err(|_| ErrorKind::InvalidKeyFormat)?;
        Ok(Key::Secret(hmac::Key::new(algorithm, key)))
    };
    let key = match algorithm {
        Algorithm::HS256 => secret(hmac::HMAC_SHA256)?,
        Algorithm::HS384 => secret(hmac::HMAC_SHA384)?,
        Algorithm::HS512 => secret(hmac::HMAC_SHA512)?,
        Algorithm::RS256 => public(AlgorithmFamily::Rsa, &RSA_PKCS1_2048_8192_SHA256)?,
        Algorithm::ES256 => public(AlgorithmFamily::Ec, &ECDSA_P256_SHA256_FIXED)?,
        _ => return Err(ErrorKind::UnsupportedAlgorithm.into()),
    };
    Ok(Box::new(SignatureVerifier { algorithm: *algorithm, key }))
}

struct SignatureVerifier {
    algorithm: Algorithm,
    key: Key,
}

enum Key {
    Secret(hmac::Key),
    Public(UnparsedPublicKey<Vec<u8>>),
}

impl Verifier<Vec<u8>> for SignatureVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), Error> {
        let verified = match &self.key {
            Key::Secret(key) => hmac::verify(key, message, signature),
            Key::Public(key) => key.verify(message, signature),
        };
        verified.map_err(|_| Error::new())
    }
}

impl JwtVerifier for SignatureVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
