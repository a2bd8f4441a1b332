//! The effect of ZeroMQ channels and outgoing connections.
//!
//! Owns what is to be read again when one of them changes. It must not know what they mean at run time.

use std::collections::HashSet;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use zato_connections::Connections;
use zato_odb::ObjectKind;
use zato_odb::model::{ChannelZmq, ChannelZmqFilter, Everything, OutgoingZmq, Service};
use zato_service::Error;
use zato_zmq::Outgoing;

use super::{Cluster, Effect, logged, registered};
use crate::connectors::Connectors;

/// Runs ZeroMQ channels and keeps outgoing connections.
pub(super) struct Zmq(pub(super) Connectors);

impl Effect for Zmq {
    fn kinds(&self) -> &'static [ObjectKind] {
        &[ObjectKind::ChannelZmq, ObjectKind::OutgoingZmq]
    }

    fn load_all<'a>(&'a self, stored: &'a Cluster) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let channels = stored.list::<ChannelZmq>(&ChannelZmqFilter::default()).await?;
            let wanted: HashSet<i64> = channels.iter().map(|object| object.id).collect();
            self.0.zmq().retain(|id, _| wanted.contains(&id));
            for object in &channels {
                self.put_channel(stored, object).await?;
            }
            let outgoing = stored.list::<OutgoingZmq>(&Everything).await?;
            let outgoing = outgoing.iter().map(|object| Outgoing::start(Connectors::zmq_outgoing(object)));
            self.outgoing().replace_all(outgoing);
            Ok(())
        }
        .boxed()
    }

    fn apply<'a>(
        &'a self,
        stored: &'a Cluster,
        kind: ObjectKind,
        id: i64,
    ) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            if kind == ObjectKind::ChannelZmq {
                match stored.find::<ChannelZmq>(id).await? {
                    Some(object) => self.put_channel(stored, &object).await?,
                    None => self.0.zmq().remove(id),
                }
            } else {
                match stored.find::<OutgoingZmq>(id).await? {
                    Some(object) => self.outgoing().put(&Outgoing::start(Connectors::zmq_outgoing(&object))),
                    None => drop(self.outgoing().remove(id)),
                }
            }
            Ok(())
        }
        .boxed()
    }
}

impl Zmq {
    async fn put_channel(&self, stored: &Cluster, object: &ChannelZmq) -> Result<(), Error> {
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

    fn outgoing(&self) -> &Connections<Outgoing> {
        self.0.environment().outgoing().zmq_table()
    }
}
