//! Numbers that are used once and cannot be guessed.
//!
//! Owns the one random seed from which a connection makes all of them, so that a call neither asks the operating system for
//! randomness nor can fail for lack of it. It does not know what they are for.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use ring::hmac::{self, HMAC_SHA256, Key};

use crate::error::Source;

/// The operating system has no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the operating system has no random numbers")]
pub struct NoRandomness(#[source] Source);

/// A source of nonces: a counter, keyed with a random seed.
pub(crate) struct Nonces {
    seed: Key,
    count: AtomicU64,
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonces(..)")
    }
}

impl Nonces {
    /// Takes a seed from the operating system, and that may fail.
    pub(crate) fn seeded() -> Result<Self, NoRandomness> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| NoRandomness(error.into()))?;
        Ok(Self { seed: Key::new(HMAC_SHA256, &seed), count: AtomicU64::new(0) })
    }

    /// The next one, 128 bits.
    pub(crate) fn next(&self) -> [u8; 16] {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let tag = hmac::sign(&self.seed, &count.to_be_bytes());
        let mut nonce = [0; 16];
        nonce.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        nonce
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn none_is_like_another() {
        let (one, other) = (Nonces::seeded().unwrap(), Nonces::seeded().unwrap());
        let made: HashSet<_> = (0..100).flat_map(|_| [one.next(), other.next()]).collect();
        assert_eq!(made.len(), 200);
    }
}
