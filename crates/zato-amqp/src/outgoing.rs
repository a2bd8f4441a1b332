//! Outgoing connections: named, configured, and kept connected.
//!
//! Owns what is added to a message, how long a sender waits, and the life of a connection from configuration to
//! retirement. It must not know what a confirmation looks like.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::Event;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use zato_cid::Cid;
use zato_connections::{Lifecycle, Named, Status};

use crate::definition::Definition;
use crate::error::SendError;
use crate::message::{Message, Properties};
use crate::publisher::{Outbound, Publisher};
use crate::session::{Reason, Session};
use crate::supervise::{self, Work};
use crate::wire;

/// The header that carries the correlation id of the call which sends the message.
const X_ZATO_CID: &str = "X-Zato-CID";

/// The header that says which part of which server sends the message.
const X_ZATO_COMPONENT: &str = "X-Zato-Component";

/// The header that says when the message was sent.
const X_ZATO_MSG_TS: &str = "X-Zato-Msg-TS";

/// UTC in ISO 8601 without a zone, as in the headers of outgoing HTTP calls.
const TIMESTAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]");

/// An outgoing connection as it is configured.
#[derive(Clone, Debug)]
pub struct OutgoingConfig {
    /// Its id, which stays when it is renamed.
    pub id: i64,
    /// The name that services know it by.
    pub name: Arc<str>,
    /// Whether services may use it. No connection is made otherwise.
    pub is_active: bool,
    /// The broker.
    pub definition: Definition,
    /// Properties of messages that don't say otherwise.
    pub properties: Properties,
    /// Who we are, for the header `X-Zato-Component` of messages that have none.
    pub component: Arc<str>,
    /// How long sending a message may take: waiting for a connection, publishing and confirmation together.
    pub timeout: Duration,
}

/// A connection that messages are sent over. A clone is the same connection.
///
/// It is kept open as long as it is active, and opened again every [`RECONNECT_INTERVAL`](crate::RECONNECT_INTERVAL) when it
/// fails. [`Named::retire`] stops it after messages under way are settled.
#[derive(Clone, Debug)]
pub struct Outgoing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: OutgoingConfig,
    lifecycle: Arc<Lifecycle>,
    publisher: watch::Receiver<Option<Arc<Publisher>>>,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher").field("is_open", &self.is_open()).finish_non_exhaustive()
    }
}

impl Outgoing {
    /// Makes the connection and, if it is active, begins to connect in the background. To be called within a tokio runtime.
    #[must_use]
    pub fn start(config: OutgoingConfig) -> Self {
        let lifecycle = supervise::lifecycle(Self::KIND, &config.name, &config.definition);
        let (current, publisher) = watch::channel(None);
        if config.is_active {
            let publishing = Publishing { name: Arc::clone(&config.name), current, patience: config.timeout };
            supervise::keep_up(&lifecycle, config.definition.clone(), publishing);
        }
        Self(Arc::new(Inner { config, lifecycle, publisher }))
    }

    /// Sends a message and returns once the broker has it: in a queue, and on disk if both the queue is durable and the
    /// message persistent.
    ///
    /// The headers `X-Zato-CID`, `X-Zato-Component` and `X-Zato-Msg-TS` are added if the message has none of that name. If
    /// the connection is down, it is waited for; nothing is sent twice.
    ///
    /// # Errors
    /// The broker does not have the message, or not for certain: see [`SendError`].
    pub async fn send(&self, cid: Cid, message: Message) -> Result<(), SendError> {
        let outbound = self.outbound(cid, message)?;
        let deadline = Instant::now() + self.0.config.timeout;
        let publisher = self.publisher(deadline).await?;
        let Ok(Ok(permit)) = timeout_at(deadline, publisher.admit()).await else {
            return Err(SendError::Busy { connection: self.label() });
        };
        timeout_at(deadline, publisher.publish(permit, outbound)).await.unwrap_or_else(|_| {
            let reason = format!("no answer within {:?}", self.0.config.timeout).into();
            Err(SendError::Unconfirmed { connection: self.label(), reason })
        })
    }

