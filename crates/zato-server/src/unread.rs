//! Replies of HTTP/2 that lie there until their client makes room for them.
//!
//! Owns since when they do. A reply has a window of its own there (RFC 9113, section 5.2), and a client that answers every ping may
//! keep it shut for ever. It must not know what is in a reply, nor what becomes of such a client.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How much of its wait a client makes good by taking what there was of a reply. Whoever takes a little now and then keeps the rest
/// in memory as well as one who takes nothing.
const CREDIT: Duration = Duration::from_secs(1);

/// The replies of one connection. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnreadReplies(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    /// Since when, and the number that tells replies of one moment apart.
    replies: BTreeSet<(Instant, u64)>,
    last: u64,
}

impl UnreadReplies {
    /// Since when the reply lies there that has waited for its client for the longest time, less [`CREDIT`] for each part that was
    /// taken of it.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.lock().replies.first().map(|(since, _)| *since)
    }

    /// A reply that the client has to make room for, from now on.
    pub(crate) fn add(&self) -> UnreadReply {
        let mut reply = UnreadReply { all: self.clone(), place: None, waited: Duration::ZERO };
        reply.wait();
        reply
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reply. It is not waited for any more when this is dropped.
#[derive(Debug)]
pub(crate) struct UnreadReply {
    all: UnreadReplies,
    /// Absent while the client has nothing to make room for.
    place: Option<(Instant, u64)>,
    /// How long the client has been waited for, less what it made good.
    waited: Duration,
}

impl UnreadReply {
    /// The client has taken what there was, and has to make room for what there is now.
    pub(crate) fn wait(&mut self) {
        self.pause();
        let mut waiting = self.all.lock();
        waiting.last += 1;
        let place = (Instant::now() - self.waited, waiting.last);
        waiting.replies.insert(place);
        self.place = Some(place);
    }

    /// The client has taken what there was, and the rest has yet to be made.
    pub(crate) fn pause(&mut self) {
        if let Some(place) = self.place.take() {
            self.all.lock().replies.remove(&place);
            self.waited = place.0.elapsed().saturating_sub(CREDIT);
        }
    }
}

impl Drop for UnreadReply {
    fn drop(&mut self) {
        self.pause();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_wait_counts() {
        let second = Duration::from_secs(1);
        let (begun, unread) = (Instant::now(), UnreadReplies::default());
        assert_eq!(unread.since(), None);
        let (mut first, mut second_one) = (unread.add(), unread.add());
        tokio::time::advance(second).await;
        first.wait();
        assert_eq!(unread.since(), Some(begun));
        second_one.pause();
        assert_eq!(unread.since(), Some(begun + second));
        tokio::time::advance(second).await;
        second_one.wait();
        drop(first);
        assert_eq!(unread.since(), Some(begun + 2 * second));
        drop(second_one);
        assert_eq!(unread.since(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_makes_a_second_good() {
        let second = Duration::from_secs(1);
        let (begun, unread) = (Instant::now(), UnreadReplies::default());
        let mut reply = unread.add();
        for part in 1..=3 {
            tokio::time::advance(20 * second).await;
            reply.wait();
            assert_eq!(unread.since(), Some(begun + part * second));
        }
        reply.pause();
        tokio::time::advance(10 * second).await;
        reply.wait();
        assert_eq!(unread.since(), Some(begun + 14 * second), "the server's own time does not count");
        for _ in 0..100 {
            reply.wait();
        }
        assert_eq!(unread.since(), Some(Instant::now()));
    }
}
