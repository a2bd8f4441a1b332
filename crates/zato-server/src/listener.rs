//! Accepts connections and serves them until the server stops.
//!
//! Owns sockets, and the graceful end of all connections. It must not know what is said over them.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
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

    /// Serves connections until `stop` is cancelled, then lets calls in flight finish. `open` counts the connections; all of
    /// them are dropped when this future is.
    pub(crate) async fn run(self, stop: CancellationToken, open: TaskTracker) {
        let mut connections = Connections { tasks: JoinSet::new(), open };
        let stop_connections = Stop::default();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(_ended) = connections.tasks.join_next() => {}
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, peer)) => self.serve(&mut connections, &stop_connections, stream, peer),
                    Err(error) => {
                        tracing::warn!(%error, "can't accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.socket);
        stop_connections.give();
        while connections.tasks.join_next().await.is_some() {}
    }

    fn serve(&self, connections: &mut Connections, stop: &Stop, stream: TcpStream, peer: SocketAddr) {
        // Replies are written whole, so waiting for more to send only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, %peer, "can't turn off Nagle's algorithm");
        }
        let (dispatcher, stop) = (self.dispatcher.for_connection(), stop.clone());
        // A connection counts as open from its first byte on, while it is still being agreed on.
        match self.tls.clone() {
            None => connections.add(connection::serve(dispatcher, stream, peer, None, stop)),
            Some(tls) => connections.add(async move {
                let stream = match stop.unless_given(tls.accept(stream)).await {
                    Some(Ok(stream)) => stream,
                    Some(Err(error)) => {
                        tracing::info!(%error, %peer, "a client and the server did not agree on TLS");
                        return;
                    }
                    None => return,
                };
                let certificates = stream.get_ref().1.peer_certificates();
                let certificate = certificates.and_then(<[_]>::first).map(|it| ClientCertificate::new(it));
                connection::serve(dispatcher, stream, peer, Some(Secured { certificate }), stop).await;
            }),
        }
    }
}

/// The connections of one listener, which are dropped when this is.
struct Connections {
    tasks: JoinSet<()>,
    /// Counts those of all listeners.
    open: TaskTracker,
}

impl Connections {
    fn add(&mut self, connection: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(self.open.track_future(connection));
    }
}
