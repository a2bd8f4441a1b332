//! Keeps something connected to a broker until it is stopped.
//!
//! Owns when to connect, when to connect again, what is logged of it and the status that operators see: one log line when
//! the connection goes, another for each new reason why it doesn't come back, one when it is back. It must not know what
//! the connection is used for.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use zato_connections::Status;

use crate::definition::Definition;
use crate::session::{Reason, Session};

/// How long a connection that is lost, or can't be had, rests before the next attempt.
pub const RECONNECT_INTERVAL: Duration = Duration::from_secs(5);

/// What is done with a connection.
pub(crate) trait Work: Send + 'static {
    /// Uses a session until it fails, which is the reason to return, or until `link` is stopped; then the session is to be
    /// closed. [`Link::connected`] is to be called as soon as everything works.
    fn run(&mut self, session: Session, link: &Link) -> impl Future<Output = Reason> + Send;

    /// Brings to an end what outlives a session. Called once, after the link was stopped.
    fn end(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// What the task that keeps a connection shares with whoever holds the connection's handle.
#[derive(Debug)]
pub(crate) struct Link {
    kind: &'static str,
    name: Arc<str>,
    status: watch::Sender<Status>,
    stop: CancellationToken,
    done: CancellationToken,
}

impl Link {
    /// A link that is not kept up by anybody yet.
    pub(crate) fn new(kind: &'static str, name: Arc<str>, status: Status) -> Self {
        let (stop, done) = (CancellationToken::new(), CancellationToken::new());
        Self { kind, name, status: watch::Sender::new(status), stop, done }
    }

    /// Keeps the link up in a task of its own.
    pub(crate) fn keep_up(self: &Arc<Self>, definition: Definition, mut work: impl Work) {
        let link = Arc::clone(self);
        tokio::spawn(async move {
            let _done = link.done.clone().drop_guard();
            link.supervise(&definition, &mut work).await;
            work.end().await;
            link.status.send_replace(Status::Stopped);
        });
    }

    async fn supervise(&self, definition: &Definition, work: &mut impl Work) {
        let purpose = format!("zato {} {}", self.kind, self.name);
        loop {
            let opening = self.stop.run_until_cancelled(Session::open(definition, &purpose));
            let reason = match opening.await {
                None => return,
                Some(Ok(session)) => work.run(session, self).await,
                Some(Err(reason)) => reason,
            };
            if self.stop.is_cancelled() {
                return;
            }
            self.disconnected(definition, reason);
            if self.stop.run_until_cancelled(tokio::time::sleep(RECONNECT_INTERVAL)).await.is_none() {
                return;
            }
        }
    }

    /// To be called when everything works.
    pub(crate) fn connected(&self) {
        tracing::info!(kind = self.kind, name = &*self.name, "connected");
        self.status.send_replace(Status::Connected);
    }

    /// To be called when the broker takes no messages, and when it takes them again.
    pub(crate) fn blocked(&self, reason: Option<String>) {
        match reason {
            Some(reason) => {
                tracing::warn!(kind = self.kind, name = &*self.name, reason, "the broker takes no messages");
                self.status.send_replace(Status::Blocked { reason: reason.into() });
            }
            None => self.connected(),
        }
    }

    fn disconnected(&self, definition: &Definition, reason: Reason) {
        let status = Status::Disconnected { reason: reason.into() };
        // An outage that goes on is no news.
        if *self.status.borrow() != status {
            tracing::warn!(
                kind = self.kind,
                name = &*self.name,
                definition = &*definition.name,
                host = definition.host,
                port = definition.port,
                vhost = definition.vhost,
                %status,
                "not connected; trying again every {} seconds",
                RECONNECT_INTERVAL.as_secs()
            );
        }
        self.status.send_replace(status);
    }

    /// The status, and what becomes of it.
    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Tells the task to come to an end.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Ends when the task is to come to an end.
    pub(crate) async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Ends when the task has come to an end. A link that nobody keeps up never does.
    pub(crate) async fn done(&self) {
        self.done.cancelled().await;
    }
}
