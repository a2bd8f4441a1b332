//! Accepts connections and serves them until the server stops.
//!
//! Owns sockets, HTTP framing limits and the graceful end of connections. It must not know what a request means: it
//! hands each one to the dispatcher.

use std::net::SocketAddr;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use zato_channel::{ClientCertificate, Dispatcher};

use crate::compress;
use crate::greeting::Greeted;
use crate::timer::ConnectionTimer;
use crate::tls::Tls;

/// How long a client may take to send a request's headers, an idle connection's next request included.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The largest request line and headers together, in bytes; more is answered with 431.
const MAXIMUM_HEADER_BYTES: usize = 64 * 1024;

/// How many requests one HTTP/2 connection may have under way.
const MAXIMUM_STREAMS: u32 = 256;

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
        let connections = GracefulShutdown::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, peer)) => self.serve(&connections, stream, peer),
                    Err(error) => {
                        tracing::warn!(%error, "can't accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.socket);
        let open = connections.count();
        if timeout(grace, connections.shutdown()).await.is_err() {
            tracing::warn!(
                connections = open,
                ?grace,
                "calls were still in flight when the time to stop was over"
            );
        }
    }

    fn serve(&self, connections: &GracefulShutdown, stream: TcpStream, peer: SocketAddr) {
        // Replies are written whole, so waiting for more to send only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, %peer, "can't turn off Nagle's algorithm");
        }
        let dispatcher = self.dispatcher.clone();
        // A connection is watched from its first byte on, so that one which is still being agreed on counts as open.
        let watcher = connections.watcher();
        match self.tls.clone() {
            None => {
                let connection = watcher.watch(connection(dispatcher, stream, peer, None));
                tokio::spawn(end(connection, peer));
            }
            Some(tls) => {
                tokio::spawn(async move {
                    let stream = match tls.accept(stream).await {
                        Ok(stream) => stream,
                        Err(error) => {
                            tracing::debug!(%error, %peer, "a client and the server did not agree on TLS");
                            return;
                        }
                    };
                    let certificates = stream.get_ref().1.peer_certificates();
                    let certificate =
                        certificates.and_then(<[_]>::first).map(|it| ClientCertificate::new(it));
                    end(watcher.watch(connection(dispatcher, stream, peer, certificate)), peer).await;
                });
            }
        }
    }
}

/// Serves one connection over any transport.
fn connection<S>(
    dispatcher: Dispatcher,
    stream: S,
    peer: SocketAddr,
    certificate: Option<ClientCertificate>,
) -> impl GracefulConnection<Error: std::fmt::Display> + Send
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(certificate) = &certificate {
            request.extensions_mut().insert(certificate.clone());
        }
        compress::answer(&dispatcher, request, peer)
    });
    let stream = Greeted::within(HEADER_READ_TIMEOUT, stream);
    protocol().serve_connection(TokioIo::new(stream), service).into_owned()
}

/// Waits for the end of a connection.
async fn end<E: std::fmt::Display>(connection: impl Future<Output = Result<(), E>>, peer: SocketAddr) {
    if let Err(error) = connection.await {
        tracing::debug!(%error, %peer, "a connection ended early");
    }
}

/// How one connection is served.
fn protocol() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // The number of headers is left at hyper's 100: any other limit makes it allocate room for them with every request.
    builder
        .http1()
        .timer(ConnectionTimer::default())
        .header_read_timeout(HEADER_READ_TIMEOUT)
        .max_buf_size(MAXIMUM_HEADER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEADER_READ_TIMEOUT)
        .max_concurrent_streams(MAXIMUM_STREAMS)
        .max_header_list_size(u32::try_from(MAXIMUM_HEADER_BYTES).unwrap_or(u32::MAX));
    builder
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;
    use zato_channel::{Channels, Pages, Settings};
    use zato_cid::{Form, SystemGenerator};
    use zato_kvdb::{Embedded, Kvdb, SystemClock};
    use zato_service::{Environment, EnvironmentParts, Outgoing, Registry};

    use super::*;

    async fn dispatcher(folder: &std::path::Path) -> Dispatcher {
        let store = Embedded::open(&folder.join("kvdb.redb"), Arc::new(SystemClock)).await.unwrap();
        let environment = Environment::new(EnvironmentParts {
            outgoing: Outgoing::new(zato_outgoing::Outgoing::new(
                zato_outgoing::Environment::new("test").unwrap(),
            )),
            kvdb: Kvdb::new(store),
            registry: Registry::new(),
            cids: SystemGenerator::new(Form::default()),
            clock: time::OffsetDateTime::now_utc,
            tasks: Default::default(),
        });
        Dispatcher::new(Channels::new(Pages::new()), environment, Settings::default())
    }

    /// After how many seconds a client is turned away who sends this, then the same byte every second, and what it reads.
    async fn turned_away(dispatcher: &Dispatcher, first: &[u8], then: &[u8]) -> (u64, String) {
        let (client, server) = tokio::io::duplex(1024);
        let peer = ([192, 0, 2, 1], 50_000).into();
        tokio::spawn(end(connection(dispatcher.clone(), server, peer, None), peer));
        let (mut reader, mut writer) = tokio::io::split(client);
        let begun = Instant::now();
        writer.write_all(first).await.unwrap();
        let mut reply = Vec::new();
        let drip = async {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                // Nobody may be there any more to read it.
                let _ = writer.write_all(then).await;
            }
        };
        tokio::select! {
            read = reader.read_to_end(&mut reply) => drop(read.unwrap()),
            () = drip => {}
        }
        (begun.elapsed().as_secs(), String::from_utf8(reply).unwrap())
    }

    #[tokio::test]
    async fn slow_heads_are_waited_for_a_minute() {
        let folder = tempfile::tempdir().unwrap();
        let dispatcher = dispatcher(folder.path()).await;
        tokio::time::pause();
        for (first, then) in [
            (&b""[..], &b""[..]),
            (b"G", b""),
            (b"PRI * HTTP", b""),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b""),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"a"),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b""),
        ] {
            let (seconds, reply) = turned_away(&dispatcher, first, then).await;
            let shown = String::from_utf8_lossy(first);
            println!("{seconds} s: {shown:?} {reply:?}");
            assert!((60..=62).contains(&seconds), "{seconds} s for {shown:?}");
            assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 4"), "{shown:?} {reply:?}");
        }
    }
}
