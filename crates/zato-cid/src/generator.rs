//! The order of generated ids: strictly ascending and without repeats, whatever clock and entropy do. Must not read either.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Cid, Form};

/// Makes ids that ascend strictly, from the time and the entropy that each call passes in.
///
/// An id is a 48-bit count of milliseconds since 1970 followed by random bits: 48 in [`Form::Decimal96`], 80 in the
/// other forms. The first 16 of the random bits count up within a millisecond; the rest are fresh in every id. When
/// they overflow, or when the clock stands still or goes back, counting simply carries on into the milliseconds.
///
/// One generator may be shared by any number of threads without a lock.
#[derive(Debug)]
pub struct Generator {
    form: Form,
    /// Time and count of the last id, see [`tick`]. Everything that makes ids unique is in this one word.
    last: Apart<AtomicU64>,
}

/// Memory to which all threads write, on a cache line that has nothing else which they read.
#[derive(Debug)]
#[repr(align(128))]
struct Apart<T>(T);

/// Times from here on (the year 6429) count as this one. That leaves 2^63 ticks to count up from the
/// latest time, so a generator is never exhausted.
const LATEST_MILLISECONDS: u64 = 1 << 47;

impl Generator {
    /// A generator of ids in `form`.
    #[must_use]
    pub const fn new(form: Form) -> Self {
        Self { form, last: Apart(AtomicU64::new(0)) }
    }

    /// The form of the ids.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// The next id: greater than every id that this generator has returned, on any thread, before the call began.
    ///
    /// `unix_milliseconds` is the time now. It may go back: ids go on ascending from the latest time seen. `entropy` should be
    /// uniformly random and independent of that of other processes; of it depends how unlikely it is that two generators make the
    /// same id, but never whether one generator does.
    pub fn next(&self, unix_milliseconds: u64, entropy: u128) -> Cid {
        let now = tick(unix_milliseconds, entropy);
        // Only this word is shared and no other memory is published with it, so no stronger ordering is needed: all
        // modifications of one atomic have one order.
        let mut tick = now;
        self.last.0.update(Ordering::Relaxed, Ordering::Relaxed, |last| {
            tick = if milliseconds(now) > milliseconds(last) { now } else { last.wrapping_add(1) };
            tick
        });
        let number = match self.form {
            Form::Decimal96 => u128::from(tick) << 32 | u128::from(entropy as u32),
            Form::Decimal128 | Form::Base32 => u128::from(tick) << 64 | u128::from(entropy as u64),
        };
        Cid::from_number(self.form, number)
    }
}

/// A point in time with its count: the milliseconds, then 16 bits that start anywhere and count up from there.
fn tick(unix_milliseconds: u64, entropy: u128) -> u64 {
    let start = (entropy >> 112) as u64;
    unix_milliseconds.min(LATEST_MILLISECONDS) << 16 | start
}

fn milliseconds(tick: u64) -> u64 {
    tick >> 16
}
