//! Which channel a request is for.
//!
//! Owns the immutable table that requests are looked up in. It must not know how the table is replaced, nor what a
//! channel does with a request.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use matchit::Router;

use crate::channel::Channel;
use crate::path::{PathPattern, captured, routed};
use crate::{ChannelError, Pages};

/// A request's channel, and what the channel's path captured.
pub(crate) struct Found {
    pub(crate) channel: Arc<Channel>,
    pub(crate) captures: Vec<(Arc<str>, String)>,
}

/// All channels at one moment.
///
/// A path without placeholders is looked up first. Among paths with placeholders the most specific one is taken. The
/// channels of one path are told apart by SOAP action, which is empty for plain HTTP: so a plain HTTP channel isn't
/// found by a request that names an action.
#[derive(Default)]
pub(crate) struct RoutingTable {
    channels: BTreeMap<i64, Arc<Channel>>,
    exact: HashMap<Arc<str>, Actions>,
    /// Routes lead to places in `captured`.
    router: Router<usize>,
    captured: Vec<Actions>,
    routes: HashMap<String, usize>,
}

/// The channels of one path. Most paths have one channel, which is found without hashing its action.
struct Actions {
    first: Arc<Channel>,
    others: HashMap<Arc<str>, Arc<Channel>>,
}

impl Actions {
    fn new(first: Arc<Channel>) -> Self {
        Self { first, others: HashMap::new() }
    }

    fn find(&self, action: &str) -> Option<&Arc<Channel>> {
        if *self.first.soap_action == *action { Some(&self.first) } else { self.others.get(action) }
    }

    fn insert(&mut self, channel: &Arc<Channel>) -> Result<(), ChannelError> {
        if let Some(rival) = self.find(&channel.soap_action) {
            return Err(ChannelError::Taken {
                channel: Arc::clone(&channel.name),
                rival: Arc::clone(&rival.name),
                url_path: Arc::clone(&channel.url_path),
                soap_action: Arc::clone(&channel.soap_action),
            });
        }
        self.others.insert(Arc::clone(&channel.soap_action), Arc::clone(channel));
        Ok(())
    }
}

impl RoutingTable {
    /// A table of these channels. A channel that can't stand beside those before it is left out and reported.
    pub(crate) fn new(
        channels: impl IntoIterator<Item = Arc<Channel>>,
        pages: &Pages,
    ) -> (Self, Vec<ChannelError>) {
        let mut table = Self::default();
        let mut errors = Vec::new();
        for channel in channels {
            match table.insert(&channel, pages) {
                Ok(()) => {
                    table.channels.insert(channel.id, channel);
                }
                Err(error) => errors.push(error),
            }
        }
        (table, errors)
    }

    fn insert(&mut self, channel: &Arc<Channel>, pages: &Pages) -> Result<(), ChannelError> {
        let hides = |page: &Arc<str>| ChannelError::Page {
            channel: Arc::clone(&channel.name),
            url_path: Arc::clone(&channel.url_path),
            page: Arc::clone(page),
        };
        match &channel.pattern {
            PathPattern::Exact => {
                if let Some(page) = pages.paths().find(|page| **page == channel.url_path) {
                    return Err(hides(page));
                }
                match self.exact.get_mut(&channel.url_path) {
                    Some(actions) => actions.insert(channel),
                    None => {
                        self.exact.insert(Arc::clone(&channel.url_path), Actions::new(Arc::clone(channel)));
                        Ok(())
                    }
                }
            }
            PathPattern::Captures { route, .. } => {
                if let Some(page) = pages.paths().find(|page| is_match(route, page)) {
                    return Err(hides(page));
                }
                if let Some(place) = self.routes.get(route) {
                    return self.captured[*place].insert(channel);
                }
                let place = self.captured.len();
                self.router.insert(route, place).map_err(|_| self.ambiguous(channel, route))?;
                self.routes.insert(route.clone(), place);
                self.captured.push(Actions::new(Arc::clone(channel)));
                Ok(())
            }
        }
    }

    /// Names a channel whose path can't stand beside `route`: there is one, because ambiguity is between two paths. The
    /// router's own report is not a path of ours.
    fn ambiguous(&self, channel: &Channel, route: &str) -> ChannelError {
        let is_rival = |known: &str| {
            let mut router = Router::new();
            router.insert(known, ()).and_then(|()| router.insert(route, ())).is_err()
        };
        let rival = self.captured.iter().map(|actions| &actions.first).find(|rival| match &rival.pattern {
            PathPattern::Exact => false,
            PathPattern::Captures { route, .. } => is_rival(route),
        });
        let (rival, rival_path) = rival.map_or_else(
            || (Arc::from(""), Arc::from("")),
            |rival| (Arc::clone(&rival.name), Arc::clone(&rival.url_path)),
        );
        ChannelError::Ambiguous {
            channel: Arc::clone(&channel.name),
            url_path: Arc::clone(&channel.url_path),
            rival,
            rival_path,
        }
    }

    /// Finds the channel of a decoded path and an unquoted SOAP action.
    pub(crate) fn find(&self, path: &str, action: &str) -> Option<Found> {
        if let Some(channel) = self.exact.get(path).and_then(|actions| actions.find(action)) {
            return Some(Found { channel: Arc::clone(channel), captures: Vec::new() });
        }
        if self.captured.is_empty() {
            return None;
        }
        let path = routed(path);
        let matched = self.router.at(&path).ok()?;
        let channel = self.captured[*matched.value].find(action)?;
        let captures = match &channel.pattern {
            PathPattern::Exact => Vec::new(),
            PathPattern::Captures { names, .. } => {
                let values = matched.params.iter().map(|(_, value)| captured(value));
                names.iter().map(Arc::clone).zip(values).collect()
            }
        };
        Some(Found { channel: Arc::clone(channel), captures })
    }

    /// All channels, by id.
    pub(crate) fn channels(&self) -> &BTreeMap<i64, Arc<Channel>> {
        &self.channels
    }
}

/// Whether the one route matches the decoded path.
fn is_match(route: &str, path: &str) -> bool {
    let mut router = Router::new();
    router.insert(route, ()).is_ok() && router.at(&routed(path)).is_ok()
}
