//! The effect of ZeroMQ channels and outgoing connections.
//!
//! Owns what is to be read again when one of them changes. It must not know what they mean at run time.

use std::collections::HashSet;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use zato_odb::ObjectKind;
use zato_odb::model::{ChannelZmq, ChannelZmqFilter, OutgoingZmq, Service};
use zato_service::{Environment, Error, Outgoing};

use super::connections::Table;
use super::{Cluster, Effect, logged, registered};
use crate::connectors::Connectors;

/// Keeps outgoing ZeroMQ connections.
pub(super) fn outgoing(environment: Environment) -> Table<OutgoingZmq, zato_zmq::Outgoing> {
    Table {
        environment,
        kinds: &[ObjectKind::OutgoingZmq],
        table: Outgoing::zmq_table,
        make: |_, stored| Ok(zato_zmq::Outgoing::start(Connectors::zmq_outgoing(stored))),
    }
}

/// Runs ZeroMQ channels.
pub(super) struct ZmqChannels(pub(super) Connectors);

impl Effect for ZmqChannels {
    fn kinds(&self) -> &'static [ObjectKind] {
        &[ObjectKind::ChannelZmq]
    }

    fn load_all<'a>(&'a self, stored: &'a Cluster) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let channels = stored.list::<ChannelZmq>(&ChannelZmqFilter::default()).await?;
            let wanted: HashSet<i64> = channels.iter().map(|object| object.id).collect();
            self.0.zmq().retain(&wanted);
            for object in &channels {
                self.put(stored, object).await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn apply<'a>(&'a self, stored: &'a Cluster, _: ObjectKind, id: i64) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            match stored.find::<ChannelZmq>(id).await? {
                Some(object) => self.put(stored, &object).await?,
                None => self.0.zmq().remove(id),
            }
            Ok(())
        }
        .boxed()
    }
}

impl ZmqChannels {
    async fn put(&self, stored: &Cluster, object: &ChannelZmq) -> Result<(), Error> {
        let service = stored.find::<Service>(object.service_id).await?;
        let prepare = || {
            let service = service.ok_or_else(|| Error::internal("its service is not stored"))?;
            let service = registered(self.0.environment().registry(), &service.name)?;
            self.0.zmq_channel(object, service)
        };
        match object.is_active.then(prepare).and_then(|channel| logged(object, channel)) {
            Some(channel) => self.0.zmq().put(object.id, channel),
            None => self.0.zmq().remove(object.id),
        }
        Ok(())
    }
}
