//! The lifecycle of a connection that is kept up in the background.
//!
//! Owns what the task that keeps it up shares with whoever holds its handle: how it fares, that it is to end, that it has
//! ended; and what is logged when its status changes. It must not know what is connected, nor when to try again.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::Status;

/// Shared by the task that keeps a connection up and by the connection's handle.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use zato_connections::{Lifecycle, Status};
///
/// let lifecycle = Lifecycle::new("mailbox", "orders".into(), "mail.example.com:143".to_owned());
/// assert_eq!(lifecycle.status(), Status::Inactive);
/// let task = lifecycle.clone();
/// lifecycle.begin(async move {
///     task.connected();
///     task.stopping().await;
/// });
/// lifecycle.watch().wait_for(|status| *status == Status::Connected).await.expect("the task is there");
/// lifecycle.end().await;
/// assert_eq!(lifecycle.status(), Status::Stopped);
/// # }
/// ```
#[derive(Debug)]
pub struct Lifecycle {
    kind: &'static str,
    name: Arc<str>,
    address: String,
    status: watch::Sender<Status>,
    stop: CancellationToken,
    done: CancellationToken,
}

impl Lifecycle {
    /// That of a connection which nobody keeps up yet. Kind, name and address are for the log; the address must not have a
    /// password in it.
    #[must_use]
    pub fn new(kind: &'static str, name: Arc<str>, address: String) -> Arc<Self> {
        let (stop, done) = (CancellationToken::new(), CancellationToken::new());
        Arc::new(Self { kind, name, address, status: watch::Sender::new(Status::Inactive), stop, done })
    }

    /// What the connection is, such as `mailbox`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The connection's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs the task, which is to end soon after [`stopping`](Self::stopping) did. To be called once, within a tokio runtime.
    pub fn begin(self: &Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        self.status.send_replace(Status::Connecting);
        let ended = Ended(Arc::clone(self));
        tokio::spawn(async move {
            let _ended = ended;
            task.await;
        });
    }

    /// To be called when everything works.
    pub fn connected(&self) {
        if self.status.send_replace(Status::Connected) != Status::Connected {
            tracing::info!(kind = self.kind, name = &*self.name, address = self.address, "connected");
        }
    }

    /// To be called when there is no connection, with the reason. An outage that goes on for the same reason is no news.
    pub fn disconnected(&self, reason: impl Into<Arc<str>>) {
        let status = Status::Disconnected { reason: reason.into() };
        self.warn(&status, "not connected; trying again until it is");
    }

    /// To be called when the other side takes nothing for now, with its reason.
    pub fn blocked(&self, reason: impl Into<Arc<str>>) {
        self.warn(&Status::Blocked { reason: reason.into() }, "the other side takes nothing for now");
    }

    fn warn(&self, status: &Status, message: &'static str) {
        if self.status.send_replace(status.clone()) != *status {
            tracing::warn!(kind = self.kind, name = &*self.name, address = self.address, %status, "{message}");
        }
    }

    /// How the connection fares.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// The status, and what becomes of it.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Tells the task to come to an end.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Whether the task is to come to an end.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Ends when the task is to come to an end.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// The outcome of a future, or nothing if the task is to come to an end first.
    pub async fn unless_stopping<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.stop.run_until_cancelled(future).await
    }

    /// Tells the task to come to an end, and returns when it has, at once if it never began.
    pub async fn end(&self) {
        self.stop();
        if self.status() != Status::Inactive {
            self.done.cancelled().await;
        }
    }
}

/// Tells that the task has ended, however that came.
struct Ended(Arc<Lifecycle>);

impl Drop for Ended {
    fn drop(&mut self) {
        let Lifecycle { kind, name, address, status, done, .. } = &*self.0;
        if std::thread::panicking() {
            tracing::error!(
                kind,
                name = &**name,
                address,
                "what kept the connection up has panicked; nothing does now"
            );
        }
        status.send_replace(Status::Stopped);
        done.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_never_began_ends_at_once() {
        let lifecycle = Lifecycle::new("mailbox", "orders".into(), String::new());
        lifecycle.end().await;
        assert_eq!(lifecycle.status(), Status::Inactive);
        assert!(lifecycle.is_stopping());
    }

    #[tokio::test]
    async fn whoever_ends_it_waits_for_the_task() {
        let lifecycle = Lifecycle::new("mailbox", "orders".into(), String::new());
        let task = Arc::clone(&lifecycle);
        lifecycle.begin(async move {
            assert_eq!(task.unless_stopping(std::future::ready(1)).await, Some(1));
            task.disconnected("no route to host");
            assert_eq!(task.unless_stopping(std::future::pending::<()>()).await, None);
            tokio::task::yield_now().await;
            task.blocked("low on memory");
        });
        let mut status = lifecycle.watch();
        let down = Status::Disconnected { reason: "no route to host".into() };
        status.wait_for(|status| *status == down).await.unwrap();
        lifecycle.end().await;
        assert_eq!(lifecycle.status(), Status::Stopped);
    }

    #[tokio::test]
    async fn a_task_that_panics_has_ended() {
        let lifecycle = Lifecycle::new("mailbox", "orders".into(), String::new());
        let task = Arc::clone(&lifecycle);
        lifecycle.begin(async move {
            task.connected();
            panic!("on purpose")
        });
        let mut status = lifecycle.watch();
        status.wait_for(|status| *status == Status::Stopped).await.unwrap();
        lifecycle.end().await;
        assert_eq!(lifecycle.status(), Status::Stopped);
    }
}
