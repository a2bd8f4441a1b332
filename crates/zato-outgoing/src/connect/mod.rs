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
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use http::HeaderValue;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use self::proxy::{Kind, Proxy, ProxyRules, ProxyServer};
use self::resolve::Resolver;
pub use self::stream::Stream;
use self::tunnel::Destination;
pub use self::tunnel::ProxyError;
use crate::config::{Config, ConfigError, ConfigProblem, Environment};
use crate::error::{Failure, Source};
use crate::origin::Origin;
use crate::progress::{Phase, Progress};
use crate::target::Target;
use crate::tls::{self, TlsProblem, TlsSource};

/// The shortest and the longest time after which Linux takes it upon itself to probe a connection.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(32_767));

/// An order for a connection.
#[derive(Clone, Debug)]
pub struct Connect {
    /// Where to.
    pub origin: Arc<Origin>,
    /// The record of the call which needs it.
    pub progress: Progress,
    /// Whether nothing but HTTP/1.1 may be spoken on it, because the other side has asked for that.
    pub http1_only: bool,
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
struct Options {
    /// The name of the outgoing connection, for warnings.
    name: String,
    tls: TlsSource,
    /// The same for proxies, made when the first one is spoken with.
    tls_of_proxies: OnceLock<Arc<ClientConfig>>,
    /// The same for HTTP/1.1 alone, made when it is first asked for.
    tls_of_http1: OnceLock<Arc<ClientConfig>>,
    resolver: Arc<Resolver>,
    proxy: Proxy,
    proxies: Arc<ProxyRules>,
    keepalive: Option<Duration>,
    /// The Unix socket which stands for an origin.
    unix: Option<(Arc<Path>, Arc<Origin>)>,
    /// Whether it has been said that the other side is not verified.
    has_warned: AtomicBool,
}

impl Connector {
    /// Opens connections as `config` says it: host, TLS, proxy and TCP keep-alive are what it reads.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], naming the field which is invalid.
    pub fn new(config: &Config, environment: &Environment) -> Result<Self, ConfigError> {
        Target::parse(&config.host, &config.url_path)
            .and_then(|target| Self::to(&target, config, environment))
            .map_err(|problem| ConfigError::new(&config.name, problem))
    }

    pub(crate) fn to(
        target: &Target,
        config: &Config,
        environment: &Environment,
    ) -> Result<Self, ConfigProblem> {
        let tls = TlsSource::new(&config.tls, &environment.tls).map_err(|problem| match problem {
            TlsProblem::CaBundle(error) => ConfigProblem::CaBundle(error),
            TlsProblem::Identity(error) => ConfigProblem::Identity(error),
        })?;
        Ok(Self(Arc::new(Options {
            name: config.name.clone(),
            tls,
            tls_of_proxies: OnceLock::new(),
            tls_of_http1: OnceLock::new(),
            resolver: Arc::clone(&environment.resolver),
            proxy: config.proxy.clone(),
            proxies: Arc::clone(&environment.proxies),
            keepalive: config.tcp_keepalive,
            unix: target.unix.as_ref().map(|path| (Arc::clone(path), Arc::clone(&target.origin))),
            has_warned: AtomicBool::new(false),
        })))
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
        let Connect { origin, progress, .. } = order;
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
        match proxy {
            None => {
                let tcp = self.reach(origin.host(), origin.port(), progress).await?;
                self.speak(order, tcp).await
            }
            Some(proxy) => self.by_way_of(proxy, order).await,
        }
    }

    /// A TCP connection to a host.
    async fn reach(&self, host: &str, port: u16, progress: &Progress) -> Result<TcpStream, Failure> {
        progress.enter(Phase::Resolve);
        let addresses = self.addresses(host).await?;
        progress.enter(Phase::Connect);
        race::first_success(&addresses, |address| self.tcp(SocketAddr::new(address, port)))
            .await
            .inspect_err(|_| self.resolver.forget(host))
            .map_err(not_connected)
    }

    async fn addresses(&self, host: &str) -> Result<Arc<[IpAddr]>, Failure> {
        let addresses = self.resolver.resolve(host).await;
        addresses.map_err(|source| Failure::Resolve { host: host.to_owned(), source })
    }

    async fn by_way_of(&self, proxy: &ProxyServer, order: &Connect) -> Result<Connected<Stream>, Failure> {
        let Connect { origin, progress, .. } = order;
        let server = proxy.server();
        let failed = |source| Failure::Proxy { proxy: proxy.to_string(), source };
        let destination = match server.kind {
            Kind::Socks5 => {
                progress.enter(Phase::Resolve);
                Some(self.addresses(origin.host()).await?[0])
            }
            Kind::Http | Kind::Https | Kind::Socks5Remote => origin.host().parse().ok(),
        };
        let tcp = self.reach(&server.host, server.port, progress).await;
        let mut tcp = tcp.map_err(|error| failed(error.into()))?;
        match server.kind {
            Kind::Http => self.by_way_of_http(proxy, order, tcp).await,
            Kind::Https => {
                progress.enter(Phase::Tls);
                let config = self.tls_of_proxies().await;
                let config = config.map_err(|error| failed(ProxyError::Tls(error).into()))?;
                let tls = self.secure(config, &server.host, tcp).await;
                let tls = tls.map_err(|error| {
                    failed(broken_off(error).map_or_else(ProxyError::Tls, ProxyError::Io).into())
                })?;
                progress.enter(Phase::Connect);
                self.by_way_of_http(proxy, order, tls).await
            }
            Kind::Socks5 | Kind::Socks5Remote => {
                let destination =
                    destination.map_or_else(|| Destination::Name(origin.host()), Destination::Address);
                let connected = tunnel::socks5(&mut tcp, server, &destination, origin.port()).await;
                connected.map_err(|error| failed(error.into()))?;
                self.speak(order, tcp).await
            }
        }
    }

