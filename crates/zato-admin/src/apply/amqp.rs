//! The effect of AMQP definitions, channels and outgoing connections.
//!
//! Owns what is to be read again when one of them changes. It must not know what they mean at run time.

use std::collections::{HashMap, HashSet};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use zato_amqp::Outgoing;
use zato_connections::Connections;
use zato_odb::ObjectKind;
use zato_odb::model::{
    ChannelAmqp, ChannelAmqpFilter, DefinitionAmqp, Everything, OutgoingAmqp, OutgoingAmqpFilter, Service,
};
use zato_service::Error;

use super::{Cluster, Effect, logged, registered};
use crate::connectors::Connectors;

/// Runs AMQP channels and keeps outgoing connections.
pub(super) struct Amqp(pub(super) Connectors);

impl Effect for Amqp {
    fn kinds(&self) -> &'static [ObjectKind] {
        &[ObjectKind::DefinitionAmqp, ObjectKind::ChannelAmqp, ObjectKind::OutgoingAmqp]
    }

    fn load_all<'a>(&'a self, stored: &'a Cluster) -> BoxFuture<'a, Result<(), Error>> {
        self.load(stored).boxed()
    }

    fn apply<'a>(
        &'a self,
        stored: &'a Cluster,
        kind: ObjectKind,
        id: i64,
    ) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            match kind {
                ObjectKind::DefinitionAmqp => self.apply_definition(stored, id).await,
                ObjectKind::ChannelAmqp => match stored.find::<ChannelAmqp>(id).await? {
                    Some(object) => {
                        let definition = stored.find::<DefinitionAmqp>(object.def_id).await?;
                        self.put_channel(stored, &object, definition.as_ref()).await
                    }
                    None => {
                        self.0.amqp().remove(id);
                        Ok(())
                    }
                },
                _ => {
                    match stored.find::<OutgoingAmqp>(id).await? {
                        Some(object) => {
                            let definition = stored.find::<DefinitionAmqp>(object.def_id).await?;
                            self.put_outgoing(&object, definition.as_ref());
                        }
                        None => drop(self.outgoing().remove(id)),
                    }
                    Ok(())
                }
            }
        }
        .boxed()
    }
}

impl Amqp {
    async fn load(&self, stored: &Cluster) -> Result<(), Error> {
        let definitions = stored.list::<DefinitionAmqp>(&Everything).await?;
        let channels = stored.list::<ChannelAmqp>(&ChannelAmqpFilter::default()).await?;
        let outgoing = stored.list::<OutgoingAmqp>(&OutgoingAmqpFilter::default()).await?;
        let definitions: HashMap<i64, &DefinitionAmqp> =
            definitions.iter().map(|definition| (definition.id, definition)).collect();

        let wanted: HashSet<i64> = channels.iter().map(|object| object.id).collect();
        self.0.amqp().retain(&wanted);
        for object in &channels {
            self.put_channel(stored, object, definitions.get(&object.def_id).copied()).await?;
        }
        let outgoing = outgoing
            .iter()
            .filter_map(|object| self.connect(object, definitions.get(&object.def_id).copied()));
        self.outgoing().replace_all(outgoing);
        Ok(())
    }

    /// Connections follow their definition at once. Those of one that is gone have events of their own.
    async fn apply_definition(&self, stored: &Cluster, id: i64) -> Result<(), Error> {
        let definition = stored.find::<DefinitionAmqp>(id).await?;
        let filter = ChannelAmqpFilter { def_id: Some(id), ..ChannelAmqpFilter::default() };
        let channels = stored.list::<ChannelAmqp>(&filter).await?;
        let outgoing = stored.list::<OutgoingAmqp>(&OutgoingAmqpFilter { def_id: Some(id) }).await?;
        for object in &channels {
            self.put_channel(stored, object, definition.as_ref()).await?;
        }
        for object in &outgoing {
            self.put_outgoing(object, definition.as_ref());
        }
        Ok(())
    }

    async fn put_channel(
        &self,
        stored: &Cluster,
        object: &ChannelAmqp,
        definition: Option<&DefinitionAmqp>,
    ) -> Result<(), Error> {
        let service = stored.find::<Service>(object.service_id).await?;
        let prepare = || {
            let definition = definition.ok_or_else(|| Error::internal("its definition is not stored"))?;
            let service = service.ok_or_else(|| Error::internal("its service is not stored"))?;
            let service = registered(self.0.environment().registry(), &service.name)?;
            self.0.amqp_channel(object, definition, service)
        };
        match object.is_active.then(prepare).and_then(|channel| logged(object, channel)) {
            Some(channel) => self.0.amqp().put(object.id, channel),
            None => self.0.amqp().remove(object.id),
        }
        Ok(())
    }

    fn put_outgoing(&self, object: &OutgoingAmqp, definition: Option<&DefinitionAmqp>) {
        match self.connect(object, definition) {
            Some(connection) => self.outgoing().put(&connection),
            None => drop(self.outgoing().remove(object.id)),
        }
    }

    fn connect(&self, object: &OutgoingAmqp, definition: Option<&DefinitionAmqp>) -> Option<Outgoing> {
        let config = match definition {
            Some(definition) => self.0.amqp_outgoing(object, definition),
            None => Err(Error::internal("its definition is not stored")),
        };
        logged(object, config).map(Outgoing::start)
    }

    fn outgoing(&self) -> &Connections<Outgoing> {
        self.0.environment().outgoing().amqp_table()
    }
}
