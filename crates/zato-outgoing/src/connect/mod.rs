//! Opens connections: addresses, TCP, proxies, TLS.
//!
//! Owns everything between an origin and a byte stream on which HTTP can be spoken. It knows neither requests nor the pool.

pub mod proxy;
mod race;
pub(crate) mod resolve;
mod stream;
mod tunnel;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderValue;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use time::OffsetDateTime;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use self::proxy::{Kind, Proxy, ProxyRules, ProxyServer};
use self::resolve::Resolver;
pub use self::stream::Stream;
use self::tunnel::Destination;
pub use self::tunnel::ProxyError;
use crate::error::{Failure, Source};
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
    /// Present if the other end is a proxy which forwards requests, so that it has to be given their whole URLs.
    pub forwarded: Option<Forwarded>,
    /// What TLS says of the other side, if there is TLS.
    pub peer: Option<Peer>,
}

/// What a proxy that forwards requests is to be sent with each of them.
#[derive(Clone, Debug)]
pub struct Forwarded {
    /// The `Proxy-Authorization` header, if it wants one.
    pub authorization: Option<HeaderValue>,
}

/// The other side of a TLS connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// The version of TLS, such as `TLSv1_3`.
    pub tls_version: Option<&'static str>,
    /// When its certificate expires, if that can be read.
    pub certificate_expires: Option<OffsetDateTime>,
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

/// Opens TCP connections, with TLS where the origin's scheme is `https`, or those of a Unix socket.
///
/// The host's addresses are tried as RFC 8305 has it; if none can be connected to, the error is that of the last one.
#[derive(Clone, Debug)]
pub struct Connector(Arc<Options>);

/// What all connections of a connector have in common.
#[derive(Debug)]
pub(crate) struct Options {
    /// The name of the outgoing connection, for warnings.
    pub(crate) name: String,
    pub(crate) tls: TlsSource,
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) proxy: Proxy,
    pub(crate) proxies: Arc<ProxyRules>,
    pub(crate) keepalive: Option<Duration>,
    /// The Unix socket which stands for an origin.
    pub(crate) unix: Option<(Arc<Path>, Arc<Origin>)>,
    /// Whether it has been said that the other side is not verified.
    pub(crate) has_warned: AtomicBool,
}

impl Connector {
    pub(crate) fn new(options: Options) -> Self {
        Self(Arc::new(options))
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
        let options = Arc::clone(&self.0);
        Box::pin(async move { options.open(&order).await })
    }
}

impl Options {
    async fn open(&self, order: &Connect) -> Result<Connected<Stream>, Failure> {
        let Connect { origin, progress } = order;
        if let Some((path, own)) = &self.unix
            && own == origin
        {
            progress.enter(Phase::Connect);
            let stream = UnixStream::connect(path).await.map_err(not_connected)?;
            return Ok(plain(Stream::Unix(stream), None));
        }
        let proxy = match &self.proxy {
            Proxy::Environment => self.proxies.server_for(origin),
            Proxy::Direct => None,
            Proxy::Server(server) => Some(server),
        };
        let tcp = match proxy {
            None => self.direct(origin, progress).await?,
            Some(proxy) => {
                let failed = |source| Failure::Proxy { proxy: proxy.to_string(), source };
                let tcp = self.by_way_of(proxy, origin, progress).await.map_err(failed)?;
                if proxy.server().kind == Kind::Http && !origin.is_tls() {
                    let authorization = proxy.server().authorization.clone();
                    return Ok(plain(Stream::Plain(tcp), Some(Forwarded { authorization })));
                }
                tcp
            }
        };
        if origin.is_tls() { self.secure(order, tcp).await } else { Ok(plain(Stream::Plain(tcp), None)) }
    }

    async fn direct(&self, origin: &Origin, progress: &Progress) -> Result<TcpStream, Failure> {
        progress.enter(Phase::Resolve);
        let addresses = self.resolver.resolve(origin.host()).await;
        let host = origin.host();
        let addresses = addresses.map_err(|source| Failure::Resolve { host: host.to_owned(), source })?;
        progress.enter(Phase::Connect);
        race::first_success(&addresses, |address| self.tcp(SocketAddr::new(address, origin.port())))
            .await
            .inspect_err(|_| self.resolver.forget(host))
            .map_err(not_connected)
    }

