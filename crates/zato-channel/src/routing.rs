//! Which channel a request is for.
//!
//! Owns the immutable table that requests are looked up in, and how one table becomes the next. It must not know who
//! holds the current table, nor what a channel does with a request.

use std::sync::Arc;

use crate::channel::Channel;
use crate::limits::Limiter;
use crate::map::{self, Map};
use crate::path::PathPattern;
use crate::rbac::Rbac;
use crate::security::{Nonces, Security};
use crate::tree::{self, Tree};
use crate::{ChannelError, ChannelGuard, Pages};

/// A request's channel, and what goes with it in the same table.
pub(crate) struct Found {
    pub(crate) channel: Arc<Channel>,
    /// What the channel's path captured.
    pub(crate) captures: Vec<(Arc<str>, String)>,
    /// Who guards the channel.
    pub(crate) definition: Option<Arc<Definition>>,
    /// Who may do what, if the channel asks.
    pub(crate) rbac: Option<Arc<Rbac>>,
}

/// A security definition as it is now, and what it must remember while it changes.
pub(crate) struct Definition {
    pub(crate) security: Arc<Security>,
    pub(crate) nonces: Arc<Nonces>,
    pub(crate) limiter: Limiter,
}

/// All channels, and the security definitions that guard them, at one moment.
///
/// A path without placeholders is looked up first. Among paths with placeholders the most specific one is taken. The
/// channels of one path are told apart by SOAP action, which is empty for plain HTTP: so a plain HTTP channel isn't
/// found by a request that names an action.
///
/// Copies share what they have in common, so a change takes as long as its own place in the table is deep. Channels refer
/// to definitions by id: one change of a definition changes it for all its channels.
#[derive(Clone)]
pub(crate) struct RoutingTable {
    channels: Map<i64, Arc<Channel>>,
    definitions: Map<i64, Arc<Definition>>,
    exact: Map<Arc<str>, Actions>,
    captured: Tree<Actions>,
    rbac: Arc<Rbac>,
}

/// The channels of one path. Most paths have one channel, which is found without hashing its action.
#[derive(Clone)]
struct Actions {
    first: Arc<Channel>,
    others: Map<Arc<str>, Arc<Channel>>,
}

impl Actions {
    fn find(&self, action: &str) -> Option<&Arc<Channel>> {
        // An empty action is no bytes at an address where there is no memory. Some processors take longer to compare that
        // than to do all the rest, so its length decides.
        let is_first = match action {
            "" => self.first.soap_action.is_empty(),
            _ => *self.first.soap_action == *action,
        };
        if is_first { Some(&self.first) } else { self.others.get(action) }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Channel>> {
        std::iter::once(&self.first).chain(self.others.values())
    }

    /// With a further channel, whose action none has yet.
    fn with(path: Option<&Self>, channel: &Arc<Channel>) -> Self {
        match path {
            None => Self { first: Arc::clone(channel), others: map::empty() },
            Some(Self { first, others }) => {
                let others = others.insert(Arc::clone(&channel.soap_action), Arc::clone(channel));
                Self { first: Arc::clone(first), others }
            }
        }
    }

    /// Without a channel; nothing if it was the only one.
    fn without(&self, action: &str) -> Option<Self> {
        if *self.first.soap_action != *action {
            return Some(Self { first: Arc::clone(&self.first), others: self.others.remove(action) });
        }
        let (next, first) = self.others.iter().next()?;
        Some(Self { first: Arc::clone(first), others: self.others.remove(next) })
    }
}

impl Default for RoutingTable {
    fn default() -> Self {
        Self {
            channels: map::empty(),
            definitions: map::empty(),
            exact: map::empty(),
            captured: Tree::default(),
            rbac: Arc::default(),
        }
    }
}

impl RoutingTable {
    /// Adds a channel, or replaces the one of the same id. When it can't be served beside the others, it is left out; what
    /// had its id is gone then.
    pub(crate) fn put(&mut self, channel: &Arc<Channel>, pages: &Pages) -> Result<(), ChannelError> {
        self.remove(channel.id);
        self.check(channel, pages)?;
        match &channel.pattern {
            PathPattern::Exact => {
                let actions = Actions::with(self.exact.get(&channel.url_path), channel);
                self.exact.insert_mut(Arc::clone(&channel.url_path), actions);
            }
            PathPattern::Captures { segments, .. } => {
                let actions = Actions::with(self.captured.get(segments), channel);
                self.captured.set(segments, Some(actions));
            }
        }
        if let Some(security) = &channel.security {
            self.put_security(security);
        }
        self.channels.insert_mut(channel.id, Arc::clone(channel));
        Ok(())
    }

