//! The effect of stored services: how they are configured.
//!
//! Owns the settings of services at run time. It must not know how services are reached.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use zato_odb::ObjectKind;
use zato_odb::model::{Everything, Service};
use zato_service::{Environment, Error, Registration, Registry};

use super::{Cluster, Effect};

/// Configures the registered services.
pub(super) struct Services {
    environment: Environment,
}

impl Services {
    pub(super) fn new(environment: Environment) -> Self {
        Self { environment }
    }

    fn configure(&self, service: &Service) {
        // Services of other servers of the cluster, or of an older version, need not be there.
        if let Some(registration) = self.environment.registry().find(&service.name) {
            let slow_threshold = Duration::from_millis(service.slow_threshold.try_into().unwrap_or(0));
            registration.configure(service.id, service.is_active, slow_threshold);
        }
    }

    /// Samples are configured in the key/value store; an event of the service says that this may have changed.
    async fn sample(&self, name: &str) {
        let Some(registration) = self.environment.registry().find(name) else { return };
        match zato_stats::sample_frequency(self.environment.kvdb(), name).await {
            Ok(frequency) => registration.sample_every(frequency),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, service = name, "whether samples are taken can't be read");
            }
        }
    }

    /// A service that was deleted is still in the program, but it is not to be found any longer.
    fn remove_unless(&self, is_kept: impl Fn(&Registration) -> bool) {
        let registry = self.environment.registry();
        for registration in registry.services().iter().filter(|registration| !is_kept(registration)) {
            tracing::info!(service = registration.name(), "a deleted service is taken away");
            registry.remove(registration.name());
        }
    }
}

impl Effect for Services {
    fn kinds(&self) -> &'static [ObjectKind] {
        &[ObjectKind::Service]
    }

    fn load_all<'a>(&'a self, stored: &'a Cluster) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let services = stored.list::<Service>(&Everything).await?;
            for service in &services {
                self.configure(service);
            }
            let is_stored = |name: &str| services.iter().any(|service| service.name == name);
            self.remove_unless(|registration| is_stored(registration.name()));
            Ok(())
        }
        .boxed()
    }

    fn apply<'a>(&'a self, stored: &'a Cluster, _: ObjectKind, id: i64) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            match stored.find::<Service>(id).await? {
                Some(service) => {
                    self.configure(&service);
                    self.sample(&service.name).await;
                }
                None => self.remove_unless(|registration| registration.id() != id),
            }
            Ok(())
        }
        .boxed()
    }
}

/// The service of that name that this server has.
pub(crate) fn registered(registry: &Registry, name: &str) -> Result<Arc<Registration>, Error> {
    registry
        .find(name)
        .ok_or_else(|| Error::not_found(format!("This server has no service of the name [{name}]")))
}
