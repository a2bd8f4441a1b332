//! The turns that other tasks get while something is waited for.
//!
//! For tests of what could keep a thread to itself, in a runtime of one thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::yield_now;

/// Waits for `future` and counts how often another task, which is always ready, has its turn meanwhile.
pub(crate) async fn count<F: Future>(future: F) -> (F::Output, usize) {
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&turns);
    let other = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
    });
    let output = future.await;
    other.abort();
    (output, turns.load(Ordering::Relaxed))
}
