//! The channels of a server, which can change while it serves.
//!
//! Owns the current routing table and its replacement. It must not know where configuration comes from, nor what
//! calls do. Readers take no lock and see either the table before a change or the one after it.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use crate::channel::Channel;
use crate::rbac::Rbac;
use crate::routing::{Found, RoutingTable};
use crate::{ChannelConfig, ChannelError, Page, Pages, RbacConfig, Security};

/// Who may call a channel.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChannelGuard {
    /// The channel's name.
    pub channel: Arc<str>,
    /// Its path.
    pub url_path: Arc<str>,
    /// The SOAP action that requests for it name; empty for none.
    pub soap_action: Arc<str>,
    /// Whether it answers calls.
    pub is_active: bool,
    /// What callers must prove to know; none lets everyone in.
    pub security: Option<Arc<Security>>,
    /// Whether the roles of callers decide, too.
    pub has_rbac: bool,
}

/// The channels of a server. Clones share them.
#[derive(Clone)]
pub struct Channels(Arc<Shared>);

struct Shared {
    table: ArcSwap<RoutingTable>,
    /// Held while a table is made of its predecessor, so that no change is lost. It guards no data of its own.
    change: Mutex<()>,
    pages: Pages,
}

impl Channels {
    /// No channels yet. They can't be put on the paths of `pages`.
    pub fn new(pages: Pages) -> Self {
        Self(Arc::new(Shared { table: ArcSwap::default(), change: Mutex::default(), pages }))
    }

    /// Adds a channel, or replaces the one of the same id. Requests that come after the return see it.
    ///
    /// Its security definition replaces what that was in all channels.
    ///
    /// # Errors
    /// The channel can't be served, by itself or beside the others; nothing is changed then.
    pub fn put(&self, config: ChannelConfig) -> Result<(), ChannelError> {
        let channel = Channel::new(config)?;
        self.change(|table| {
            let channel = match table.channel(channel.id) {
                Some(former) => channel.after(former),
                None => channel,
            };
            table.put(&Arc::new(channel), &self.0.pages)
        })
    }

    /// Says whether [`put`](Self::put) would accept a channel, without changing anything.
    ///
    /// # Errors
    /// Those of [`put`](Self::put).
    pub fn check(&self, config: ChannelConfig) -> Result<(), ChannelError> {
        let channel = Arc::new(Channel::new(config)?);
        RoutingTable::clone(&self.0.table.load()).put(&channel, &self.0.pages)
    }

    /// Removes the channel of this id, if there is one.
    pub fn remove(&self, id: i64) {
        self.always(|table| table.remove(id));
    }

    /// Replaces a security definition in all channels that it guards, at once. What it remembers of calls stays, so that
    /// nothing that was used once can be used again. Says whether there are, or were, any.
    pub fn put_security(&self, security: &Arc<Security>) -> bool {
        let mut is_known = false;
        self.always(|table| {
            is_known = table.knows_security(security.id());
            if is_known {
                table.put_security(security);
            }
        });
        is_known
    }

    /// Removes all channels that a security definition guards: without it they would let everyone in.
    pub fn remove_security(&self, id: i64) {
        self.always(|table| table.remove_security(id));
    }

    /// Replaces all roles and permissions at once, for the channels that ask for them.
    pub fn replace_rbac(&self, config: &RbacConfig) {
        let rbac = Arc::new(Rbac::new(config));
        self.always(|table| table.put_rbac(rbac));
    }

    /// Replaces all channels at once. Those that can't be served are left out, and reported, so that one of them
    /// does not keep the others from being served; of two in each other's way the later one is left out.
    pub fn replace_all(&self, configs: impl IntoIterator<Item = ChannelConfig>) -> Vec<ChannelError> {
        let mut errors = Vec::new();
        let channels: Vec<_> = configs
            .into_iter()
            .filter_map(|config| Channel::new(config).map_err(|error| errors.push(error)).ok())
            .collect();
        self.always(|table| {
            let mut next = table.cleared();
            for channel in channels {
                let channel = match table.channel(channel.id) {
                    Some(former) => Arc::new(channel.after(former)),
                    None => Arc::new(channel),
                };
                errors.extend(next.put(&channel, &self.0.pages).err());
            }
            *table = next.without_unused();
        });
        errors
    }

    /// Who may call which channel at this moment, by name of the channel.
    pub fn guards(&self) -> Vec<ChannelGuard> {
        let mut guards = self.0.table.load().guards();
        guards.sort_unstable_by(|a, b| a.channel.cmp(&b.channel));
        guards
    }

    /// How many channels there are.
    pub fn len(&self) -> usize {
        self.0.table.load().len()
    }

    /// Whether there are no channels.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Finds the channel of a path and an action, which is empty for a request that names none.
    pub(crate) fn find(&self, path: &str, action: &str) -> Option<Found> {
        self.0.table.load().find(path, action)
    }

    /// Finds a channel of a path, whatever its action, that is one of those wanted.
    pub(crate) fn find_any(&self, path: &str, wanted: impl Fn(&Channel) -> bool) -> Option<Found> {
        self.0.table.load().find_any(path, wanted)
    }

    pub(crate) fn page(&self, path: &str) -> Option<Arc<dyn Page>> {
        self.0.pages.find(path)
    }

    /// Publishes a changed copy of the table, unless the change fails.
    fn change<E>(&self, change: impl FnOnce(&mut RoutingTable) -> Result<(), E>) -> Result<(), E> {
        let _guard = self.0.change.lock().unwrap_or_else(PoisonError::into_inner);
        let mut table = RoutingTable::clone(&self.0.table.load());
        change(&mut table)?;
        self.0.table.store(Arc::new(table));
        Ok(())
    }

    fn always(&self, change: impl FnOnce(&mut RoutingTable)) {
        let Ok(()) = self.change(|table| {
            change(table);
            Ok::<_, Infallible>(())
        });
    }
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.table.load().names()).finish()
    }
}
