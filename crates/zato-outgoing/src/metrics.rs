//! What is counted of a connection's calls.
//!
//! Owns the counters and the form in which they are read. Counting is a few atomic additions, without locks and without
//! allocations but the one at a connection's first call. It knows neither layers nor how counters are shown.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::kind::FailureKind;

const KINDS: usize = FailureKind::ALL.len();

/// The upper bounds of the latency histogram's buckets, in microseconds; there is one more bucket above the last.
const BOUNDS: [u64; 13] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000,
];

/// The counters of one connection.
#[derive(Debug, Default)]
pub struct Metrics(OnceLock<Box<Counters>>);

/// Only the numbers matter, not the order in which they change, so relaxed ordering is enough.
#[derive(Debug, Default)]
struct Counters {
    begun: AtomicU64,
    /// By the first digit of the status, from 1.
    replies: [AtomicU64; 5],
    failures: [AtomicU64; KINDS],
    abandoned: AtomicU64,
    retries: AtomicU64,
    /// In nanoseconds, of all calls.
    queued: AtomicU64,
    buckets: [AtomicU64; BOUNDS.len() + 1],
    /// In nanoseconds, of all calls that ended.
    elapsed: AtomicU64,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Reply(http::StatusCode),
    Failure(FailureKind),
}

impl Counters {
    fn spend(&self, queued: Duration, retries: u32) {
        self.queued.fetch_add(nanoseconds(queued), Ordering::Relaxed);
        if retries > 0 {
            self.retries.fetch_add(retries.into(), Ordering::Relaxed);
        }
    }
}

impl Metrics {
    pub(crate) fn begin(&self) {
        let counters = self.0.get_or_init(Box::default);
        counters.begun.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end(&self, ending: Ending, elapsed: Duration, queued: Duration, retries: u32) {
        let Some(counters) = self.0.get() else { return };
        let elapsed = nanoseconds(elapsed);
        let bucket = BOUNDS.partition_point(|bound| elapsed > bound * 1000);
        counters.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        counters.elapsed.fetch_add(elapsed, Ordering::Relaxed);
        counters.spend(queued, retries);
        match ending {
            Ending::Reply(status) => {
                let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
                counters.replies[class].fetch_add(1, Ordering::Relaxed)
            }
            Ending::Failure(kind) => counters.failures[kind as usize].fetch_add(1, Ordering::Relaxed),
        };
    }

    /// The caller lost interest before the call ended.
    pub(crate) fn abandon(&self, queued: Duration, retries: u32) {
        let Some(counters) = self.0.get() else { return };
        counters.spend(queued, retries);
        counters.abandoned.fetch_add(1, Ordering::Relaxed);
    }

    /// The present numbers. Calls that end at the same time may be in some of them and not yet in others.
    pub fn snapshot(&self) -> MetricsSnapshot {
        let Some(counters) = self.0.get() else { return MetricsSnapshot::default() };
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // What has ended is read before what has begun, so that no call seems to end without having begun.
        let replies = counters.replies.each_ref().map(read);
        let failures = counters.failures.each_ref().map(read);
        let abandoned = read(&counters.abandoned);
        let calls = read(&counters.begun);
        let ended = replies.iter().chain(&failures).sum::<u64>() + abandoned;
        MetricsSnapshot {
            calls,
            in_flight: calls.saturating_sub(ended),
            replies,
            failures,
            abandoned,
            retries: read(&counters.retries),
            queued: Duration::from_nanos(read(&counters.queued)),
            latency: Latency {
                buckets: counters.buckets.each_ref().map(read),
                sum: Duration::from_nanos(read(&counters.elapsed)),
            },
        }
    }
}

/// 2^64 nanoseconds are 584 years, so the cut only matters to the compiler.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The counters of a connection at one moment. All of them but `in_flight` only grow, as long as the connection is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricsSnapshot {
    /// Calls that have begun, with all their attempts and redirects one call each.
    pub calls: u64,
    /// Calls that have begun and not ended.
    pub in_flight: u64,
    /// Calls whose caller lost interest before they ended.
    pub abandoned: u64,
    /// Attempts after the first one.
    pub retries: u64,
    /// How long all calls together have waited for a free connection.
    pub queued: Duration,
    /// How long the calls took which ended.
    pub latency: Latency,
    replies: [u64; 5],
    failures: [u64; KINDS],
}

impl MetricsSnapshot {
    /// Calls that ended in a reply, by the first digit of its status, from 1 to 5.
    pub fn replies(&self) -> impl Iterator<Item = (u8, u64)> {
        (1..).zip(self.replies)
    }

    /// Calls that ended in a failure, by its kind.
    pub fn failures(&self) -> impl Iterator<Item = (FailureKind, u64)> {
        FailureKind::ALL.into_iter().zip(self.failures)
    }
}

/// A histogram of how long calls took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    buckets: [u64; BOUNDS.len() + 1],
    sum: Duration,
}

impl Latency {
    /// The number of calls in each bucket, with the longest time which it counts; the last one has no limit.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<Duration>, u64)> {
        let bounds = BOUNDS.iter().map(|micros| Some(Duration::from_micros(*micros))).chain([None]);
        bounds.zip(self.buckets)
    }

    /// The time of all calls together.
    pub fn sum(&self) -> Duration {
        self.sum
    }

    /// The number of calls.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[test]
    fn calls_are_counted_by_how_they_end() {
        let metrics = Metrics::default();
        assert_eq!(metrics.snapshot(), MetricsSnapshot::default());
        (0..5).for_each(|_| metrics.begin());
        let second = Duration::from_secs(1);
        metrics.end(Ending::Reply(StatusCode::OK), second, Duration::from_millis(3), 0);
        metrics.end(Ending::Reply(StatusCode::NOT_FOUND), second, Duration::ZERO, 2);
        metrics.end(Ending::Failure(FailureKind::Tls), second, Duration::ZERO, 0);
        metrics.abandon(Duration::from_millis(4), 1);
        let snapshot = metrics.snapshot();
        assert_eq!((snapshot.calls, snapshot.in_flight, snapshot.abandoned, snapshot.retries), (5, 1, 1, 3));
        assert_eq!(snapshot.replies().collect::<Vec<_>>(), [(1, 0), (2, 1), (3, 0), (4, 1), (5, 0)]);
        let failures: Vec<_> = snapshot.failures().filter(|(_, count)| *count > 0).collect();
        assert_eq!(failures, [(FailureKind::Tls, 1)]);
        assert_eq!(snapshot.queued, Duration::from_millis(7));
        assert_eq!((snapshot.latency.count(), snapshot.latency.sum()), (3, second * 3));
    }

    #[test]
    fn a_time_falls_into_its_bucket() {
        for (elapsed, bound) in [
            (Duration::ZERO, Some(1_000)),
            (Duration::from_millis(1), Some(1_000)),
            (Duration::from_nanos(1_000_001), Some(2_500)),
            (Duration::from_secs(10), Some(10_000_000)),
            (Duration::from_secs(11), None),
        ] {
            let metrics = Metrics::default();
            metrics.begin();
            metrics.end(Ending::Reply(StatusCode::OK), elapsed, Duration::ZERO, 0);
            let latency = metrics.snapshot().latency;
            let filled: Vec<_> = latency.buckets().filter(|(_, count)| *count > 0).collect();
            assert_eq!(filled, [(bound.map(Duration::from_micros), 1)], "{elapsed:?}");
        }
    }
}
