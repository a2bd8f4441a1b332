//! How often a service was used and how long it took.
//!
//! Owns the counters on the call path: a few relaxed atomic operations, no lock, no clock of its own. It must not
//! know where the figures are shown.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Counters of one service since the server's start.
#[derive(Debug)]
pub struct Statistics {
    usage: AtomicU64,
    failures: AtomicU64,
    timed: AtomicU64,
    last: AtomicU64,
    minimum: AtomicU64,
    maximum: AtomicU64,
    total: AtomicU64,
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            usage: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            timed: AtomicU64::new(0),
            last: AtomicU64::new(0),
            minimum: AtomicU64::new(u64::MAX),
            maximum: AtomicU64::new(0),
            total: AtomicU64::new(0),
        }
    }
}

/// The counters at one moment. Times are those of successful calls only; none are known before the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatisticsSnapshot {
    /// Calls begun, failed ones included.
    pub usage: u64,
    /// Calls that ended in an error.
    pub failures: u64,
    /// Calls that succeeded.
    pub successes: u64,
    /// The most recent processing time.
    pub last: Option<Duration>,
    /// The shortest processing time.
    pub minimum: Option<Duration>,
    /// The longest processing time.
    pub maximum: Option<Duration>,
    /// The sum of all processing times.
    pub total: Duration,
}

impl StatisticsSnapshot {
    /// The arithmetic mean of the processing times.
    pub fn mean(&self) -> Option<Duration> {
        (self.successes > 0).then(|| self.total.div_f64(self.successes as f64))
    }
}

impl Statistics {
    /// Counts a call and returns its number, from 1.
    pub(crate) fn began(&self) -> u64 {
        self.usage.fetch_add(1, Relaxed) + 1
    }

    pub(crate) fn failed(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    pub(crate) fn succeeded(&self, elapsed: Duration) {
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.timed.fetch_add(1, Relaxed);
        self.total.fetch_add(nanoseconds, Relaxed);
        self.last.store(nanoseconds, Relaxed);
        // The extremes settle after a few calls; reading first keeps their cache lines shared from then on.
        if nanoseconds < self.minimum.load(Relaxed) {
            self.minimum.fetch_min(nanoseconds, Relaxed);
        }
        if nanoseconds > self.maximum.load(Relaxed) {
            self.maximum.fetch_max(nanoseconds, Relaxed);
        }
    }

    /// Reads the counters. Each is exact; calls that end meanwhile may show in some of them only.
    pub fn snapshot(&self) -> StatisticsSnapshot {
        let successes = self.timed.load(Relaxed);
        let time = |counter: &AtomicU64| (successes > 0).then(|| Duration::from_nanos(counter.load(Relaxed)));
        StatisticsSnapshot {
            usage: self.usage.load(Relaxed),
            failures: self.failures.load(Relaxed),
            successes,
            last: time(&self.last),
            minimum: time(&self.minimum),
            maximum: time(&self.maximum),
            total: Duration::from_nanos(self.total.load(Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_a_mean() {
        let statistics = Statistics::default();
        assert_eq!(statistics.snapshot().mean(), None);
        for milliseconds in [1, 2, 6] {
            statistics.began();
            statistics.succeeded(Duration::from_millis(milliseconds));
        }
        statistics.began();
        statistics.failed();
        let snapshot = statistics.snapshot();
        assert_eq!((snapshot.usage, snapshot.successes, snapshot.failures), (4, 3, 1));
        assert_eq!(snapshot.mean(), Some(Duration::from_millis(3)));
        assert_eq!(snapshot.minimum, Some(Duration::from_millis(1)));
        assert_eq!(snapshot.maximum, Some(Duration::from_millis(6)));
        assert_eq!(snapshot.last, Some(Duration::from_millis(6)));
    }
}
