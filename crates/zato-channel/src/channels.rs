//! The channels of a server, which can change while it serves.
//!
//! Owns the current routing table and its replacement. It must not know where configuration comes from, nor what
//! calls do. Readers take no lock and see either the table before a change or the one after it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::channel::Channel;
use crate::routing::{Found, RoutingTable};
use crate::{ChannelConfig, ChannelError, Page, Pages, Security};

/// The channels of a server. Clones share them.
#[derive(Clone)]
pub struct Channels(Arc<Shared>);

struct Shared {
    table: ArcSwap<RoutingTable>,
    /// Held while a table is made of its predecessor, so that no change is lost. It guards no data of its own.
    change: Mutex<()>,
    pages: Pages,
}

type ById = BTreeMap<i64, Arc<Channel>>;

impl Channels {
    /// No channels yet. They can't be put on the paths of `pages`.
    pub fn new(pages: Pages) -> Self {
        Self(Arc::new(Shared { table: ArcSwap::default(), change: Mutex::default(), pages }))
    }

    /// Adds a channel, or replaces the one of the same id. Requests that come after the return see it.
    ///
    /// # Errors
    /// The channel can't be served, by itself or beside the others; nothing is changed then.
    pub fn put(&self, config: ChannelConfig) -> Result<(), ChannelError> {
        let channel = Arc::new(Channel::new(config)?);
        self.change(|channels| self.with(channels, channel))
    }

    /// Says whether [`put`](Self::put) would accept a channel, without changing anything.
    ///
    /// # Errors
    /// Those of [`put`](Self::put).
    pub fn check(&self, config: ChannelConfig) -> Result<(), ChannelError> {
        let channel = Arc::new(Channel::new(config)?);
        self.with(self.0.table.load().channels().clone(), channel).map(drop)
    }

    /// Removes the channel of this id, if there is one.
    pub fn remove(&self, id: i64) {
        self.keep(|channel| channel.id != id);
    }

    /// Replaces a security definition in all channels that it guards, at once.
    pub fn put_security(&self, security: &Arc<Security>) {
        let Ok(()) = self.change(|mut channels| {
            for channel in channels.values_mut().filter(|channel| channel.is_guarded_by(security.id())) {
                *channel = Arc::new(channel.guarded_by(Arc::clone(security)));
            }
            Ok::<_, std::convert::Infallible>(self.table(channels))
        });
    }

    /// Removes all channels that a security definition guards: without it they would let everyone in.
    pub fn remove_security(&self, id: i64) {
        self.keep(|channel| !channel.is_guarded_by(id));
    }

    /// Replaces all channels at once. Those that can't be served are left out, and reported, so that one of them
    /// does not keep the others from being served; of two in each other's way the later one is left out.
    pub fn replace_all(&self, configs: impl IntoIterator<Item = ChannelConfig>) -> Vec<ChannelError> {
        let mut errors = Vec::new();
        let channels: Vec<_> = configs
            .into_iter()
            .filter_map(|config| Channel::new(config).map(Arc::new).map_err(|error| errors.push(error)).ok())
            .collect();
        let Ok(()) = self.change(|_| {
            let (table, rivals) = RoutingTable::new(channels, &self.0.pages);
            errors.extend(rivals);
            Ok::<_, std::convert::Infallible>(table)
        });
        errors
    }

    /// How many channels there are.
    pub fn len(&self) -> usize {
        self.0.table.load().channels().len()
    }

    /// Whether there are no channels.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn find(&self, path: &str, action: &str) -> Option<Found> {
        self.0.table.load().find(path, action)
    }

    pub(crate) fn page(&self, path: &str) -> Option<&dyn Page> {
        self.0.pages.find(path)
    }

    fn change<E>(&self, change: impl FnOnce(ById) -> Result<RoutingTable, E>) -> Result<(), E> {
        let _guard = self.0.change.lock().unwrap_or_else(PoisonError::into_inner);
        let channels = self.0.table.load().channels().clone();
        self.0.table.store(Arc::new(change(channels)?));
        Ok(())
    }

    fn keep(&self, is_kept: impl Fn(&Channel) -> bool) {
        let Ok(()) = self.change(|mut channels| {
            channels.retain(|_, channel| is_kept(channel));
            Ok::<_, std::convert::Infallible>(self.table(channels))
        });
    }

    /// The known channels, which get along, and a further one in the place of its namesake.
    fn with(&self, mut channels: ById, channel: Arc<Channel>) -> Result<RoutingTable, ChannelError> {
        channels.remove(&channel.id);
        let all = channels.into_values().chain([channel]);
        let (table, mut errors) = RoutingTable::new(all, &self.0.pages);
        errors.pop().map_or(Ok(table), Err)
    }

    /// A table of channels that got along in the table before.
    fn table(&self, channels: ById) -> RoutingTable {
        RoutingTable::new(channels.into_values(), &self.0.pages).0
    }
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.0.table.load();
        f.debug_set().entries(table.channels().values().map(|channel| &channel.name)).finish()
    }
}
