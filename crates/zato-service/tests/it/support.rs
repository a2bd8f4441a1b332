//! A small house to run services in.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use time::OffsetDateTime;
use tokio_util::task::TaskTracker;
use zato_cid::{Form, SystemGenerator};
use zato_kvdb::{Embedded, Kvdb, SystemClock};
use zato_service::{
    ChannelKind, Context, Description, Environment, EnvironmentParts, Error, Input, Origin, Outgoing,
    Registry, Service,
};

/// A registry with everything around it.
pub(crate) struct Fixture {
    pub(crate) registry: Registry,
    pub(crate) environment: Environment,
    _folder: tempfile::TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::new();
        let file = folder.path().join("kvdb.redb");
        let store = Embedded::open(&file, Arc::new(SystemClock)).await.unwrap();
        let environment = Environment::new(EnvironmentParts {
            outgoing: Outgoing::new(zato_outgoing::Outgoing::new(
                zato_outgoing::Environment::new("test").unwrap(),
            )),
            kvdb: Kvdb::new(store),
            registry: registry.clone(),
            cids: SystemGenerator::new(Form::default()),
            clock: OffsetDateTime::now_utc,
            tasks: TaskTracker::new(),
        });
        Self { registry, environment, _folder: folder }
    }

    pub(crate) fn context(&self) -> Context {
        self.environment.context(self.environment.new_cid(), ChannelKind::HttpSoap, Origin::default())
    }

    /// Calls a service with a JSON body.
    pub(crate) async fn call(&self, name: &str, body: &[u8]) -> Result<Value, Error> {
        let body = Bytes::copy_from_slice(body);
        let service = self.registry.find(name).expect("the service is registered");
        service.call(&mut self.context(), Input::Json(&body)).await?.to_value()
    }
}

/// A service made of a function.
pub(crate) fn service<F>(name: &'static str, function: F) -> Function<F>
where
    F: Fn(&mut Context, Value) -> Result<Value, Error> + Send + Sync + 'static,
{
    Function { name, function }
}

pub(crate) struct Function<F> {
    name: &'static str,
    function: F,
}

impl<F> Service for Function<F>
where
    F: Fn(&mut Context, Value) -> Result<Value, Error> + Send + Sync + 'static,
{
    type Input = Value;
    type Output = Value;

    fn description(&self) -> Description {
        Description::new(self.name)
    }

    async fn handle(&self, cx: &mut Context, input: Value) -> Result<Value, Error> {
        (self.function)(cx, input)
    }
}

/// A service that hands its input to another one.
pub(crate) struct Forward {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
}

impl Service for Forward {
    type Input = Value;
    type Output = Value;

    fn description(&self) -> Description {
        Description::new(self.name)
    }

    async fn handle(&self, cx: &mut Context, input: Value) -> Result<Value, Error> {
        cx.invoke(self.target, &input).await
    }
}
