//! Which nonces were used before.
//!
//! Owns the memory of one security definition, which outlives changes of the definition. It is bounded: whoever can make
//! it grow has proven to know the password, but may be many. It must not know what a nonce is part of.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use ring::digest::{Context, SHA256};
use time::OffsetDateTime;

use super::denied::Denied;

/// The nonces of one security definition.
#[derive(Debug, Default)]
pub(crate) struct Nonces(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// By the time until which they can be used, so that those which can't any more are forgotten first.
    by_end: BTreeSet<(OffsetDateTime, Fingerprint)>,
    seen: HashSet<Fingerprint>,
    /// What can be used until then or shorter may have been forgotten for lack of room, so it isn't accepted any more.
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

/// A nonce that a caller sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nonce {
    pub(super) fingerprint: Fingerprint,
    /// From then on it need not be known: what it came with is refused as too old, or it may be used again.
    pub(super) until: OffsetDateTime,
    /// Beyond so many of its definition the oldest are forgotten, and nothing as old as they is accepted any more.
    pub(super) capacity: usize,
}

impl Nonces {
    /// Takes note of the nonce of a caller who is let in so far, unless it is known.
    ///
    /// That of a caller who isn't is looked up all the same, so that it takes as long to say so, and stays unused.
    pub(super) fn admit(
        &self,
        verdict: Result<(), Denied>,
        nonce: Nonce,
        now: OffsetDateTime,
    ) -> Result<(), Denied> {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = remembered.check(nonce, now);
        let verdict = verdict.and(known);
        if verdict.is_ok() {
            remembered.add(nonce);
        }
        verdict
    }
}

impl Remembered {
    /// Whether a nonce is known, or may have been.
    fn check(&mut self, nonce: Nonce, now: OffsetDateTime) -> Result<(), Denied> {
        while let Some((end, forgotten)) = self.by_end.first().copied()
            && now > end
        {
            self.by_end.pop_first();
            self.seen.remove(&forgotten);
        }
        if self.seen.contains(&nonce.fingerprint) {
            return Err(Denied::Replayed);
        }
        if self.forgotten.is_some_and(|forgotten| nonce.until <= forgotten) {
            return Err(Denied::Stale);
        }
        Ok(())
    }

    fn add(&mut self, nonce: Nonce) {
        self.seen.insert(nonce.fingerprint);
        self.by_end.insert((nonce.until, nonce.fingerprint));
        while self.by_end.len() > nonce.capacity
            && let Some((end, forgotten)) = self.by_end.pop_first()
        {
            self.seen.remove(&forgotten);
            self.forgotten = self.forgotten.max(Some(end));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::Duration;
    use time::macros::datetime;

    use super::*;

    const START: OffsetDateTime = datetime!(2026-05-04 12:00 UTC);

    fn at(seconds: i64) -> OffsetDateTime {
        START + Duration::seconds(seconds)
    }

    /// One that can be used for ten seconds.
    fn nonce(fingerprint: Fingerprint, time: OffsetDateTime, capacity: usize) -> Nonce {
        Nonce { fingerprint, until: time + Duration::seconds(10), capacity }
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
            |text: &[u8], time| nonces.admit(Ok(()), nonce(Fingerprint::of(&[text]), at(time), 2), at(5));
        assert_eq!(admit(b"a", 1), Ok(()));
        assert_eq!(admit(b"b", 2), Ok(()));
        assert_eq!(admit(b"c", 3), Ok(()));
        assert_eq!(admit(b"a", 1), Err(Denied::Stale));
        assert_eq!(admit(b"d", 1), Err(Denied::Stale));
        assert_eq!(admit(b"b", 2), Err(Denied::Replayed));
    }

    #[test]
    fn a_nonce_of_somebody_who_is_refused_stays_unused() {
        let nonces = Nonces::default();
        let admit = |verdict| nonces.admit(verdict, nonce(Fingerprint::of(&[b"a"]), at(0), 1), at(0));
        assert_eq!(admit(Err(Denied::Password)), Err(Denied::Password));
        assert_eq!(admit(Ok(())), Ok(()));
        assert_eq!(admit(Ok(())), Err(Denied::Replayed));
        assert_eq!(admit(Err(Denied::Password)), Err(Denied::Password));
    }

    #[test]
    fn one_that_ends_soon_has_no_other_forgotten() {
        let nonces = Nonces::default();
        let admit = |text: &[u8], until, now| {
            let nonce = Nonce { fingerprint: Fingerprint::of(&[text]), until: at(until), capacity: 9 };
            nonces.admit(Ok(()), nonce, at(now))
        };
        assert_eq!(admit(b"long", 300, 0), Ok(()));
        assert_eq!(admit(b"short", 110, 100), Ok(()));
        assert_eq!(admit(b"short", 121, 111), Ok(()));
        assert_eq!(admit(b"long", 300, 111), Err(Denied::Replayed));
    }

    proptest! {
        /// Within the window no nonce is accepted twice, however many there are, and memory is bounded.
        #[test]
        fn no_nonce_is_accepted_twice(calls in proptest::collection::vec((0..30_u8, 0..8_i64), 1..200), capacity in 1..20_usize) {
            let nonces = Nonces::default();
            let mut accepted = HashSet::new();
            for (step, (text, age)) in calls.into_iter().enumerate() {
                let now = at(i64::try_from(step / 4).unwrap());
                let time = now - Duration::seconds(age);
                // As with OAuth, a nonce is unique together with its time.
                let fingerprint = Fingerprint::of(&[&[text], &time.unix_timestamp().to_be_bytes()]);
                if nonces.admit(Ok(()), nonce(fingerprint, time, capacity), now).is_ok() {
                    prop_assert!(accepted.insert(fingerprint));
                }
                let remembered = nonces.0.lock().unwrap();
                prop_assert!(remembered.seen.len() <= capacity);
                prop_assert_eq!(remembered.seen.len(), remembered.by_end.len());
            }
        }
    }
}
