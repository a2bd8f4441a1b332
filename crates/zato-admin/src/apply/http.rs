//! The effect of channels, outgoing HTTP connections and what both refer to.
//!
//! Owns the order in which their parts come together. It must not know what the parts mean: that is
//! [`convert`](super::convert)'s business.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use zato_channel::{ChannelConfig, Channels, Security};
use zato_odb::ObjectKind;
use zato_odb::model::{
    Connection, Everything, HttpSoap, HttpSoapFilter, SecurityDefinition, SecurityFilter, Service, TlsCaCert,
};
use zato_service::{Environment, Error, chain};

use super::{
    Cluster, Effect, channel_config, channel_security, guards_channels, logged, outgoing_config, registered,
};

/// Routes calls to channels, and makes outgoing connections.
pub(super) struct Http {
    channels: Channels,
    environment: Environment,
}

impl Effect for Http {
    fn kinds(&self) -> &'static [ObjectKind] {
        &[ObjectKind::HttpSoap, ObjectKind::Security, ObjectKind::TlsCaCert]
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
                ObjectKind::Security => match stored.find::<SecurityDefinition>(id).await? {
                    Some(definition) => self.put_security(stored, &definition).await?,
                    None => self.channels.remove_security(id),
                },
                ObjectKind::TlsCaCert => {
                    let filter = HttpSoapFilter { sec_tls_ca_cert_id: Some(id), ..HttpSoapFilter::default() };
                    self.put_outgoing(stored, filter).await?;
                }
                _ => match stored.find::<HttpSoap>(id).await? {
                    Some(object) => self.put(stored, &object).await?,
                    None => self.remove(id),
                },
            }
            Ok(())
        }
        .boxed()
    }
}

impl Http {
    pub(super) fn new(channels: Channels, environment: Environment) -> Self {
        Self { channels, environment }
    }

    async fn load(&self, stored: &Cluster) -> Result<(), Error> {
        let services = stored.list::<Service>(&Everything).await?;
        let definitions = stored.list::<SecurityDefinition>(&SecurityFilter::default()).await?;
        let authorities = stored.list::<TlsCaCert>(&Everything).await?;
        let objects = stored.list::<HttpSoap>(&HttpSoapFilter::default()).await?;

        let services: HashMap<i64, &Service> = services.iter().map(|service| (service.id, service)).collect();
        let authorities: HashMap<i64, TlsCaCert> =
            authorities.into_iter().map(|authority| (authority.id, authority)).collect();
        let mut known = Known { authorities, ..Known::default() };
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
            tracing::error!(error = chain(&error), "a stored channel is left out");
        }
        let outgoing = outgoing.iter().filter_map(|object| logged(object, known.outgoing_config(object)));
        for error in self.environment.outgoing().http().replace_all(outgoing) {
            tracing::error!(error = chain(&error), "a stored outgoing connection is left out");
        }
        Ok(())
    }

    async fn put(&self, stored: &Cluster, object: &HttpSoap) -> Result<(), Error> {
        let mut known = Known::default();
        if let Some(id) = object.security_id
            && let Some(definition) = stored.find::<SecurityDefinition>(id).await?
        {
            known.add(definition);
        }
        if let Some(id) = object.sec_tls_ca_cert_id
            && let Some(authority) = stored.find::<TlsCaCert>(id).await?
        {
            known.authorities.insert(id, authority);
        }
        let is_in_effect = match object.connection {
            Connection::Channel => {
                self.environment.outgoing().http().remove(object.id);
                let service = match object.service_id {
                    Some(id) => stored.find::<Service>(id).await?,
                    None => None,
                };
                let config = self.channel(object, service.as_ref(), &known);
                logged(object, config.and_then(|config| self.channels.put(config).map_err(Error::from)))
            }
            Connection::Outgoing => {
                self.channels.remove(object.id);
                let config = known.outgoing_config(object);
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

    async fn put_security(&self, stored: &Cluster, definition: &SecurityDefinition) -> Result<(), Error> {
        let security_id = Some(definition.id);
        if guards_channels(&definition.kind) {
            match channel_security(definition) {
                Ok(security) if self.channels.put_security(&security) => {}
                // There may be some that were left out because nothing could guard them.
                Ok(_) => {
                    let connection = Some(Connection::Channel);
                    let filter = HttpSoapFilter { security_id, connection, ..HttpSoapFilter::default() };
                    self.put_all(stored, filter).await?;
                }
                Err(error) => {
                    let causes = error.causes_in_line();
                    tracing::error!(
                        name = definition.name, %error, causes, "a stored security definition guards no channel"
                    );
                    self.channels.remove_security(definition.id);
                }
            }
        }
        let filter = HttpSoapFilter { security_id, ..HttpSoapFilter::default() };
        self.put_outgoing(stored, filter).await
    }

    /// Makes the outgoing connections anew that a filter selects.
    async fn put_outgoing(&self, stored: &Cluster, filter: HttpSoapFilter) -> Result<(), Error> {
        self.put_all(stored, HttpSoapFilter { connection: Some(Connection::Outgoing), ..filter }).await
    }

    async fn put_all(&self, stored: &Cluster, filter: HttpSoapFilter) -> Result<(), Error> {
        for object in stored.list::<HttpSoap>(&filter).await? {
            self.put(stored, &object).await?;
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

/// What objects refer to, as far as it is at hand. All channels of one definition share what is made of it.
#[derive(Default)]
struct Known {
    definitions: HashMap<i64, SecurityDefinition>,
    securities: HashMap<i64, Result<Arc<Security>, String>>,
    authorities: HashMap<i64, TlsCaCert>,
}

impl Known {
    fn add(&mut self, definition: SecurityDefinition) {
        let security = channel_security(&definition).map_err(|error| error.message().to_owned());
        self.securities.insert(definition.id, security);
        self.definitions.insert(definition.id, definition);
    }

    fn outgoing_config(&self, object: &HttpSoap) -> Result<zato_outgoing::Config, Error> {
        let definition = object.security_id.and_then(|id| self.definitions.get(&id));
        let authority = object.sec_tls_ca_cert_id.and_then(|id| self.authorities.get(&id));
        outgoing_config(object, definition, authority)
    }

    fn security(&self, id: i64) -> Result<Arc<Security>, Error> {
        match self.securities.get(&id) {
            Some(Ok(security)) => Ok(Arc::clone(security)),
            Some(Err(message)) => Err(Error::internal(message.clone())),
            None => Err(Error::internal("its security definition is not stored")),
        }
    }
}
