//! Points in time, as the file has them.
//!
//! Owns how times to live become moments of expiry. It must not know what expires.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::command::Expiry;
use crate::error::KvdbError;

/// A point in time: milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(pub(super) u64);

impl Moment {
    /// When entries without a time to live expire.
    pub(super) const NEVER: Self = Self(u64::MAX);

    /// The moment of a time. Clocks that stand before 1970 count as standing there.
    pub(super) fn of(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX - 1))
    }

    /// When something expires for which this is now. A moment before 1970 counts as its beginning.
    pub(super) fn expiry(self, expiry: Expiry) -> Result<Self, KvdbError> {
        let at = match expiry {
            Expiry::At(at) => at,
            Expiry::In(time) => {
                let now = i64::try_from(self.0).map_err(|_| KvdbError::InvalidExpiry)?;
                now.checked_add(time).ok_or(KvdbError::InvalidExpiry)?
            }
        };
        Ok(Self(u64::try_from(at).unwrap_or(0)))
    }

    /// How long from now until then; nothing if it has passed.
    pub(super) fn since(self, now: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(now.0))
    }
}
