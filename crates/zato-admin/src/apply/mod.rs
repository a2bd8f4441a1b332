//! From what is stored to what is in effect.
//!
//! Owns reading objects from the operational database and handing them to the tables that calls go through: at start all
//! of them, afterwards one per event. What is stored but can't be in effect is logged and left out; it never keeps the
//! rest from working. This module must not know who changed what, or why.

mod convert;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use zato_channel::{ChannelConfig, Channels, Security};
use zato_odb::model::{
    Connection, Everything, HttpSoap, HttpSoapFilter, SecurityDefinition, SecurityFilter, Service,
};
use zato_odb::{Event, EventId, ObjectKind, Odb, Read};
use zato_service::{Environment, Error, Registration, Registry};

pub(crate) use convert::{channel_config, channel_error, channel_security, check_outgoing, outgoing_config};

use crate::error::OrError;

/// Puts the stored configuration of one cluster in effect on this server.
#[derive(Clone, Debug)]
pub struct Applier {
    odb: Odb,
    cluster_id: i64,
    channels: Channels,
    environment: Environment,
}

impl Applier {
    /// Reads from `odb` what belongs to the cluster, and writes it to `channels` and to the outgoing connections and the
    /// services of `environment`.
    #[must_use]
    pub fn new(odb: Odb, cluster_id: i64, channels: Channels, environment: Environment) -> Self {
        Self { odb, cluster_id, channels, environment }
    }

    /// Puts everything in effect, and takes out of effect what is not stored. Returns the event up to which that includes
    /// every change; the event log is to be followed from there.
    ///
    /// # Errors
    /// The operational database can't be read.
    pub async fn load_all(&self) -> Result<EventId, Error> {
        // Read first: what follows is at least as new.
        let last = self.odb.last_event(self.cluster_id).await.or_error()?;
        let services = self.odb.list::<Service>(self.cluster_id, &Everything).await.or_error()?;
        let definitions = self
            .odb
            .list::<SecurityDefinition>(self.cluster_id, &SecurityFilter::default())
            .await
            .or_error()?;
        let objects =
            self.odb.list::<HttpSoap>(self.cluster_id, &HttpSoapFilter::default()).await.or_error()?;

        for service in &services {
            configure(self.environment.registry(), service);
        }
        let services: HashMap<i64, &Service> = services.iter().map(|service| (service.id, service)).collect();
        let mut known = Known::default();
        for definition in definitions {
            known.add(definition);
        }
        let (channels, outgoing): (Vec<_>, Vec<_>) =
            objects.into_iter().partition(|object| object.connection == Connection::Channel);
        let channels = channels.iter().filter_map(|object| {
            let service = object.service_id.and_then(|id| services.get(&id).copied());
            logged(object, self.channel(object, service, &known))
        });
        for error in self.channels.replace_all(channels) {
            tracing::error!(%error, "a stored channel is left out");
        }
        let outgoing = outgoing.iter().filter_map(|object| {
            let definition = object.security_id.and_then(|id| known.definitions.get(&id));
            logged(object, outgoing_config(object, definition))
        });
        for error in self.environment.outgoing().http().replace_all(outgoing) {
            tracing::error!(error = chain(&error), "a stored outgoing connection is left out");
        }
        Ok(last)
    }

    /// Puts the object of an event in effect as it is stored now, or takes it out if it is gone. Doing so twice, or late,
    /// does no harm.
    ///
    /// # Errors
    /// The operational database can't be read; nothing has changed then.
    pub async fn apply(&self, event: &Event) -> Result<(), Error> {
        let id = event.object_id;
        match event.object {
            ObjectKind::HttpSoap => match self.find::<HttpSoap>(id).await? {
                Some(object) => self.put(&object).await?,
                None => self.remove(id),
            },
            ObjectKind::Security => match self.find::<SecurityDefinition>(id).await? {
                Some(definition) => self.put_security(definition).await?,
                None => self.channels.remove_security(id),
            },
            ObjectKind::Service => {
                if let Some(service) = self.find::<Service>(id).await? {
                    configure(self.environment.registry(), &service);
                }
            }
            // Nothing of these is kept in memory, and what a newer version knows is not for this one.
            _ => {}
        }
        Ok(())
    }

    async fn find<T: zato_odb::Object>(&self, id: i64) -> Result<Option<T>, Error> {
        // An object that went to another cluster is gone from this one.
        Ok(self.odb.find::<T>(id).await.or_error()?.filter(|object| object.cluster_id() == self.cluster_id))
    }

