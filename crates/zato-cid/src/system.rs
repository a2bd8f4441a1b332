//! Where a running process gets time and entropy for its ids. The only module that asks the operating system for anything.

use std::hash::{BuildHasher, RandomState};
use std::time::SystemTime;

use crate::{Cid, Form, Generator};

/// A [`Generator`] that reads the system's clock and keeps entropy of the operating system.
#[derive(Debug)]
pub struct SystemGenerator {
    generator: Generator,
    /// The key of a pseudorandom function, drawn from the operating system. Applied to the time of each call, it makes the
    /// random bits without a system call, a lock or a shared counter.
    key: RandomState,
}

impl SystemGenerator {
    /// A generator of ids in `form`. A process needs one; two of them can't see each other's order.
    #[must_use]
    pub fn new(form: Form) -> Self {
        Self { generator: Generator::new(form), key: RandomState::new() }
    }

    /// The form of the ids.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.generator.form()
    }

    /// A new id, greater than all earlier ones of this generator.
    ///
    /// A clock before 1970 counts as 1970.
    pub fn generate(&self) -> Cid {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        // Neither count outgrows 64 bits before the year 2554.
        let (milliseconds, nanoseconds) = (now.as_millis() as u64, now.as_nanos() as u64);
        let high = self.key.hash_one(nanoseconds);
        let low = match self.form() {
            // Its random bits are the first 16 and the last 32 of the entropy, which one number has.
            Form::Decimal96 => high,
            Form::Decimal128 | Form::Base32 => self.key.hash_one(!nanoseconds),
        };
        self.generator.next(milliseconds, u128::from(high) << 64 | u128::from(low))
    }
}
