//! Accepts connections and serves them until the server stops.
//!
//! Owns sockets, and the graceful end of all connections. It must not know what is said over them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::io::Errno;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zato_channel::{ClientCertificate, Dispatcher};

use crate::connection::{self, Secured, Stop};
use crate::connections::Connections;
use crate::tls::Tls;
use crate::waiting::Waiting;

/// How long to wait when the system has no file descriptor for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How much time there is at least between two lines of the log that say so.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

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
        let (mut connections, stop_connections) = (Connections::new(open), Stop::default());
        let mut failures = Failures::default();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(()) = connections.ended() => {}
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, peer)) => self.serve(&mut connections, &stop_connections, stream, peer),
                    Err(error) => {
                        let closed = if is_no_room(&error) { connections.make_room() } else { 0 };
                        failures.add(&error, closed);
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.socket);
        stop_connections.give();
        while connections.ended().await.is_some() {}
    }

    fn serve(&self, connections: &mut Connections, stop: &Stop, stream: TcpStream, peer: SocketAddr) {
        // Replies are written whole, so waiting for more to send only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, %peer, "can't turn off Nagle's algorithm");
        }
        let (dispatcher, stop, waiting) = (self.dispatcher.for_connection(), stop.clone(), Waiting::new());
        let known = waiting.clone();
        // A connection counts as open from its first byte on, while it is still being agreed on.
        match self.tls.clone() {
            None => connections.add(connection::serve(dispatcher, stream, peer, None, stop, waiting), known),
            Some(tls) => connections.add(
                async move {
                    let stream = match stop.unless_given(tls.accept(stream)).await {
                        Some(Ok(stream)) => stream,
                        Some(Err(error)) => {
                            tracing::info!(%error, %peer, "a client and the server did not agree on TLS");
                            return;
                        }
                        None => return,
                    };
                    let certificates = stream.get_ref().1.peer_certificates();
                    let certificate =
                        certificates.and_then(<[_]>::first).map(|it| ClientCertificate::new(it));
                    connection::serve(dispatcher, stream, peer, Some(Secured { certificate }), stop, waiting)
                        .await;
                },
                known,
            ),
        }
    }
}

/// Connections that could not be accepted. The log has a line now and then that counts them.
#[derive(Default)]
struct Failures {
    count: usize,
    closed: usize,
    logged: Option<Instant>,
}

impl Failures {
    fn add(&mut self, error: &io::Error, closed: usize) {
        self.count += 1;
        self.closed += closed;
        if self.logged.is_none_or(|logged| logged.elapsed() >= LOG_INTERVAL) {
            let Self { count, closed, .. } = self;
            tracing::warn!(
                %error,
                count,
                closed,
                "can't accept connections; those that were silent for longest are closed to make room"
            );
            *self = Self { logged: Some(Instant::now()), ..Self::default() };
        }
    }
}

/// Whether there is no file descriptor left, for this process or at all.
fn is_no_room(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}