    /// A TCP connection to `origin` by way of a proxy, or one to the proxy itself if that forwards requests.
    async fn by_way_of(
        &self,
        proxy: &ProxyServer,
        origin: &Origin,
        progress: &Progress,
    ) -> Result<TcpStream, Source> {
        let server = proxy.server();
        progress.enter(Phase::Resolve);
        let addresses = self.resolver.resolve(&server.host).await?;
        let destination = match server.kind {
            Kind::Socks5 => Some(self.resolver.resolve(origin.host()).await?[0]),
            Kind::Http | Kind::Socks5Remote => origin.host().parse().ok(),
        };
        progress.enter(Phase::Connect);
        let connected =
            race::first_success(&addresses, |address| self.tcp(SocketAddr::new(address, server.port)));
        let mut tcp = connected.await.inspect_err(|_| self.resolver.forget(&server.host))?;
        match server.kind {
            Kind::Http if origin.is_tls() => tunnel::http(&mut tcp, server, origin).await?,
            Kind::Http => {}
            Kind::Socks5 | Kind::Socks5Remote => {
                let destination =
                    destination.map_or_else(|| Destination::Name(origin.host()), Destination::Address);
                tunnel::socks5(&mut tcp, server, &destination, origin.port()).await?;
            }
        }
        Ok(tcp)
    }

    async fn tcp(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let tcp = TcpStream::connect(address).await?;
        // A request is written in one go, so that waiting for more of it only delays it.
        tcp.set_nodelay(true)?;
        if let Some(time) = self.keepalive {
            let keepalive = TcpKeepalive::new().with_time(time).with_interval(time);
            SockRef::from(&tcp).set_tcp_keepalive(&keepalive)?;
        }
        Ok(tcp)
    }

    async fn secure(
        &self,
        Connect { origin, progress }: &Connect,
        tcp: TcpStream,
    ) -> Result<Connected<Stream>, Failure> {
        progress.enter(Phase::Tls);
        if self.tls.trusts_everybody() && !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                connection = self.name,
                host = origin.host(),
                "a connection is opened whose certificate is not verified"
            );
        }
        let name =
            ServerName::try_from(origin.host().to_owned()).map_err(|error| Failure::Tls(error.into()))?;
        let config = self.tls.get().await.map_err(Failure::Tls)?;
        let stream = TlsConnector::from(config)
            .connect(name, tcp)
            .await
            .map_err(|error| Failure::Tls(error.into()))?;
        let session = stream.get_ref().1;
        let protocol = match session.alpn_protocol() {
            Some(b"h2") => Protocol::Http2,
            _ => Protocol::Http1,
        };
        let certificate = session.peer_certificates().and_then(<[_]>::first);
        let peer = Peer {
            tls_version: session.protocol_version().and_then(|version| version.as_str()),
            certificate_expires: certificate.and_then(|certificate| expiry(certificate)),
        };
        let stream = Stream::Tls(Box::new(stream));
        Ok(Connected { stream, protocol, forwarded: None, peer: Some(peer) })
    }
}

fn plain(stream: Stream, forwarded: Option<Forwarded>) -> Connected<Stream> {
    Connected { stream, protocol: Protocol::Http1, forwarded, peer: None }
}

fn not_connected(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Failure::Refused(error),
        _ => Failure::Connect(error),
    }
}

/// When a certificate in DER form expires.
fn expiry(certificate: &[u8]) -> Option<OffsetDateTime> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(certificate.validity().not_after.to_datetime())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_expire() {
        let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = time::macros::datetime!(2031-02-03 04:05:06 UTC);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.clone().self_signed(&key).unwrap();
        assert_eq!(expiry(certificate.der()), Some(params.not_after));
        assert_eq!(expiry(b"no certificate"), None);
    }
}
