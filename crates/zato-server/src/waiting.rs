//! How long a connection may leave the server waiting for its next request, or for room for what there is to write.
//!
//! Owns since when a connection of HTTP/1 has waited for a request: from its beginning, or from the end of its last reply, until
//! the head is there; and since when a client, whatever it speaks, has taken nothing of what is written. It must not know how
//! requests are answered, nor what becomes of a connection that waits too long.
//!
//! A call costs one reading of the clock here and no timer: setting one for each request would be more work than to read
//! the request, and hardly any of them would ever run out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

/// What stands in the place of a time while nothing is waited for.
const NOT: u64 = u64::MAX;

/// The time of a connection's beginning. No later wait begins then.
const BEGINNING: u64 = 0;

/// Since when a connection waits. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Waiting(Arc<State>);

#[derive(Debug)]
struct State {
    begun: Instant,
    /// Since when a request is waited for, in nanoseconds after `begun`. The tasks of one connection alone read and write it, each
    /// about itself, so no order to other memory is needed.
    since: AtomicU64,
    /// Since when the client takes nothing, in the same way.
    stuck: AtomicU64,
}

impl Waiting {
    /// A connection that begins now.
    pub(crate) fn new() -> Self {
        Self(Arc::new(State {
            begun: Instant::now(),
            since: AtomicU64::new(BEGINNING),
            stuck: AtomicU64::new(NOT),
        }))
    }

    /// Since when the client is waited for; none while it is not, and where that is not to be limited.
    pub(crate) fn since(&self) -> Option<Instant> {
        let since = self.0.since.load(Relaxed).min(self.0.stuck.load(Relaxed));
        (since != NOT).then(|| self.0.begun + Duration::from_nanos(since))
    }

    /// Since when a request is waited for on a connection on which nothing else is under way; none on one of HTTP/2.
    pub(crate) fn silent_since(&self) -> Option<Instant> {
        if self.0.stuck.load(Relaxed) == NOT { self.since() } else { None }
    }

    /// Whether no head of a request was ever there. A connection of HTTP/2 is no longer new once that is what it speaks.
    pub(crate) fn is_new(&self) -> bool {
        self.0.since.load(Relaxed) == BEGINNING
    }

    /// The connection is not waited for any more, but for what a call that begins on it does at its end.
    pub(crate) fn stop(&self) {
        self.0.since.store(NOT, Relaxed);
    }

    /// Whether the client takes what is written to it, which has just changed. It is given as long for each part as for a request,
    /// and the time for that begins anew.
    pub(crate) fn set_stuck(&self, is_stuck: bool) {
        self.0.stuck.store(if is_stuck { self.now() } else { NOT }, Relaxed);
        if self.0.since.load(Relaxed) != NOT {
            self.begin();
        }
    }

    fn begin(&self) {
        self.0.since.store(self.now().max(BEGINNING + 1), Relaxed);
    }

    /// 64 bits of nanoseconds are more than 500 years.
    fn now(&self) -> u64 {
        self.0.begun.elapsed().as_nanos() as u64
    }

    /// The head of a request is there. The next one is waited for when the result is dropped.
    pub(crate) fn call(&self) -> Call {
        self.stop();
        Call(self.clone())
    }
}

/// Begins the wait for the next request when it is dropped.
pub(crate) struct Call(Waiting);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.begin();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_waits_between_its_calls() {
        let second = Duration::from_secs(1);
        let waiting = Waiting::new();
        let begun = waiting.since().unwrap();
        tokio::time::advance(second).await;
        assert_eq!((waiting.since(), waiting.is_new()), (Some(begun), true));
        let call = waiting.call();
        assert_eq!((waiting.since(), waiting.is_new()), (None, false));
        tokio::time::advance(second).await;
        drop(call);
        assert_eq!((waiting.since(), waiting.is_new()), (Some(begun + 2 * second), false));
        tokio::time::advance(second).await;
        waiting.set_stuck(false);
        assert_eq!(waiting.since(), Some(begun + 3 * second));
        waiting.stop();
        waiting.set_stuck(false);
        assert_eq!(waiting.since(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_waited_for_during_a_call_as_well() {
        let second = Duration::from_secs(1);
        let waiting = Waiting::new();
        let begun = waiting.since().unwrap();
        let call = waiting.call();
        tokio::time::advance(second).await;
        waiting.set_stuck(true);
        assert_eq!(waiting.since(), Some(begun + second));
        tokio::time::advance(second).await;
        waiting.set_stuck(false);
        assert_eq!(waiting.since(), None);
        waiting.set_stuck(true);
        tokio::time::advance(second).await;
        drop(call);
        assert_eq!(waiting.since(), Some(begun + 2 * second));
    }
}
