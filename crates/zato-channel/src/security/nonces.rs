//! Which nonces were used before.
//!
//! Owns the memory of one security definition, which outlives changes of the definition. It is bounded: whoever can make
//! it grow has proven to know the password, but may be many. It must not know what a nonce is part of.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use ring::digest::{Context, SHA256};
use time::{Duration, OffsetDateTime};

use super::denied::Denied;

/// The nonces of one security definition.
#[derive(Debug, Default)]
pub(crate) struct Nonces(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// By time, so that the oldest are forgotten first.
    by_time: BTreeSet<(OffsetDateTime, Fingerprint)>,
    seen: HashSet<Fingerprint>,
    /// What is as old as this may have been forgotten for lack of room, so it isn't accepted any more.
    forgotten: Option<OffsetDateTime>,
}

/// A nonce, together with all that it must be unique with. As long as it is short, so that memory is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Fingerprint([u8; 16]);

impl Fingerprint {
    pub(super) fn of(parts: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in parts {
            // Lengths keep what ends one part from being taken for the beginning of the next.
            context.update(&part.len().to_be_bytes());
            context.update(part);
        }
        let digest = context.finish();
        let mut short = [0; 16];
        short.copy_from_slice(&digest.as_ref()[..16]);
        Self(short)
    }
}

/// How long nonces are remembered, and how many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retention {
    /// What is older than this is refused elsewhere, or need not be known any more.
    pub(super) window: Duration,
    /// Beyond this the oldest are forgotten, and nothing as old as they is accepted any more.
    pub(super) capacity: usize,
}

impl Nonces {
    /// Takes note of a nonce from `time`, unless it is known.
    pub(super) fn admit(
        &self,
        nonce: Fingerprint,
        time: OffsetDateTime,
        now: OffsetDateTime,
        retention: Retention,
    ) -> Result<(), Denied> {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((oldest, forgotten)) = remembered.by_time.first().copied()
            && now - oldest > retention.window
        {
            remembered.by_time.pop_first();
            remembered.seen.remove(&forgotten);
        }
        if remembered.seen.contains(&nonce) {
            return Err(Denied::Replayed);
        }
        if remembered.forgotten.is_some_and(|forgotten| time <= forgotten) {
            return Err(Denied::Stale);
        }
        remembered.seen.insert(nonce);
        remembered.by_time.insert((time, nonce));
        while remembered.by_time.len() > retention.capacity
            && let Some((oldest, forgotten)) = remembered.by_time.pop_first()
        {
            remembered.seen.remove(&forgotten);
            remembered.forgotten = remembered.forgotten.max(Some(oldest));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    const START: OffsetDateTime = datetime!(2026-05-04 12:00 UTC);

    fn at(seconds: i64) -> OffsetDateTime {
        START + Duration::seconds(seconds)
    }

    fn retention(capacity: usize) -> Retention {
        Retention { window: Duration::seconds(10), capacity }
    }

    #[test]
    fn parts_are_told_apart() {
        assert_ne!(Fingerprint::of(&[b"ab", b"c"]), Fingerprint::of(&[b"a", b"bc"]));
        assert_eq!(Fingerprint::of(&[b"ab", b"c"]), Fingerprint::of(&[b"ab", b"c"]));
    }

    #[test]
    fn what_was_forgotten_for_lack_of_room_is_refused() {
        let nonces = Nonces::default();
        let admit =
            |nonce: &[u8], time| nonces.admit(Fingerprint::of(&[nonce]), at(time), at(5), retention(2));
        assert_eq!(admit(b"a", 1), Ok(()));
        assert_eq!(admit(b"b", 2), Ok(()));
        assert_eq!(admit(b"c", 3), Ok(()));
        assert_eq!(admit(b"a", 1), Err(Denied::Stale));
        assert_eq!(admit(b"d", 1), Err(Denied::Stale));
        assert_eq!(admit(b"b", 2), Err(Denied::Replayed));
    }

    proptest! {
        /// Within the window no nonce is accepted twice, however many there are, and memory is bounded.
        #[test]
        fn no_nonce_is_accepted_twice(calls in proptest::collection::vec((0..30_u8, 0..8_i64), 1..200), capacity in 1..20_usize) {
            let nonces = Nonces::default();
            let mut accepted = HashSet::new();
            for (step, (nonce, age)) in calls.into_iter().enumerate() {
                let now = at(i64::try_from(step / 4).unwrap());
                let time = now - Duration::seconds(age);
                // As with OAuth, a nonce is unique together with its time.
                let fingerprint = Fingerprint::of(&[&[nonce], &time.unix_timestamp().to_be_bytes()]);
                if nonces.admit(fingerprint, time, now, retention(capacity)).is_ok() {
                    prop_assert!(accepted.insert(fingerprint));
                }
                let remembered = nonces.0.lock().unwrap();
                prop_assert!(remembered.seen.len() <= capacity);
                prop_assert_eq!(remembered.seen.len(), remembered.by_time.len());
            }
        }
    }
}
