//! Between calls and whoever stores them.
//!
//! Owns how many calls may wait, how much memory they may take up, and the count of those that find no room. It must not
//! know what becomes of the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use tokio::sync::mpsc;
use zato_channel::{AuditLog, AuditedCall};

/// How many calls may wait.
const CAPACITY: usize = 8 * 1024;

/// How much memory the calls that wait may take up, in bytes.
const MAXIMUM_BYTES: usize = 64 * 1024 * 1024;

/// Where audited calls are told: the end of the queue that calls see. What is queued is stored until the last clone is
/// dropped, and then to the end.
#[derive(Clone, Debug)]
pub struct Audit {
    sender: mpsc::Sender<Queued>,
    statistics: AuditStatistics,
}

/// How many audited calls were dropped. Clones share the counter.
#[derive(Clone, Debug, Default)]
pub struct AuditStatistics(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    dropped: AtomicU64,
    /// What the calls that wait take up, in bytes.
    bytes: AtomicUsize,
}

/// A call that waits, and takes up memory until it is dropped.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) call: AuditedCall,
    bytes: usize,
    counters: Arc<Counters>,
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.counters.bytes.fetch_sub(self.bytes, Relaxed);
    }
}

impl AuditStatistics {
    /// The calls that were to be audited, and are not in the log because they could not be stored as fast as they came,
    /// or not at all.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Relaxed)
    }

    /// Counts calls that are lost. The first one of all is logged: what goes on from there, the counter tells.
    pub(super) fn drop_calls(&self, count: usize) {
        if self.0.dropped.fetch_add(count as u64, Relaxed) == 0 {
            tracing::warn!(
                count,
                "audited calls are dropped, because they can't be stored; /zato/metrics counts them"
            );
        }
    }

    fn admit(&self, call: AuditedCall) -> Option<Queued> {
        let bytes = call.size();
        let fits = |taken: usize| taken.checked_add(bytes).filter(|taken| *taken <= MAXIMUM_BYTES);
        self.0.bytes.fetch_update(Relaxed, Relaxed, fits).ok()?;
        Some(Queued { call, bytes, counters: Arc::clone(&self.0) })
    }
}

/// A queue: where calls go in, and where they come out.
pub(super) fn queue(statistics: AuditStatistics) -> (Audit, mpsc::Receiver<Queued>) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    (Audit { sender, statistics }, receiver)
}

impl AuditLog for Audit {
    fn record(&self, call: AuditedCall) {
        let is_queued =
            self.statistics.admit(call).is_some_and(|queued| self.sender.try_send(queued).is_ok());
        if !is_queued {
            self.statistics.drop_calls(1);
        }
    }
}