    /// The channel of this id.
    pub(crate) fn channel(&self, id: i64) -> Option<&Arc<Channel>> {
        self.channels.get(&id)
    }

    /// Whether a channel of a new id can be served beside those that are there.
    fn check(&self, channel: &Channel, pages: &Pages) -> Result<(), ChannelError> {
        let actions = match &channel.pattern {
            PathPattern::Exact => self.exact.get(&channel.url_path),
            PathPattern::Captures { segments, .. } => self.captured.get(segments),
        };
        if let Some(rival) = actions.and_then(|actions| actions.find(&channel.soap_action)) {
            return Err(ChannelError::Taken {
                channel: Arc::clone(&channel.name),
                rival: Arc::clone(&rival.name),
                url_path: Arc::clone(&channel.url_path),
                soap_action: Arc::clone(&channel.soap_action),
            });
        }
        let is_hidden = |page: &&Arc<str>| match &channel.pattern {
            PathPattern::Exact => **page == channel.url_path,
            PathPattern::Captures { segments, .. } => tree::is_match(segments, page),
        };
        if let Some(page) = pages.paths().find(is_hidden) {
            return Err(ChannelError::Page {
                channel: Arc::clone(&channel.name),
                url_path: Arc::clone(&channel.url_path),
                page: Arc::clone(page),
            });
        }
        let PathPattern::Captures { segments, .. } = &channel.pattern else { return Ok(()) };
        match self.captured.rival(segments) {
            None => Ok(()),
            Some(Actions { first: rival, .. }) => Err(ChannelError::Ambiguous {
                channel: Arc::clone(&channel.name),
                url_path: Arc::clone(&channel.url_path),
                rival: Arc::clone(&rival.name),
                rival_path: Arc::clone(&rival.url_path),
            }),
        }
    }

    /// Removes the channel of this id, if there is one.
    pub(crate) fn remove(&mut self, id: i64) {
        let Some(channel) = self.channels.get(&id).map(Arc::clone) else { return };
        self.channels.remove_mut(&id);
        match &channel.pattern {
            PathPattern::Exact => {
                let rest =
                    self.exact.get(&channel.url_path).and_then(|all| all.without(&channel.soap_action));
                match rest {
                    Some(rest) => self.exact.insert_mut(Arc::clone(&channel.url_path), rest),
                    None => drop(self.exact.remove_mut(&channel.url_path)),
                }
            }
            PathPattern::Captures { segments, .. } => {
                let rest = self.captured.get(segments).and_then(|all| all.without(&channel.soap_action));
                self.captured.set(segments, rest);
            }
        }
    }

    /// Puts a definition in the place of what it was before, which goes on to remember what it did.
    pub(crate) fn put_security(&mut self, security: &Arc<Security>) {
        let known = self.definitions.get(&security.id());
        let nonces = known.map(|known| Arc::clone(&known.nonces)).unwrap_or_default();
        let limits = security.limits();
        let limiter = known.map_or_else(|| Limiter::new(limits), |known| known.limiter.successor(limits));
        let definition = Definition { security: Arc::clone(security), nonces, limiter };
        self.definitions.insert_mut(security.id(), Arc::new(definition));
    }

    /// Whether a definition is, or was, in use by a channel.
    pub(crate) fn knows_security(&self, id: i64) -> bool {
        self.definitions.contains_key(&id)
    }

