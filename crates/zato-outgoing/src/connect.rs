//! Opens connections: addresses, TCP, TLS.
//!
//! Owns everything between an origin and a byte stream on which HTTP can be spoken. It knows neither requests nor the pool.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use crate::error::Failure;
use crate::origin::Origin;
use crate::progress::{Phase, Progress};
use crate::tls::TlsSource;

/// An order for a connection.
#[derive(Clone, Debug)]
pub struct Connect {
    /// Where to.
    pub origin: Arc<Origin>,
    /// The record of the call which needs it.
    pub progress: Progress,
}

/// An open connection.
#[derive(Debug)]
pub struct Connected<T> {
    /// The byte stream.
    pub stream: T,
    /// What is to be spoken on it.
    pub protocol: Protocol,
}

/// The versions of HTTP which this crate speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// HTTP/1.1, one call at a time.
    Http1,
    /// HTTP/2, many calls at once. It is spoken only where the TLS handshake agreed on it.
    Http2,
}

/// Opens TCP connections, with TLS where the origin's scheme is `https`.
///
/// The host's addresses are tried one after the other, in the resolver's order; the error is that of the last one.
#[derive(Clone, Debug)]
pub struct Connector {
    tls: TlsSource,
}

impl Connector {
    pub(crate) fn new(tls: TlsSource) -> Self {
        Self { tls }
    }
}

impl Service<Connect> for Connector {
    type Response = Connected<Stream>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Connected<Stream>, Failure>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, order: Connect) -> Self::Future {
        let tls = self.tls.clone();
        Box::pin(async move {
            let tcp = open(&order).await?;
            if order.origin.is_tls() {
                secure(&order, tcp, &tls).await
            } else {
                Ok(Connected { stream: Stream::Plain(tcp), protocol: Protocol::Http1 })
            }
        })
    }
}

async fn open(Connect { origin, progress }: &Connect) -> Result<TcpStream, Failure> {
    progress.enter(Phase::Resolve);
    let addresses = lookup_host((origin.host(), origin.port())).await.map_err(Failure::Resolve)?;
    progress.enter(Phase::Connect);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host name has no addresses");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(tcp) => {
                // A request is written in one go, so that waiting for more of it only delays it.
                tcp.set_nodelay(true).map_err(Failure::Connect)?;
                return Ok(tcp);
            }
            Err(error) => last = error,
        }
    }
    Err(match last.kind() {
        io::ErrorKind::ConnectionRefused => Failure::Refused(last),
        io::ErrorKind::NotFound => Failure::Resolve(last),
        _ => Failure::Connect(last),
    })
}

async fn secure(
    Connect { origin, progress }: &Connect,
    tcp: TcpStream,
    tls: &TlsSource,
) -> Result<Connected<Stream>, Failure> {
    progress.enter(Phase::Tls);
    let name = ServerName::try_from(origin.host().to_owned()).map_err(|error| Failure::Tls(error.into()))?;
    let config = tls.get().await.map_err(Failure::Tls)?;
    let stream =
        TlsConnector::from(config).connect(name, tcp).await.map_err(|error| Failure::Tls(error.into()))?;
    let protocol = match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Protocol::Http2,
        _ => Protocol::Http1,
    };
    Ok(Connected { stream: Stream::Tls(Box::new(stream)), protocol })
}

/// What [`Connector`] opens.
#[derive(Debug)]
#[non_exhaustive]
pub enum Stream {
    /// TCP alone.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, buffers),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
