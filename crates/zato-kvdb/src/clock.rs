//! What time it is.
//!
//! Owns the clock that expiry goes by, so that tests can turn it. It must not know what expires.

use std::fmt::Debug;
use std::time::SystemTime;

/// A clock of the time of day: keys expire also while no server runs, which monotonic clocks cannot tell.
pub trait Clock: Debug + Send + Sync {
    /// The present time.
    fn now(&self) -> SystemTime;
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}
