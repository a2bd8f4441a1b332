//! How many calls there are and how they end.
//!
//! Owns the counters. It must not know what is counted as what: the dispatcher tells.
//!
//! Each thread counts for itself, since cores that write to the same memory wait for one another. Whoever reads the counters adds
//! them up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_utils::CachePadded;
use http::StatusCode;
use thread_local::ThreadLocal;

/// Counters of all calls since the dispatcher was made. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct ChannelStatistics(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Those of the calls that each thread has begun.
    counters: ThreadLocal<Arc<CachePadded<Counters>>>,
    /// Only refused calls take the lock, and there are as many entries as
    /// definitions and reasons, whatever callers send.
    denials: Mutex<BTreeMap<Denial, u64>>,
}

#[derive(Debug, Default)]
struct Counters {
    begun: AtomicU64,
    ended: AtomicU64,
    /// From 1xx to 5xx.
    replies: [AtomicU64; 5],
}

/// A definition's name, its type, and the reason.
type Denial = (Arc<str>, &'static str, &'static str);

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelSnapshot {
    /// Calls that have begun but not ended.
    pub in_flight: u64,
    /// Replies with a 2xx status.
    pub successes: u64,
    /// Replies with a 3xx status.
    pub redirections: u64,
    /// Replies with a 4xx status.
    pub client_errors: u64,
    /// Replies with a 5xx status.
    pub server_errors: u64,
}

/// How often a security definition refused callers for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Denials {
    /// The definition's name.
    pub definition: Arc<str>,
    /// The definition's type, such as `basic_auth`.
    pub security_type: &'static str,
    /// The reason in a word, such as `password`.
    pub reason: &'static str,
    /// The number of calls.
    pub count: u64,
}

impl ChannelStatistics {
    /// The calls that were refused because of their credentials, by definition and reason.
    pub fn denials(&self) -> Vec<Denials> {
        let denials = self.0.denials.lock().unwrap_or_else(PoisonError::into_inner);
        let all = denials.iter().map(|((definition, security_type, reason), count)| Denials {
            definition: Arc::clone(definition),
            security_type,
            reason,
            count: *count,
        });
        all.collect()
    }

    pub(crate) fn denied(&self, definition: &Arc<str>, security_type: &'static str, reason: &'static str) {
        let mut denials = self.0.denials.lock().unwrap_or_else(PoisonError::into_inner);
        *denials.entry((Arc::clone(definition), security_type, reason)).or_default() += 1;
    }

    /// Reads the counters. Each is exact; calls that begin or end meanwhile may show in some of them only.
    pub fn snapshot(&self) -> ChannelSnapshot {
        let sum = |counter: fn(&Counters) -> &AtomicU64| {
            self.0.counters.iter().map(|counters| counter(counters).load(Relaxed)).sum::<u64>()
        };
        // In this order a call that ends meanwhile can't make it look as if more had ended than begun.
        let ended = sum(|counters| &counters.ended);
        let begun = sum(|counters| &counters.begun);
        ChannelSnapshot {
            in_flight: begun.saturating_sub(ended),
            successes: sum(|counters| &counters.replies[1]),
            redirections: sum(|counters| &counters.replies[2]),
            client_errors: sum(|counters| &counters.replies[3]),
            server_errors: sum(|counters| &counters.replies[4]),
        }
    }

    /// Counts a call as in flight until the result is dropped, which also happens when a client goes away.
    pub(crate) fn begin(&self) -> InFlight {
        let counters = self.0.counters.get_or_default();
        counters.begun.fetch_add(1, Relaxed);
        InFlight(Arc::clone(counters))
    }
}

/// A call that has not ended. It is counted by the thread on which it began, wherever it goes on.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<CachePadded<Counters>>);

impl InFlight {
    pub(crate) fn replied(&self, status: StatusCode) {
        if let Some(counter) = self.0.replies.get(usize::from(status.as_u16() / 100) - 1) {
            counter.fetch_add(1, Relaxed);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_once() {
        let statistics = ChannelStatistics::default();
        let first = statistics.begin();
        let second = statistics.begin();
        first.replied(StatusCode::OK);
        drop(first);
        let expected = ChannelSnapshot { in_flight: 1, successes: 1, ..ChannelSnapshot::default() };
        assert_eq!(statistics.snapshot(), expected);
        second.replied(StatusCode::NOT_FOUND);
        drop(second);
        drop(statistics.begin());
        let expected = ChannelSnapshot { successes: 1, client_errors: 1, ..ChannelSnapshot::default() };
        assert_eq!(statistics.snapshot(), expected);
        statistics.begin().replied(StatusCode::from_u16(999).unwrap());
        assert_eq!(statistics.snapshot(), expected);
    }

    #[test]
    fn calls_may_end_on_another_thread_than_they_began_on() {
        let statistics = ChannelStatistics::default();
        let calls = [statistics.begin(), statistics.begin()];
        std::thread::scope(|scope| {
            for call in calls {
                let statistics = &statistics;
                scope.spawn(move || {
                    statistics.begin().replied(StatusCode::NOT_FOUND);
                    call.replied(StatusCode::OK);
                });
            }
        });
        let expected = ChannelSnapshot { successes: 2, client_errors: 2, ..ChannelSnapshot::default() };
        assert_eq!(statistics.snapshot(), expected);
    }
}
