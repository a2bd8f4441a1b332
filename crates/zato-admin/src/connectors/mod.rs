//! What connects to message brokers and sockets for as long as it is configured to.
//!
//! Owns the run-time life of AMQP and ZeroMQ channels, which one server of a cluster runs, and what the server says of itself
//! to brokers. It must not know how configuration is stored.

mod amqp;
mod invocation;
mod listeners;
mod zmq;

use std::fmt;
use std::sync::Arc;

use zato_service::Environment;

pub(crate) use amqp::AmqpChannel;
pub(crate) use listeners::Listeners;
pub(crate) use zmq::ZmqChannel;

/// How long messages in hand may take to be handled when their channel stops.
const GRACE: std::time::Duration = std::time::Duration::from_secs(30);

/// How long sending a message may take, waiting for a connection included.
const SEND_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// The channels of message brokers and sockets. Clones share them.
#[derive(Clone)]
pub struct Connectors(Arc<Inner>);

struct Inner {
    environment: Environment,
    /// The machine, as `hostname/fully.qualified.name`.
    host: Box<str>,
    amqp: Listeners<zato_amqp::Consumer>,
    zmq: Listeners<zato_zmq::Channel>,
}

impl Connectors {
    /// Connectors that run no channels until they are told to. `host` is the machine, as `hostname/fully.qualified.name`.
    #[must_use]
    pub fn new(environment: Environment, host: &str) -> Self {
        let (amqp, zmq) = (Listeners::new(), Listeners::new());
        Self(Arc::new(Inner { environment, host: host.into(), amqp, zmq }))
    }

    /// Starts all active channels if this server is to run them, or stops them. Messages in hand are finished.
    pub fn lead(&self, leads: bool) {
        self.0.amqp.lead(leads);
        self.0.zmq.lead(leads);
    }

    /// Stops all channels and returns when messages in hand are finished.
    pub async fn stop(&self) {
        self.lead(false);
        self.0.amqp.ended().await;
        self.0.zmq.ended().await;
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.0.environment
    }

    pub(crate) fn amqp(&self) -> &Listeners<zato_amqp::Consumer> {
        &self.0.amqp
    }

    pub(crate) fn zmq(&self) -> &Listeners<zato_zmq::Channel> {
        &self.0.zmq
    }

    /// The machine's fully qualified name.
    fn fully_qualified_name(&self) -> &str {
        self.0.host.split_once('/').map_or(&*self.0.host, |(_, name)| name)
    }
}

impl fmt::Debug for Connectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connectors").field("host", &self.0.host).finish_non_exhaustive()
    }
}
