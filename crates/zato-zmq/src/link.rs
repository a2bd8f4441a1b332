//! Sockets that connect.
//!
//! Owns opening one, within a bounded time, and noticing that its peer has gone. It must not know what is sent or received.

use std::time::Duration;

use futures_util::stream::{Stream, StreamExt};
use zato_connections::Lifecycle;
use zeromq::{Socket, SocketEvent, SocketOptions, ZmqError};

/// How long a connection that is lost, or can't be had, rests before the next attempt.
pub const RECONNECT_INTERVAL: Duration = Duration::from_secs(1);

/// How long one attempt may take. Within it, a peer that refuses is tried again and again.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connected socket and what befalls it.
pub(crate) struct Link<S: Socket> {
    pub(crate) socket: S,
    events: Box<dyn Stream<Item = SocketEvent> + Send + Unpin>,
}

impl<S: Socket> Drop for Link<S> {
    /// Ends the connection. Not every socket of the library does so when it is dropped: a task of its own would keep a PULL
    /// socket's connection open, and the peer would go on sending to nobody.
    fn drop(&mut self) {
        self.socket.backend().shutdown();
    }
}

impl<S: Socket> Link<S> {
    /// Connects to an address such as `tcp://host:port`.
    pub(crate) async fn open(address: &str) -> Result<Self, String> {
        let mut options = SocketOptions::default();
        options.connect_timeout(CONNECT_TIMEOUT);
        let mut socket = S::with_options(options);
        let events = Box::new(socket.monitor());
        let mut link = Self { socket, events };
        match link.socket.connect(address).await {
            Ok(()) => Ok(link),
            Err(ZmqError::ConnectTimeout(after)) => {
                Err(format!("no peer within {} seconds", after.as_secs()))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Opens a link, however long it takes, unless the task is to end before.
    pub(crate) async fn keep_opening(address: &str, lifecycle: &Lifecycle) -> Option<Self> {
        loop {
            match lifecycle.unless_stopping(Self::open(address)).await? {
                Ok(link) => return Some(link),
                Err(reason) => lifecycle.disconnected(reason),
            }
            lifecycle.unless_stopping(tokio::time::sleep(RECONNECT_INTERVAL)).await?;
        }
    }
}

impl<S: Socket> Link<S> {
    /// The socket, and a future that ends when the peer has gone.
    pub(crate) fn parts(&mut self) -> (&mut S, impl Future<Output = ()> + Send) {
        let events = &mut self.events;
        let gone = async move {
            while let Some(event) = events.next().await {
                if matches!(event, SocketEvent::Disconnected(_)) {
                    return;
                }
            }
        };
        (&mut self.socket, gone)
    }
}
