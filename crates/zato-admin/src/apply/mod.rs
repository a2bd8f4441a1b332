//! From what is stored to what is in effect.
//!
//! Owns reading objects from the operational database and having them put in effect: at start all of them, afterwards one
//! per event. What that means for a kind of objects is its [`Effect`], in a module of its own. What is stored but can't be
//! in effect is logged and left out; it never keeps the rest from working. This module must not know who changed what, or
//! why.

mod amqp;
mod connections;
mod convert;
mod ftp;
mod http;
mod jobs;
mod roles;
mod security;
mod services;
mod sql;
mod zmq;

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use zato_channel::Channels;
use zato_odb::{Event, EventId, Object, ObjectKind, Odb, Read};
use zato_scheduler::Scheduler;
use zato_service::{Environment, Error};

pub(crate) use convert::{
    channel_config, channel_error, check_authorities, check_identity, check_outgoing, message_format,
    outgoing_config,
};
pub(crate) use security::{channel_security, check_guard, guards_channels};
pub(crate) use services::registered;
pub(crate) use sql::{sql_engine, sql_pool};

use crate::connectors::Connectors;
use crate::error::OrError;

/// What stored objects of some kinds bring about on this server.
///
/// An object may be applied twice, or late, or after others that were changed later: what counts is how it is stored when
/// it is read.
pub(crate) trait Effect: Send + Sync {
    /// The kinds of objects that have it. Several effects may share one.
    fn kinds(&self) -> &'static [ObjectKind];

    /// Puts all objects of the cluster in effect, and takes out of effect what is not stored.
    fn load_all<'a>(&'a self, stored: &'a Cluster) -> BoxFuture<'a, Result<(), Error>>;

    /// Puts one object in effect as it is stored now, or takes it out if it is gone.
    fn apply<'a>(
        &'a self,
        stored: &'a Cluster,
        kind: ObjectKind,
        id: i64,
    ) -> BoxFuture<'a, Result<(), Error>>;
}

/// The stored objects of one cluster.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    odb: Odb,
    id: i64,
}

impl Cluster {
    /// The object with an id. One that went to another cluster is gone from this one.
    pub(crate) async fn find<T: Object>(&self, id: i64) -> Result<Option<T>, Error> {
        Ok(self.odb.find::<T>(id).await.or_error()?.filter(|object| object.cluster_id() == self.id))
    }

    /// The objects that pass a filter.
    pub(crate) async fn list<T: Object>(&self, filter: &T::Filter) -> Result<Vec<T>, Error> {
        self.odb.list::<T>(self.id, filter).await.or_error()
    }
}

/// Puts the stored configuration of one cluster in effect on this server.
#[derive(Clone)]
pub struct Applier {
    cluster: Cluster,
    effects: Arc<[Arc<dyn Effect>]>,
}

impl fmt::Debug for Applier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Applier").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

impl Applier {
    /// Reads from `odb` what belongs to the cluster, and writes it to `channels`, to `connectors` and to the connections and
    /// services of `environment`.
    #[must_use]
    pub fn new(
        odb: Odb,
        cluster_id: i64,
        channels: Channels,
        environment: Environment,
        connectors: Connectors,
    ) -> Self {
        // In the order in which they are loaded: channels lead to services.
        let effects: Vec<Arc<dyn Effect>> = vec![
            Arc::new(services::Services::new(environment.clone())),
            Arc::new(ftp::effect(environment.clone())),
            Arc::new(sql::effect(environment.clone())),
            Arc::new(zmq::outgoing(environment.clone())),
            Arc::new(roles::Roles::new(channels.clone())),
            Arc::new(http::Http::new(channels, environment)),
            Arc::new(amqp::Amqp(connectors.clone())),
            Arc::new(zmq::ZmqChannels(connectors)),
        ];
        Self { cluster: Cluster { odb, id: cluster_id }, effects: effects.into() }
    }

    /// Tells `scheduler` about the jobs of the cluster as well.
    #[must_use]
    pub fn with_scheduler(mut self, scheduler: Scheduler) -> Self {
        let jobs: Arc<dyn Effect> = Arc::new(jobs::Jobs::new(scheduler));
        self.effects = self.effects.iter().cloned().chain([jobs]).collect();
        self
    }

    /// Puts everything in effect, and takes out of effect what is not stored. Returns the event up to which that includes
    /// every change; the event log is to be followed from there.
    ///
    /// # Errors
    /// The operational database can't be read.
    pub async fn load_all(&self) -> Result<EventId, Error> {
        // Read first: what follows is at least as new.
        let last = self.cluster.odb.last_event(self.cluster.id).await.or_error()?;
        for effect in &*self.effects {
            effect.load_all(&self.cluster).await?;
        }
        Ok(last)
    }

    /// Puts the object of an event in effect as it is stored now, or takes it out if it is gone. Doing so twice, or late,
    /// does no harm. Kinds of objects of which nothing is kept in memory, or which only a newer version knows, have no
    /// effect.
    ///
    /// # Errors
    /// The operational database can't be read; what of it was not put in effect is when the event is applied again.
    pub async fn apply(&self, event: &Event) -> Result<(), Error> {
        for effect in self.effects.iter().filter(|effect| effect.kinds().contains(&event.object)) {
            effect.apply(&self.cluster, event.object, event.object_id).await?;
        }
        Ok(())
    }
}

/// Logs why a stored object can't be in effect.
pub(crate) fn logged<T: Object, R>(object: &T, result: Result<R, Error>) -> Option<R> {
    let error = match result {
        Ok(result) => return Some(result),
        Err(error) => error,
    };
    tracing::error!(
        object = %T::KIND,
        name = object.name(),
        id = object.id(),
        %error,
        causes = error.causes_in_line(),
        "a stored object is left out"
    );
    None
}