    /// An HTTP proxy forwards the requests of `http`, and is asked for a tunnel for the rest.
    async fn by_way_of_http<T>(
        &self,
        proxy: &ProxyServer,
        order: &Connect,
        mut stream: T,
    ) -> Result<Connected<Stream>, Failure>
    where
        T: AsyncRead + AsyncWrite + Unpin,
        Stream: From<T> + From<TlsStream<T>>,
    {
        if !order.origin.is_tls() {
            let authorization = proxy.server().authorization.clone();
            return Ok(plain(stream.into(), Some(Forwarded { authorization })));
        }
        tunnel::http(&mut stream, proxy.server(), &order.origin)
            .await
            .map_err(|error| Failure::Proxy { proxy: proxy.to_string(), source: error.into() })?;
        self.speak(order, stream).await
    }

    async fn tcp(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let tcp = TcpStream::connect(address).await?;
        // A request is written in one go, so that waiting for more of it only delays it.
        tcp.set_nodelay(true)?;
        if let Some(time) = self.keepalive {
            let time = time.clamp(KEEPALIVE.0, KEEPALIVE.1);
            let keepalive = TcpKeepalive::new().with_time(time).with_interval(time);
            SockRef::from(&tcp).set_tcp_keepalive(&keepalive)?;
        }
        Ok(tcp)
    }

    /// What is spoken on a byte stream that leads to the origin.
    async fn speak<T>(&self, order: &Connect, stream: T) -> Result<Connected<Stream>, Failure>
    where
        T: AsyncRead + AsyncWrite + Unpin,
        Stream: From<T> + From<TlsStream<T>>,
    {
        let Connect { origin, progress, .. } = order;
        if !origin.is_tls() {
            return Ok(plain(stream.into(), None));
        }
        progress.enter(Phase::Tls);
        let mut config = self.tls.get().await.map_err(Failure::Tls)?;
        if order.http1_only {
            config = Arc::clone(self.tls_of_http1.get_or_init(|| Arc::new(tls::of_http1(&config))));
        }
        let stream = self.secure(config, origin.host(), stream).await;
        let stream = stream.map_err(|error| broken_off(error).map_or_else(Failure::Tls, Failure::Connect))?;
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
        Ok(Connected { stream: stream.into(), protocol, forwarded: None, peer: Some(peer) })
    }

    async fn tls_of_proxies(&self) -> Result<Arc<ClientConfig>, Source> {
        let config = self.tls.get().await?;
        Ok(Arc::clone(self.tls_of_proxies.get_or_init(|| Arc::new(tls::of_proxies(&config)))))
    }

    async fn secure<T>(
        &self,
        config: Arc<ClientConfig>,
        host: &str,
        stream: T,
    ) -> Result<TlsStream<T>, Source>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        if self.tls.trusts_everybody() && !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                connection = self.name,
                host,
                "a connection is opened whose certificate is not verified"
            );
        }
        let name = ServerName::try_from(host.to_owned())?;
        Ok(TlsConnector::from(config).connect(name, stream).await?)
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

/// The end of a connection in the middle of a TLS handshake, of which nobody has said what is wrong with it, or else the error of the
/// handshake. Whoever restarts, or balances the load of those who do, ends connections so.
fn broken_off(error: Source) -> Result<io::Error, Source> {
    let error = error.downcast::<io::Error>()?;
    let is_of_tls = error.get_ref().is_some_and(|cause| cause.is::<rustls::Error>());
    if is_of_tls { Err(error) } else { Ok(*error) }
}

/// When a certificate in DER form expires.
fn expiry(certificate: &[u8]) -> Option<OffsetDateTime> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(certificate.validity().not_after.to_datetime())
}

#[cfg(test)]
mod tests {
    use http::Uri;

    use super::*;

    /// Whether, and after what time, the operating system asks for signs of life on a connection.
    async fn keepalive(tcp_keepalive: Option<Duration>) -> (bool, Duration) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("http://{}", listener.local_addr().unwrap());
        let mut config = Config::new(1, "CRM", &*host, "/");
        config.tcp_keepalive = tcp_keepalive;
        config.proxy = Proxy::Direct;
        let mut connector = Connector::new(&config, &Environment::new("tests").unwrap()).unwrap();
        let origin = Arc::new(Origin::of(&host.parse::<Uri>().unwrap()).unwrap());
        let connected =
            connector.call(Connect { origin, progress: Progress::start(), http1_only: false }).await.unwrap();
        let Stream::Plain(tcp) = connected.stream else { panic!("{connected:?}") };
        let socket = SockRef::from(&tcp);
        assert!(tcp.nodelay().unwrap());
        (socket.keepalive().unwrap(), socket.tcp_keepalive_time().unwrap())
    }

    #[tokio::test]
    async fn tcp_asks_for_signs_of_life() {
        let time = Duration::from_secs(17);
        assert_eq!(keepalive(Some(time)).await, (true, time));
        assert!(!keepalive(None).await.0);
        for (asked, given) in [(Duration::ZERO, KEEPALIVE.0), (Duration::MAX, KEEPALIVE.1)] {
            assert_eq!(keepalive(Some(asked)).await, (true, given));
        }
    }

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
