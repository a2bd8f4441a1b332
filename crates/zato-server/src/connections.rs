//! The open connections of one listener.
//!
//! Owns which of them go when there is no room for others. It must not know what is said over them.

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::waiting::Waiting;

/// How long a client was silent before its connection may go for the sake of others. What is shorter may be the time that a
/// request or a reply is under way.
const SILENCE: Duration = Duration::from_secs(1);

/// How many connections go at once at most.
const ROOM: usize = 32;

/// Connections, which are dropped when this is.
pub(crate) struct Connections {
    tasks: JoinSet<()>,
    waiting: HashMap<Id, (AbortHandle, Waiting)>,
    /// Counts those of all listeners.
    open: TaskTracker,
}

impl Connections {
    /// None yet.
    pub(crate) fn new(open: TaskTracker) -> Self {
        Self { tasks: JoinSet::new(), waiting: HashMap::new(), open }
    }

    /// Runs a connection, whose client is waited for as `waiting` says.
    pub(crate) fn add(&mut self, connection: impl Future<Output = ()> + Send + 'static, waiting: Waiting) {
        let task = self.tasks.spawn(self.open.track_future(connection));
        self.waiting.insert(task.id(), (task, waiting));
    }

    /// Waits for the end of one of them. None if there is none left.
    pub(crate) async fn ended(&mut self) -> Option<()> {
        let ended = self.tasks.join_next_with_id().await?;
        self.waiting.remove(&ended.map_or_else(|error| error.id(), |(id, ())| id));
        Some(())
    }

    /// Ends the connections whose clients have been silent for the longest time, and says how many.
    pub(crate) fn make_room(&self) -> usize {
        let now = Instant::now();
        let waiting = self.waiting.values();
        let mut silent: Vec<_> =
            waiting.filter_map(|(task, waiting)| Some((waiting.silent_since()?, task))).collect();
        silent.retain(|(since, _)| *since + SILENCE <= now);
        silent.sort_unstable_by_key(|(since, _)| *since);
        silent.truncate(ROOM);
        silent.iter().for_each(|(_, task)| task.abort());
        silent.len()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_most_silent_ones_make_room() {
        let mut connections = Connections::new(TaskTracker::new());
        let mut add = |waiting: &Waiting| connections.add(pending(), waiting.clone());
        let busy = Waiting::new();
        add(&busy);
        let _call = busy.call();
        let multiplexed = Waiting::new();
        add(&multiplexed);
        multiplexed.stop();
        (0..2 * ROOM - 1).for_each(|_| add(&Waiting::new()));
        tokio::time::advance(SILENCE).await;
        (0..2).for_each(|_| add(&Waiting::new()));
        for expected in [ROOM, ROOM - 1, 0] {
            assert_eq!(connections.make_room(), expected);
            for _ in 0..expected {
                connections.ended().await;
            }
        }
        tokio::time::advance(SILENCE).await;
        assert_eq!(connections.make_room(), 2);
    }
}
