//! The life of a background task: how it fares, that it is to end, that it has ended.
//!
//! Owns what the task shares with whoever holds its handle, and what is logged when the status changes. It must not know
//! sockets.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use zato_connections::Status;

/// Shared by a task and its handle.
#[derive(Debug)]
pub(crate) struct Life {
    kind: &'static str,
    name: Arc<str>,
    address: String,
    status: watch::Sender<Status>,
    stop: CancellationToken,
    done: CancellationToken,
}

impl Life {
    pub(crate) fn new(kind: &'static str, name: Arc<str>, address: String, status: Status) -> Arc<Self> {
        let (stop, done) = (CancellationToken::new(), CancellationToken::new());
        Arc::new(Self { kind, name, address, status: watch::Sender::new(status), stop, done })
    }

    /// Runs the task, which is to end soon after [`stopping`](Self::stopping) did.
    pub(crate) fn live(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        let life = Arc::clone(self);
        tokio::spawn(async move {
            let _done = life.done.clone().drop_guard();
            task.await;
            life.status.send_replace(Status::Stopped);
        });
    }

    pub(crate) fn connected(&self) {
        let was = self.status.send_replace(Status::Connected);
        if was != Status::Connected {
            tracing::info!(kind = self.kind, name = &*self.name, address = self.address, "connected");
        }
    }

    /// Says so once per outage and reason.
    pub(crate) fn disconnected(&self, reason: String) {
        let status = Status::Disconnected { reason: reason.into() };
        let was = self.status.send_replace(status.clone());
        if was != status {
            tracing::warn!(
                kind = self.kind,
                name = &*self.name,
                address = self.address,
                %status,
                "not connected; trying again until it is"
            );
        }
    }

    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Ends when the task is to end.
    pub(crate) async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// The outcome of a future, or nothing if the task is to end first.
    pub(crate) async fn unless_stopping<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.stop.run_until_cancelled(future).await
    }

    /// Ends when the task has ended.
    pub(crate) async fn done(&self) {
        self.done.cancelled().await;
    }
}
