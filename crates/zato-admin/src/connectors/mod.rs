//! What connects to message brokers and sockets for as long as it is configured to.
//!
//! Owns the run-time life of AMQP and ZeroMQ channels, which one server of a cluster runs, and what the server says of itself
//! to brokers. It must not know how configuration is stored.

mod amqp;
mod invocation;
mod listeners;
pub(crate) mod status;
mod zmq;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use zato_service::Environment;

use listeners::Listeners;

/// How long sending a message may take, waiting for a connection included.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// The channels of message brokers and sockets. Clones share them.
#[derive(Clone)]
pub struct Connectors(Arc<Inner>);

struct Inner {
    environment: Environment,
    /// The machine, as `hostname/fully.qualified.name`.
    host: Box<str>,
    grace: Duration,
    amqp: Listeners<zato_amqp::Consumer>,
    zmq: Listeners<zato_zmq::Channel>,
}

impl Connectors {
    /// Connectors that run no channels until this server leads. `host` is the machine, as
    /// `hostname/fully.qualified.name`. When a channel stops, its messages in hand have the `grace` to be handled.
    #[must_use]
    pub fn new(environment: Environment, host: &str, grace: Duration) -> Self {
        let (amqp, zmq) = (Listeners::new(), Listeners::new());
        Self(Arc::new(Inner { environment, host: host.into(), grace, amqp, zmq }))
    }

    /// Runs all active channels while this server leads, until `stop` is cancelled; then returns when messages in hand are
    /// handled, or when their grace is over.
    pub async fn run(self, mut leads: watch::Receiver<bool>, stop: CancellationToken) {
        loop {
            let is_leader = *leads.borrow_and_update();
            self.lead(is_leader);
            if !matches!(stop.run_until_cancelled(leads.changed()).await, Some(Ok(()))) {
                break;
            }
        }
        self.lead(false);
        self.0.amqp.ended().await;
        self.0.zmq.ended().await;
    }

    fn lead(&self, leads: bool) {
        self.0.amqp.lead(leads);
        self.0.zmq.lead(leads);
    }

    /// Whether this server runs the channels.
    pub(crate) fn leads(&self) -> bool {
        self.0.amqp.leads()
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
