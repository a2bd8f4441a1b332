//! Secrets that callers must prove to know.
//!
//! Owns how they are kept and compared. It must not know which secret proves what.

use std::fmt;
use std::hint::black_box;

use ring::digest::{SHA256, digest};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

/// A password. Wiped from memory when dropped, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the password.
    pub(crate) fn is(&self, given: &[u8]) -> Choice {
        is_same(self.0.as_bytes(), given)
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

/// A password of which only a salted digest is known: SHA-256 of `<password>:<salt>`.
///
/// The passwords of technical accounts are random or chosen by administrators, and are checked with every call. A digest
/// that is slow on purpose would cost each call more than everything else that it does, and would hand whoever sends
/// wrong passwords a way to keep the server busy. So the digest is a fast one, and guessing is slowed down instead.
#[derive(Clone)]
pub struct SaltedDigest {
    digest: [u8; 32],
    salt: Box<str>,
}

/// A text is not the digest of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the digest of a password is written as 64 hexadecimal digits")]
pub struct InvalidDigest;

impl SaltedDigest {
    /// Computes the digest of a password. The salt should be random and used once.
    pub fn of(password: &Password, salt: impl Into<Box<str>>) -> Self {
        let salt = salt.into();
        Self { digest: salted(password.as_str().as_bytes(), &salt), salt }
    }

    /// A digest that was computed before, as 64 hexadecimal digits.
    ///
    /// # Errors
    /// The text is something else.
    pub fn from_hex(hex: &str, salt: impl Into<Box<str>>) -> Result<Self, InvalidDigest> {
        let mut digest = [0; 32];
        if hex.len() != 2 * digest.len() {
            return Err(InvalidDigest);
        }
        for (byte, pair) in digest.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
            match (value(pair[0]), value(pair[1])) {
                (Some(high), Some(low)) => *byte = high << 4 | low,
                _ => return Err(InvalidDigest),
            }
        }
        Ok(Self { digest, salt: salt.into() })
    }

    /// The digest as 64 hexadecimal digits, in lower case.
    pub fn to_hex(&self) -> Zeroizing<String> {
        let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
        Zeroizing::new(self.digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
    }

    /// Whether it is the digest of this password.
    pub(crate) fn is_of(&self, given: &[u8]) -> Choice {
        salted(given, &self.salt).ct_eq(&self.digest)
    }
}

impl fmt::Debug for SaltedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SaltedDigest(..)")
    }
}

fn salted(password: &[u8], salt: &str) -> [u8; 32] {
    let text = Zeroizing::new([password, b":", salt.as_bytes()].concat());
    let mut digested = [0; 32];
    digested.copy_from_slice(digest(&SHA256, &text).as_ref());
    digested
}

/// Compares in a time that depends on what was given, which the caller knows, and not on the secret or its length.
pub(crate) fn is_same(secret: &[u8], given: &[u8]) -> Choice {
    let is_as_long = secret.len() == given.len();
    // What is not as long is compared with itself, which takes as long. The compiler must not know.
    let expected = black_box(if is_as_long { secret } else { given });
    expected.ct_eq(given) & Choice::from(u8::from(is_as_long))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What `printf secret:salt | sha256sum` prints.
    const DIGEST: &str = "0d1c5262d0f12009e7c8d642e7ce64d9aab57ee706edda569e6d7e3791ae97d3";

    #[test]
    fn digests_are_those_of_stored_accounts() {
        assert_eq!(SaltedDigest::from_hex("e4f8", "salt").unwrap_err(), InvalidDigest);
        assert_eq!(SaltedDigest::from_hex(&"zz".repeat(32), "salt").unwrap_err(), InvalidDigest);
        assert_eq!(SaltedDigest::from_hex(&"ż".repeat(32), "salt").unwrap_err(), InvalidDigest);
        let digest = SaltedDigest::of(&"secret".into(), "salt");
        assert_eq!(digest.to_hex().as_str(), DIGEST);
        let read = SaltedDigest::from_hex(&DIGEST.to_uppercase(), "salt").unwrap();
        assert!(bool::from(read.is_of(b"secret")));
        assert!(!bool::from(read.is_of(b"Secret")));
        assert!(!bool::from(SaltedDigest::from_hex(DIGEST, "pepper").unwrap().is_of(b"secret")));
        assert_eq!(format!("{read:?} {:?}", Password::from("secret")), "SaltedDigest(..) Password(..)");
    }

    proptest! {
        #[test]
        fn only_equal_bytes_are_the_same(secret in proptest::collection::vec(0..3_u8, 0..6), given in proptest::collection::vec(0..3_u8, 0..6)) {
            prop_assert_eq!(bool::from(is_same(&secret, &given)), secret == given);
            prop_assert!(bool::from(is_same(&secret, &secret)));
        }
    }
}
