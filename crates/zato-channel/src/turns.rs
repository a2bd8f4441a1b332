//! Work that takes long, beside the calls that don't.
//!
//! Owns how much of it goes on at a time, and where. It must not know what the work is.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;
use tokio::task::block_in_place;
use tokio::time::timeout;

/// Taken one by one by callers who may be anybody, and may have sent what takes as long as can be. Clones share them.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Semaphore>);

/// As many as leave half of the cores to calls that take less.
impl Default for Turns {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(cores.div_ceil(2))))
    }
}

impl Turns {
    /// What comes of `work`, which other tasks don't wait for; nothing if it is not its turn within `patience`.
    ///
    /// The thread itself steps aside, because the work borrows from its call. A runtime of one thread has no other to let tasks run
    /// on.
    pub(crate) async fn run<T>(&self, patience: Duration, work: impl FnOnce() -> T) -> Option<T> {
        let _turn = timeout(patience, self.0.acquire()).await.ok()?.ok()?;
        Some(match Handle::current().runtime_flavor() {
            RuntimeFlavor::MultiThread => block_in_place(work),
            _ => work(),
        })
    }
}
