//! Keeps something connected to a broker until it is stopped.
//!
//! Owns when to connect and when to connect again. It must not know what the connection is used for.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use zato_connections::Lifecycle;

use crate::definition::Definition;
use crate::session::{Reason, Session};

/// How long a connection that is lost, or can't be had, rests before the next attempt.
pub const RECONNECT_INTERVAL: Duration = Duration::from_secs(5);

/// What is done with a connection.
pub(crate) trait Work: Send + 'static {
    /// Uses a session until it fails, which is the reason to return, or until `lifecycle` is stopped; then the session is to
    /// be closed. [`Lifecycle::connected`] is to be called as soon as everything works.
    fn run(&mut self, session: Session, lifecycle: &Lifecycle) -> impl Future<Output = Reason> + Send;

    /// Brings to an end what outlives a session. Called once, after the lifecycle was stopped.
    fn end(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// The lifecycle of what is connected to the broker of a definition.
pub(crate) fn lifecycle(kind: &'static str, name: &Arc<str>, definition: &Definition) -> Arc<Lifecycle> {
    let Definition { host, port, vhost, .. } = definition;
    Lifecycle::new(kind, Arc::clone(name), format!("{host}:{port}, virtual host {vhost}"))
}

/// Begins the lifecycle: has the work done over one connection after the other.
pub(crate) fn keep_up(lifecycle: &Arc<Lifecycle>, definition: Definition, mut work: impl Work) {
    let supervised = Arc::clone(lifecycle);
    lifecycle.begin(async move {
        supervise(&supervised, &definition, &mut work).await;
        work.end().await;
    });
}

async fn supervise(lifecycle: &Lifecycle, definition: &Definition, work: &mut impl Work) {
    let purpose = format!("zato {} {}", lifecycle.kind(), lifecycle.name());
    while let Some(opened) = lifecycle.unless_stopping(Session::open(definition, &purpose)).await {
        let reason = match opened {
            Ok(session) => work.run(session, lifecycle).await,
            Err(reason) => reason,
        };
        if lifecycle.is_stopping() {
            return;
        }
        lifecycle.disconnected(reason);
        if lifecycle.unless_stopping(sleep(RECONNECT_INTERVAL)).await.is_none() {
            return;
        }
    }
}
