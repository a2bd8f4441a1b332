//! Channels of one kind that fetch their messages themselves: those that are configured and, if this server is to run them,
//! those that run.
//!
//! Owns starting, replacing and stopping them. It must not know where their messages come from.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, join_all};
use zato_connections::Status;

/// A running channel. A clone is the same channel.
pub(crate) trait Listener: Clone + Send + Sync + 'static {
    /// All that it takes to start one.
    type Config: Send + Sync + 'static;

    /// Starts it in the background.
    fn start(config: &Self::Config) -> Self;

    /// How it fares.
    fn status(&self) -> Status;

    /// Tells it to take no more messages. It ends after those in hand.
    fn begin_stop(&self);

    /// Stops it and returns when it has ended.
    fn stop(&self) -> BoxFuture<'_, ()>;
}

/// The channels of one kind, by id.
pub(crate) struct Listeners<L: Listener>(Mutex<State<L>>);

struct State<L: Listener> {
    leads: bool,
    entries: BTreeMap<i64, Entry<L>>,
    /// Those that were told to stop, until they have ended.
    ending: Vec<L>,
}

struct Entry<L: Listener> {
    config: L::Config,
    running: Option<L>,
}

impl<L: Listener> Listeners<L> {
    /// None, and none will run until [`lead`](Self::lead) says so.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State { leads: false, entries: BTreeMap::new(), ending: Vec::new() }))
    }

    /// Starts all channels, or stops them.
    pub(crate) fn lead(&self, leads: bool) {
        let mut state = self.state();
        state.leads = leads;
        let mut stopped = Vec::new();
        for entry in state.entries.values_mut() {
            if !leads {
                stopped.extend(entry.running.take());
            } else if entry.running.is_none() {
                entry.running = Some(L::start(&entry.config));
            }
        }
        stopped.into_iter().for_each(|listener| state.end(listener));
    }

    /// Adds an active channel, or replaces the one with its id.
    pub(crate) fn put(&self, id: i64, config: L::Config) {
        let mut state = self.state();
        let running = state.leads.then(|| L::start(&config));
        let replaced = state.entries.insert(id, Entry { config, running });
        state.end_entry(replaced);
    }

    /// Removes a channel that was deleted or is inactive.
    pub(crate) fn remove(&self, id: i64) {
        let mut state = self.state();
        let removed = state.entries.remove(&id);
        state.end_entry(removed);
    }

    /// Removes all channels but these.
    pub(crate) fn retain(&self, ids: &HashSet<i64>) {
        let mut state = self.state();
        let gone: Vec<i64> = state.entries.keys().copied().filter(|id| !ids.contains(id)).collect();
        for id in gone {
            let removed = state.entries.remove(&id);
            state.end_entry(removed);
        }
    }

    /// How an active channel fares that runs on this server.
    pub(crate) fn status(&self, id: i64) -> Option<Status> {
        self.state().entries.get(&id)?.running.as_ref().map(Listener::status)
    }

    /// Whether channels run on this server.
    pub(crate) fn leads(&self) -> bool {
        self.state().leads
    }

    /// Returns when all channels have ended that were told to stop before.
    pub(crate) async fn ended(&self) {
        let ending = std::mem::take(&mut self.state().ending);
        join_all(ending.iter().map(Listener::stop)).await;
    }

    fn state(&self) -> MutexGuard<'_, State<L>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L: Listener> State<L> {
    fn end_entry(&mut self, entry: Option<Entry<L>>) {
        if let Some(running) = entry.and_then(|entry| entry.running) {
            self.end(running);
        }
    }

    fn end(&mut self, listener: L) {
        listener.begin_stop();
        self.ending.retain(|ending| ending.status() != Status::Stopped);
        self.ending.push(listener);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

    use super::*;

    #[derive(Clone)]
    struct Ear(&'static str, Arc<AtomicBool>);

    impl Listener for Ear {
        type Config = &'static str;

        fn start(config: &Self::Config) -> Self {
            Self(config, Arc::default())
        }

        fn status(&self) -> Status {
            if self.1.load(SeqCst) { Status::Stopped } else { Status::Blocked { reason: self.0.into() } }
        }

        fn begin_stop(&self) {
            self.1.store(true, SeqCst);
        }

        fn stop(&self) -> BoxFuture<'_, ()> {
            self.begin_stop();
            Box::pin(std::future::ready(()))
        }
    }

    #[track_caller]
    fn check(ears: &Listeners<Ear>, expected: [Option<&str>; 3]) {
        let found = [1, 2, 3].map(|id| ears.status(id));
        let expected = expected.map(|config| config.map(|config| Status::Blocked { reason: config.into() }));
        assert_eq!(found, expected);
    }

    #[test]
    fn channels_run_while_this_server_leads() {
        let ears = Listeners::<Ear>::new();
        ears.put(1, "a");
        ears.put(2, "b");
        check(&ears, [None, None, None]);
        ears.lead(true);
        check(&ears, [Some("a"), Some("b"), None]);
        let first = ears.state().entries[&1].running.clone().unwrap();
        ears.put(1, "changed");
        ears.put(3, "c");
        check(&ears, [Some("changed"), Some("b"), Some("c")]);
        assert_eq!(first.status(), Status::Stopped);
        ears.remove(2);
        ears.retain(&HashSet::from([1, 2]));
        check(&ears, [Some("changed"), None, None]);
        // Leading on changes nothing.
        let second = ears.state().entries[&1].running.clone().unwrap();
        ears.lead(true);
        assert_ne!(second.status(), Status::Stopped);
        ears.lead(false);
        check(&ears, [None, None, None]);
        assert_eq!(second.status(), Status::Stopped);
        ears.lead(true);
        check(&ears, [Some("changed"), None, None]);
    }
}
