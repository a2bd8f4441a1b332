//! Starts what the server does by itself, and ends it.
//!
//! Owns the tasks of it. It must not know what they do.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zato_admin::Background;

/// Starts everything. All of it ends soon after `stop` is cancelled, and then so do the tasks.
pub(crate) fn start(background: &Background, stop: &CancellationToken) -> TaskTracker {
    let tasks = TaskTracker::new();
    tasks.spawn(background.leadership.clone().run(stop.clone()));
    tasks.spawn(background.connectors.clone().run(background.leadership.subscribe(), stop.clone()));
    tasks.close();
    tasks
}
