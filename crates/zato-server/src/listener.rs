//! Accepts connections and serves them until the server stops.
//!
//! Owns sockets, and the graceful end of all connections. It must not know what is said over them.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zato_channel::{ClientCertificate, Dispatcher};

use crate::connection::{self, Secured, Stop};
use crate::tls::Tls;

/// How long to wait when the system has no file descriptor for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound socket whose connections are served by a dispatcher.
pub(crate) struct Listener {
    socket: TcpListener,
    dispatcher: Dispatcher,
    tls: Option<Tls>,
}

impl Listener {
    pub(crate) fn new(socket: TcpListener, dispatcher: Dispatcher) -> Self {
        Self { socket, dispatcher, tls: None }
    }

    /// The same for TLS connections.
    pub(crate) fn with_tls(self, tls: Tls) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// Serves connections until `stop` is cancelled, then lets those in flight finish within `grace`.
    pub(crate) async fn run(self, stop: CancellationToken, grace: Duration) {
        let (connections, stop_connections) = (TaskTracker::new(), Stop::default());
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, peer)) => self.serve(&connections, &stop_connections, stream, peer),
                    Err(error) => {
                        tracing::warn!(%error, "can't accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.socket);
        let open = connections.len();
        connections.close();
        stop_connections.give();
        if timeout(grace, connections.wait()).await.is_err() {
            tracing::warn!(
                connections = open,
                ?grace,
                "calls were still in flight when the time to stop was over"
            );
        }
    }

    fn serve(&self, connections: &TaskTracker, stop: &Stop, stream: TcpStream, peer: SocketAddr) {
        // Replies are written whole, so waiting for more to send only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, %peer, "can't turn off Nagle's algorithm");
        }
        let (dispatcher, stop) = (self.dispatcher.for_connection(), stop.clone());
        // A connection counts as open from its first byte on, while it is still being agreed on.
        match self.tls.clone() {
            None => drop(connections.spawn(connection::serve(dispatcher, stream, peer, None, stop))),
            Some(tls) => drop(connections.spawn(async move {
                let stream = match tls.accept(stream).await {
                    Ok(stream) => stream,
                    Err(error) => {
                        tracing::info!(%error, %peer, "a client and the server did not agree on TLS");
                        return;
                    }
                };
                let certificates = stream.get_ref().1.peer_certificates();
                let certificate = certificates.and_then(<[_]>::first).map(|it| ClientCertificate::new(it));
                connection::serve(dispatcher, stream, peer, Some(Secured { certificate }), stop).await;
            })),
        }
    }
}