    async fn put(&self, object: &HttpSoap) -> Result<(), Error> {
        let mut known = Known::default();
        if let Some(id) = object.security_id
            && let Some(definition) = self.find::<SecurityDefinition>(id).await?
        {
            known.add(definition);
        }
        let is_in_effect = match object.connection {
            Connection::Channel => {
                self.environment.outgoing().http().remove(object.id);
                let service = match object.service_id {
                    Some(id) => self.find::<Service>(id).await?,
                    None => None,
                };
                let config = self.channel(object, service.as_ref(), &known);
                logged(object, config.and_then(|config| self.channels.put(config).map_err(Error::from)))
            }
            Connection::Outgoing => {
                self.channels.remove(object.id);
                let definition = object.security_id.and_then(|id| known.definitions.get(&id));
                let config = outgoing_config(object, definition);
                let put = |config| self.environment.outgoing().http().replace(config).map_err(Error::from);
                logged(object, config.and_then(put))
            }
        };
        if is_in_effect.is_none() {
            // What was in effect before is not what is stored now.
            self.remove(object.id);
        }
        Ok(())
    }

    fn remove(&self, id: i64) {
        self.channels.remove(id);
        self.environment.outgoing().http().remove(id);
    }

    async fn put_security(&self, definition: SecurityDefinition) -> Result<(), Error> {
        match channel_security(&definition) {
            Ok(security) => self.channels.put_security(&security),
            Err(error) => {
                tracing::error!(name = definition.name, %error, "a stored security definition guards no channel");
                self.channels.remove_security(definition.id);
            }
        }
        let filter = HttpSoapFilter {
            connection: Some(Connection::Outgoing),
            security_id: Some(definition.id),
            ..HttpSoapFilter::default()
        };
        for object in self.odb.list::<HttpSoap>(self.cluster_id, &filter).await.or_error()? {
            let config = outgoing_config(&object, Some(&definition));
            let put = |config| self.environment.outgoing().http().replace(config).map_err(Error::from);
            logged(&object, config.and_then(put));
        }
        Ok(())
    }

    fn channel(
        &self,
        object: &HttpSoap,
        service: Option<&Service>,
        known: &Known,
    ) -> Result<ChannelConfig, Error> {
        let service = service.ok_or_else(|| Error::internal("its service is not stored"))?;
        let service = registered(self.environment.registry(), &service.name)?;
        let security = match object.security_id {
            None => None,
            // A channel is never left open because its definition can't be used.
            Some(id) => Some(known.security(id)?),
        };
        channel_config(object, service, security)
    }
}

/// The security definitions that are at hand, and what channels make of them: one object for all channels of each.
#[derive(Default)]
struct Known {
    definitions: HashMap<i64, SecurityDefinition>,
    securities: HashMap<i64, Result<Arc<Security>, String>>,
}

impl Known {
    fn add(&mut self, definition: SecurityDefinition) {
        let security = channel_security(&definition).map_err(|error| error.message().to_owned());
        self.securities.insert(definition.id, security);
        self.definitions.insert(definition.id, definition);
    }

    fn security(&self, id: i64) -> Result<Arc<Security>, Error> {
        match self.securities.get(&id) {
            Some(Ok(security)) => Ok(Arc::clone(security)),
            Some(Err(message)) => Err(Error::internal(message.clone())),
            None => Err(Error::internal("its security definition is not stored")),
        }
    }
}

/// The service of that name that this server has.
pub(crate) fn registered(registry: &Registry, name: &str) -> Result<Arc<Registration>, Error> {
    registry
        .find(name)
        .ok_or_else(|| Error::not_found(format!("This server has no service of the name [{name}]")))
}

fn configure(registry: &Registry, service: &Service) {
    // Services of other servers of the cluster, or of an older version, need not be there.
    if let Some(registration) = registry.find(&service.name) {
        let slow_threshold = Duration::from_millis(service.slow_threshold.try_into().unwrap_or(0));
        registration.configure(service.id, service.is_active, slow_threshold);
    }
}

/// Logs why a stored object can't be in effect.
fn logged<T>(object: &HttpSoap, result: Result<T, Error>) -> Option<T> {
    let Err(error) = result else { return result.ok() };
    let causes: Vec<String> = error.causes().map(ToString::to_string).collect();
    tracing::error!(
        connection = %object.connection,
        transport = %object.transport,
        name = object.name,
        id = object.id,
        %error,
        causes = causes.join(": "),
        "a stored object is left out"
    );
    None
}

/// An error with its causes, in a line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