    /// How the connection fares.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.lifecycle.status()
    }

    /// The status, and what becomes of it.
    #[must_use]
    pub fn watch_status(&self) -> watch::Receiver<Status> {
        self.0.lifecycle.watch()
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &OutgoingConfig {
        &self.0.config
    }

    /// Stops the connection after messages under way are settled, which takes no longer than their time-out.
    pub async fn stop(&self) {
        self.0.lifecycle.end().await;
    }

    fn outbound(&self, cid: Cid, message: Message) -> Result<Outbound, SendError> {
        let Message { body, exchange, routing_key, properties, mut headers, may_be_unroutable } = message;
        if !headers.contains_key(X_ZATO_CID) {
            headers.insert(X_ZATO_CID.to_owned(), cid.as_str().into());
        }
        if !headers.contains_key(X_ZATO_COMPONENT) {
            headers.insert(X_ZATO_COMPONENT.to_owned(), (*self.0.config.component).into());
        }
        if !headers.contains_key(X_ZATO_MSG_TS) {
            // Every component of a date has a form of its own, so that there is nothing to fail.
            let now = OffsetDateTime::now_utc().format(TIMESTAMP).unwrap_or_default();
            headers.insert(X_ZATO_MSG_TS.to_owned(), now.into());
        }
        Ok(Outbound {
            exchange: wire::short("the exchange", exchange)?,
            routing_key: wire::short("the routing key", routing_key)?,
            properties: wire::to_wire(properties.or(&self.0.config.properties), headers)?,
            body,
            mandatory: !may_be_unroutable,
        })
    }

    /// The open connection, which is waited for.
    async fn publisher(&self, deadline: Instant) -> Result<Arc<Publisher>, SendError> {
        let mut current = self.0.publisher.clone();
        let is_open = |publisher: &Option<Arc<Publisher>>| {
            publisher.as_ref().is_some_and(|publisher| publisher.is_open())
        };
        if let Ok(Ok(publisher)) = timeout_at(deadline, current.wait_for(is_open)).await
            && let Some(publisher) = publisher.as_ref()
        {
            return Ok(Arc::clone(publisher));
        }
        let reason = match self.status() {
            Status::Disconnected { reason } => (*reason).into(),
            status => status.to_string().into(),
        };
        Err(SendError::Unavailable { connection: self.label(), reason })
    }

    fn label(&self) -> Box<str> {
        (*self.0.config.name).into()
    }
}

impl Named for Outgoing {
    const KIND: &'static str = "outgoing AMQP connection";

    fn id(&self) -> i64 {
        self.0.config.id
    }

    fn name(&self) -> &str {
        &self.0.config.name
    }

    fn is_active(&self) -> bool {
        self.0.config.is_active
    }

    fn retire(&self) {
        self.0.lifecycle.stop();
    }
}

/// Offers each session to senders for as long as it lasts.
struct Publishing {
    name: Arc<str>,
    current: watch::Sender<Option<Arc<Publisher>>>,
    /// How long messages under way are waited for at the end.
    patience: Duration,
}

impl Work for Publishing {
    async fn run(&mut self, session: Session, lifecycle: &Lifecycle) -> Reason {
        let mut events = session.events();
        let publisher = Arc::new(Publisher::new(Arc::clone(&self.name), session));
        self.current.send_replace(Some(Arc::clone(&publisher)));
        lifecycle.connected();
        let reason = loop {
            let event = tokio::select! {
                () = lifecycle.stopping() => break Reason::from("stopped"),
                event = events.next() => event,
            };
            match event {
                Some(Event::ConnectionBlocked(reason)) => lifecycle.blocked(reason),
                Some(Event::ConnectionUnblocked) => lifecycle.connected(),
                // Errors of channels come here as well, and don't end the connection.
                Some(Event::Error(error)) if !publisher.is_open() => break crate::session::explain(&error),
                Some(_) => {}
                None => break "the connection ended".into(),
            }
        };
        self.current.send_replace(None);
        if publisher.is_open() && timeout(self.patience, publisher.idle()).await.is_err() {
            tracing::warn!(connection = &*self.name, "messages were not confirmed when the connection ended");
        }
        publisher.end();
        if let Some(session) = publisher.into_session() {
            session.close().await;
        }
        reason
    }
}
