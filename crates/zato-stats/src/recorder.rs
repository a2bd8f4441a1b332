//! What is noted of a call on its way.
//!
//! Owns the queue between calls and whoever stores what they took. A call that ends costs one slot of a fixed queue: no
//! lock, no allocation, no clock. It must not know where anything is stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;
use tokio::sync::mpsc;
use zato_service::{Exchange, Observer, Registration};

/// How many calls may end between two looks into the queue, which are a tenth of a second apart.
const CAPACITY: usize = 65_536;

/// How many samples and slow calls may wait to be stored.
const EXCHANGES: usize = 256;

/// A call that succeeded.
#[derive(Debug)]
pub(crate) struct Timed {
    pub(crate) service: Arc<Registration>,
    pub(crate) ended: Instant,
    pub(crate) milliseconds: u64,
}

/// Takes notes of calls.
#[derive(Debug)]
pub(crate) struct Recorder {
    timed: ArrayQueue<Timed>,
    exchanges: mpsc::Sender<Exchange>,
    lost: AtomicU64,
}

impl Recorder {
    /// A recorder, and where the exchanges that it is told of come out.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Exchange>) {
        let (exchanges, receiver) = mpsc::channel(EXCHANGES);
        (Self { timed: ArrayQueue::new(CAPACITY), exchanges, lost: AtomicU64::new(0) }, receiver)
    }

    /// The calls that have ended since somebody asked last.
    pub(crate) fn drain(&self) -> impl Iterator<Item = Timed> + '_ {
        // No more than there were: calls that end meanwhile can't keep anybody here.
        (0..self.timed.len()).map_while(|_| self.timed.pop())
    }

    /// How many calls were not noted, because nobody asked for too long.
    pub(crate) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Relaxed)
    }
}

impl Observer for Recorder {
    fn succeeded(&self, service: &Arc<Registration>, ended: Instant, elapsed: Duration) {
        let timed = Timed { service: Arc::clone(service), ended, milliseconds: milliseconds(elapsed) };
        if self.timed.push(timed).is_err() {
            self.lost.fetch_add(1, Relaxed);
        }
    }

    fn exchanged(&self, exchange: Exchange) {
        // The newest ones are of less use than a call that waits would cost.
        if self.exchanges.try_send(exchange).is_err() {
            self.lost.fetch_add(1, Relaxed);
        }
    }
}

/// A processing time as it is stored: in whole milliseconds, where 1 counts as none at all.
pub(crate) fn milliseconds(elapsed: Duration) -> u64 {
    let milliseconds = elapsed.as_secs_f64() * 1000.0;
    if milliseconds <= 1.0 { 0 } else { milliseconds.round() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_times_count_as_none() {
        for (microseconds, expected) in
            [(0, 0), (1_000, 0), (1_001, 1), (1_499, 1), (1_500, 2), (3_600_000_000, 3_600_000)]
        {
            assert_eq!(milliseconds(Duration::from_micros(microseconds)), expected, "{microseconds} µs");
        }
    }
}
