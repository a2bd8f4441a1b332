//! How often a service was used and how long it took.
//!
//! Owns the counters on the call path: a few loads and stores, no lock, no clock of its own. It must not
//! know where the figures are shown.
//!
//! Each thread counts for itself, since cores that write to the same memory wait for one another. Whoever reads the counters adds
//! them up.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use thread_local::ThreadLocal;

/// Counters of one service since the server's start.
#[derive(Debug)]
pub struct Statistics {
    /// What `last_at` is counted from.
    since: Instant,
    of_threads: ThreadLocal<Box<CachePadded<Counters>>>,
}

/// What one thread has counted.
#[derive(Debug)]
struct Counters {
    usage: AtomicU64,
    failures: AtomicU64,
    timed: AtomicU64,
    last: AtomicU64,
    /// In nanoseconds; tells which thread's `last` is the last one of all.
    last_at: AtomicU64,
    minimum: AtomicU64,
    maximum: AtomicU64,
    total: AtomicU64,
}

impl Default for Statistics {
    fn default() -> Self {
        Self { since: Instant::now(), of_threads: ThreadLocal::new() }
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            usage: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            timed: AtomicU64::new(0),
            last: AtomicU64::new(0),
            last_at: AtomicU64::new(0),
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
    /// Counts a call.
    pub(crate) fn began(&self) {
        add(&self.own().usage, 1);
    }

    pub(crate) fn failed(&self) {
        add(&self.own().failures, 1);
    }

    pub(crate) fn succeeded(&self, ended: Instant, elapsed: Duration) {
        let own = self.own();
        let elapsed = nanoseconds(elapsed);
        add(&own.total, elapsed);
        own.last.store(elapsed, Relaxed);
        own.last_at.store(nanoseconds(ended.saturating_duration_since(self.since)), Relaxed);
        own.minimum.store(own.minimum.load(Relaxed).min(elapsed), Relaxed);
        own.maximum.store(own.maximum.load(Relaxed).max(elapsed), Relaxed);
        // Whoever sees the call counted sees its time, too.
        own.timed.store(own.timed.load(Relaxed).wrapping_add(1), Release);
    }

    /// The counters to which no other thread writes.
    fn own(&self) -> &Counters {
        self.of_threads.get_or_default()
    }

    /// Reads the counters. Each is exact; calls that end meanwhile may show in some of them only.
    pub fn snapshot(&self) -> StatisticsSnapshot {
        let all = || self.of_threads.iter().map(|counters| &***counters);
        let sum = |counter: fn(&Counters) -> &AtomicU64| {
            all().map(|counters| counter(counters).load(Relaxed)).sum::<u64>()
        };
        let timed = || all().filter(|counters| counters.timed.load(Acquire) > 0);
        let time = |counter: &AtomicU64| Duration::from_nanos(counter.load(Relaxed));
        StatisticsSnapshot {
            usage: sum(|counters| &counters.usage),
            failures: sum(|counters| &counters.failures),
            successes: sum(|counters| &counters.timed),
            last: timed()
                .max_by_key(|counters| counters.last_at.load(Relaxed))
                .map(|counters| time(&counters.last)),
            minimum: timed().map(|counters| time(&counters.minimum)).min(),
            maximum: timed().map(|counters| time(&counters.maximum)).max(),
            total: Duration::from_nanos(sum(|counters| &counters.total)),
        }
    }
}

/// Adds to a counter of this thread, which needs no step that other threads could not come between.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(more), Relaxed);
}

/// 2^64 nanoseconds are 584 years, so the cut only matters to the compiler.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn what_threads_have_counted_adds_up() {
        let statistics = Statistics::default();
        let begun = Instant::now();
        let milliseconds = Duration::from_millis;
        // A thread may take over the counters of one that has ended.
        let counted = Barrier::new(3);
        std::thread::scope(|scope| {
            for (first, ended) in [(1, 20), (4, 40), (7, 30)] {
                let (statistics, counted) = (&statistics, &counted);
                scope.spawn(move || {
                    for elapsed in first..first + 3 {
                        statistics.began();
                        statistics.succeeded(begun + milliseconds(ended), milliseconds(elapsed));
                    }
                    statistics.began();
                    statistics.failed();
                    counted.wait();
                });
            }
        });
        let expected = StatisticsSnapshot {
            usage: 12,
            failures: 3,
            successes: 9,
            last: Some(milliseconds(6)),
            minimum: Some(milliseconds(1)),
            maximum: Some(milliseconds(9)),
            total: milliseconds(45),
        };
        assert_eq!(statistics.snapshot(), expected);
    }

    #[test]
    fn the_mean_is_a_mean() {
        let statistics = Statistics::default();
        assert_eq!(statistics.snapshot().mean(), None);
        for milliseconds in [1, 2, 6] {
            statistics.began();
            statistics.succeeded(Instant::now(), Duration::from_millis(milliseconds));
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