    /// Removes a definition, and all channels that it guards.
    pub(crate) fn remove_security(&mut self, id: i64) {
        self.definitions.remove_mut(&id);
        let is_guarded =
            |channel: &Channel| channel.security.as_ref().is_some_and(|security| security.id() == id);
        let guarded: Vec<i64> =
            self.channels.values().filter(|channel| is_guarded(channel)).map(|channel| channel.id).collect();
        for id in guarded {
            self.remove(id);
        }
    }

    pub(crate) fn put_rbac(&mut self, rbac: Arc<Rbac>) {
        self.rbac = rbac;
    }

    /// A table without channels, whose definitions remember what those of this one did as soon as they are put into it.
    pub(crate) fn cleared(&self) -> Self {
        Self { definitions: self.definitions.clone(), rbac: Arc::clone(&self.rbac), ..Self::default() }
    }

    /// Drops definitions that guard no channel.
    pub(crate) fn without_unused(mut self) -> Self {
        let used: std::collections::HashSet<i64> =
            self.channels.values().filter_map(|channel| Some(channel.security.as_ref()?.id())).collect();
        let unused: Vec<i64> = self.definitions.keys().filter(|id| !used.contains(id)).copied().collect();
        for id in unused {
            self.definitions.remove_mut(&id);
        }
        self
    }

    /// Finds the channel of a decoded path and an unquoted SOAP action.
    pub(crate) fn find(&self, path: &str, action: &str) -> Option<Found> {
        self.find_by(path, |actions| actions.find(action))
    }

    /// Finds a channel of a decoded path that is one of those wanted.
    pub(crate) fn find_any(&self, path: &str, wanted: impl Fn(&Channel) -> bool) -> Option<Found> {
        self.find_by(path, |actions| actions.all().find(|channel| wanted(channel)))
    }

    #[inline]
    fn find_by(&self, path: &str, choose: impl Fn(&Actions) -> Option<&Arc<Channel>>) -> Option<Found> {
        if let Some(channel) = self.exact.get(path).and_then(&choose) {
            return self.found(channel, Vec::new());
        }
        let (channel, values) = self.captured.find(path, |actions| choose(actions).map(Arc::clone))?;
        let captures = match &channel.pattern {
            PathPattern::Exact => Vec::new(),
            PathPattern::Captures { names, .. } => {
                names.iter().map(Arc::clone).zip(values.into_iter().map(str::to_owned)).collect()
            }
        };
        self.found(&channel, captures)
    }

    fn found(&self, channel: &Arc<Channel>, captures: Vec<(Arc<str>, String)>) -> Option<Found> {
        let definition = match &channel.security {
            // Channels go with their definitions, so there is one; without it nobody would be let in.
            Some(security) => Some(Arc::clone(self.definitions.get(&security.id())?)),
            None => None,
        };
        let rbac = (channel.has_rbac && definition.is_some()).then(|| Arc::clone(&self.rbac));
        Some(Found { channel: Arc::clone(channel), captures, definition, rbac })
    }

    /// Who may call which channel.
    pub(crate) fn guards(&self) -> Vec<ChannelGuard> {
        let guard = |channel: &Arc<Channel>| {
            let security = channel.security.as_ref().map(|security| security.id());
            let definition = security.and_then(|id| self.definitions.get(&id));
            ChannelGuard {
                channel: Arc::clone(&channel.name),
                url_path: Arc::clone(&channel.url_path),
                soap_action: Arc::clone(&channel.soap_action),
                is_active: channel.is_active,
                security: definition.map(|definition| Arc::clone(&definition.security)),
                has_rbac: channel.has_rbac,
            }
        };
        self.channels.values().map(guard).collect()
    }

    /// How many channels there are.
    pub(crate) fn len(&self) -> usize {
        self.channels.size()
    }

    /// The names of all channels, in order.
    pub(crate) fn names(&self) -> Vec<Arc<str>> {
        let mut names: Vec<_> = self.channels.values().map(|channel| Arc::clone(&channel.name)).collect();
        names.sort_unstable();
        names
    }
}
