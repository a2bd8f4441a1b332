//! How an outgoing connection is configured.
//!
//! Owns the configuration of one connection, the environment which all of them share, and the errors of both. It knows
//! neither where configuration is stored nor how it gets here.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::uri::InvalidUri;
use zato_soap::Version;

use crate::clock::{Clock, SystemClock};
use crate::connect::proxy::{Proxy, ProxyRules};
use crate::connect::resolve::Resolver;
use crate::error::Source;
use crate::layers::aws::AwsCredentials;
use crate::layers::breaker::CircuitBreaker;
use crate::layers::oauth::{ClientCredentials, ClientCredentialsError};
use crate::layers::phase_timeout::PhaseTimeouts;
use crate::layers::retry::Retry;
use crate::layers::zato_headers::ZatoHeadersLayer;
use crate::nonce::NoRandomness;
use crate::tls::{CaBundleError, IdentityError, SharedTls, Tls};
use crate::url::ParseUrlTemplateError;
use zato_connections::Secret;

/// One outgoing connection.
///
/// [`Config::new`] gives the defaults; what differs from them is assigned to the fields.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The connection's id, by which it is replaced and removed.
    pub id: i64,
    /// The name which services look it up by, unique within its transport.
    pub name: String,
    /// Whether calls are allowed. A ping always is.
    pub is_active: bool,
    /// What is spoken over HTTP.
    pub transport: Transport,
    /// Scheme, host and, if need be, port: `https://example.com:8443`. `url_path` follows without anything in between.
    ///
    /// `unix:/run/crm.sock` is the Unix socket of that path, at which plain HTTP is spoken with the host name `localhost`.
    pub host: String,
    /// The path, which starts with a slash. It may have `{name}` placeholders.
    pub url_path: String,
    /// The credentials, if there are any.
    pub security: Option<Security>,
    /// The HTTP method of pings.
    pub ping_method: String,
    /// How many calls may be under way at once. Further ones wait for their turn. Where HTTP/2 is spoken, each may hold 2 MiB of a
    /// streamed reply that its caller has not read.
    pub pool_size: usize,
    /// How many calls may wait for their turn. Further ones fail at once.
    pub queue_size: usize,
    /// How long a call may wait for its turn, if that is to be less than its time-out.
    pub queue_timeout: Option<Duration>,
    /// How long a call may take, from its beginning until its reply has been read.
    pub timeout: Duration,
    /// How long single phases of a call may take, if that is to be less than the time-out.
    pub phase_timeouts: PhaseTimeouts,
    /// How calls that failed are made again, if they are. Whatever this is, a request is sent once more if a pooled
    /// connection turns out to have been closed before it took it, and one with an idempotent method also if that
    /// connection ends before a reply begins.
    pub retry: Option<Retry>,
    /// When calls are refused because too many have failed, if they are.
    pub circuit_breaker: Option<CircuitBreaker>,
    /// Whether cookies are kept and sent back, until host or credentials change.
    pub keep_cookies: bool,
    /// How many redirects a call follows; one more is an error. With 0, replies that redirect are handed out.
    pub max_redirects: usize,
    /// Whether compressed replies are asked for and decompressed.
    pub decompress: bool,
    /// How long an unused connection is kept open.
    pub idle_timeout: Duration,
    /// How long a connection is used for further calls after it was opened, whether it is idle or not. `None` is for ever.
    pub max_lifetime: Option<Duration>,
    /// After what time without traffic the operating system asks whether the other side is still there, on each TCP
    /// connection: from a second to nine hours, and what is less or more means that. `None` is never.
    pub tcp_keepalive: Option<Duration>,
    /// By way of which proxy TCP connections are opened.
    pub proxy: Proxy,
    /// The largest reply which is read in advance, in bytes.
    pub response_limit: usize,
    /// Whom to trust, if the scheme is `https`.
    pub tls: Tls,
}

impl Config {
    /// An active plain HTTP connection without credentials: ping method HEAD, pool size 20, at most 10,000 calls waiting, a
    /// time-out of 10 seconds, unused connections kept for a minute, TCP keep-alive after a minute, the environment's proxies,
    /// replies of at most 100 MiB, cookies kept, up to 30 redirects followed, replies decompressed, servers verified; neither
    /// retries nor a circuit breaker.
    pub fn new(
        id: i64,
        name: impl Into<String>,
        host: impl Into<String>,
        url_path: impl Into<String>,
    ) -> Self {
        Self {
            id,
            name: name.into(),
            is_active: true,
            transport: Transport::PlainHttp,
            host: host.into(),
            url_path: url_path.into(),
            security: None,
            ping_method: "HEAD".to_owned(),
            pool_size: 20,
            queue_size: 10_000,
            queue_timeout: None,
            timeout: Duration::from_secs(10),
            phase_timeouts: PhaseTimeouts::default(),
            retry: None,
            circuit_breaker: None,
            keep_cookies: true,
            max_redirects: 30,
            decompress: true,
            idle_timeout: Duration::from_secs(60),
            max_lifetime: None,
            tcp_keepalive: Some(Duration::from_secs(60)),
            proxy: Proxy::default(),
            response_limit: 100 * 1024 * 1024,
            tls: Tls::default(),
        }
    }
}

/// What is spoken over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// Bodies are sent as they are.
    PlainHttp,
    /// Bodies are sent inside a SOAP envelope.
    Soap {
        /// The version of SOAP.
        version: Version,
        /// The value of the `SOAPAction` header, sent without quotes added.
        action: String,
    },
}

/// The credentials of a connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Security {
    /// HTTP Basic authentication.
    BasicAuth {
        /// The username.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A WS-Security UsernameToken in the envelope's header, with the password as text. For SOAP only.
    WsSecurity {
        /// The username.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A WS-Security UsernameToken in the envelope's header, with a digest of the password, a nonce and the time. For SOAP
    /// only.
    WsSecurityDigest {
        /// The username.
        username: String,
        /// The password.
        password: Secret,
    },
    /// HTTP Digest authentication (RFC 7616), with MD5 or SHA-256, of the request line or of the body as well.
    Digest {
        /// The username.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A key in a header.
    ApiKey {
        /// The header's name, such as `X-API-Key`.
        header: String,
        /// The key.
        key: Secret,
    },
    /// A Bearer token which does not change.
    Bearer {
        /// The token.
        token: Secret,
    },
    /// Bearer tokens which an authorization server issues, by the client credentials of OAuth 2.0.
    OAuth(ClientCredentials),
    /// Signatures of Amazon Web Services, version 4.
    Aws(AwsCredentials),
}

impl Security {
    /// Who the connection says it is, and the proof.
    pub(crate) fn credentials(&self) -> (&str, &Secret) {
        match self {
            Self::BasicAuth { username, password }
            | Self::WsSecurity { username, password }
            | Self::WsSecurityDigest { username, password }
            | Self::Digest { username, password } => (username, password),
            Self::ApiKey { header, key } => (header, key),
            Self::Bearer { token } => ("", token),
            Self::OAuth(client) => (&client.client_id, &client.client_secret),
            Self::Aws(credentials) => (&credentials.access_key_id, &credentials.secret_access_key),
        }
    }
}

/// A connection that cannot be built as configured.
#[derive(Debug, thiserror::Error)]
#[error("the outgoing connection `{connection}` has an invalid {}", problem.field())]
pub struct ConfigError {
    connection: String,
    #[source]
    problem: ConfigProblem,
}

impl ConfigError {
    pub(crate) fn new(connection: &str, problem: ConfigProblem) -> Self {
        Self { connection: connection.to_owned(), problem }
    }

    /// The connection's name.
    pub fn connection(&self) -> &str {
        &self.connection
    }

    /// The field of [`Config`] which is invalid.
    pub fn field(&self) -> &'static str {
        self.problem.field()
    }

    /// What is wrong with it.
    pub fn problem(&self) -> &ConfigProblem {
        &self.problem
    }
}

/// What is wrong with a field of [`Config`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigProblem {
    /// `host` begins neither with `http://` nor `https://`, and is no Unix socket.
    #[error("it must begin with http:// or https://")]
    HostScheme,
    /// `host` has a username or password in it, which belong into `security`.
    #[error("it must not contain credentials, which belong into a security definition")]
    HostCredentials,
    /// `host` is no host.
    #[error("it is not a host")]
    Host(#[source] InvalidUri),
    /// `host` has no host name behind its scheme, or no valid port.
    #[error("it has no host name or its port is invalid")]
    HostOrPort,
    /// `url_path` is no path.
    #[error(transparent)]
    UrlPath(ParseUrlTemplateError),
    /// `host` and `url_path` together are no URL.
    #[error("it is no path that a URL can have")]
    Url(#[source] InvalidUri),
    /// `transport` has a SOAP action that a header cannot carry.
    #[error("the SOAP action has characters that a header must not have")]
    SoapAction,
    /// `security` is WS-Security on a connection that has no envelope to put it into.
    #[error("WS-Security is for SOAP connections only")]
    WsSecurityWithoutSoap,
    /// `security` has an API key whose header has no valid name.
    #[error("the API key's header is not a header name")]
    ApiKeyHeader,
    /// `security` has a key or a token that a header cannot carry.
    #[error("it has characters that a header must not have")]
    Credentials(#[source] Source),
    /// `security` has client credentials with which no token request can be made.
    #[error("no access token can be asked for")]
    ClientCredentials(#[source] ClientCredentialsError),
    /// `security` needs random numbers, which the operating system does not have.
    #[error("there are no random numbers for it")]
    Randomness(#[source] NoRandomness),
    /// `ping_method` is no HTTP method.
    #[error("it is not an HTTP method")]
    PingMethod,
    /// `pool_size` is 0.
    #[error("it must be at least 1")]
    PoolSize,
    /// `timeout` is zero.
    #[error("it must be more than zero")]
    Timeout,
    /// `queue_timeout` is zero.
    #[error("it must be more than zero")]
    QueueTimeout,
    /// `phase_timeouts` has one that is zero.
    #[error("each of them must be more than zero")]
    PhaseTimeouts,
    /// `retry` has no attempts.
    #[error("there must be at least 1 attempt")]
    RetryAttempts,
    /// `circuit_breaker` has a number that makes no sense.
    #[error("its numbers must be more than zero, its percentage at most 100 and its calls at most 10,000")]
    CircuitBreaker,
    /// `tls` has authorities which are not usable.
    #[error("the certificate authorities are not usable")]
    CaBundle(#[source] CaBundleError),
    /// `tls` has a client certificate which is not usable.
    #[error("the client certificate is not usable")]
    Identity(#[source] IdentityError),
    /// `host` is a Unix socket whose path is not absolute.
    #[error("the path of its Unix socket must start with a slash")]
    UnixSocket,
}

impl ConfigProblem {
    /// The field of [`Config`] which has the problem.
    pub fn field(&self) -> &'static str {
        match self {
            Self::HostScheme | Self::HostCredentials | Self::Host(_) | Self::HostOrPort => "host",
            Self::UrlPath(_) | Self::Url(_) => "url_path",
            Self::SoapAction => "transport",
            Self::WsSecurityWithoutSoap
            | Self::ApiKeyHeader
            | Self::Credentials(_)
            | Self::ClientCredentials(_)
            | Self::Randomness(_) => "security",
            Self::PingMethod => "ping_method",
            Self::PoolSize => "pool_size",
            Self::Timeout => "timeout",
            Self::QueueTimeout => "queue_timeout",
            Self::PhaseTimeouts => "phase_timeouts",
            Self::RetryAttempts => "retry",
            Self::CircuitBreaker => "circuit_breaker",
            Self::CaBundle(_) | Self::Identity(_) => "tls",
            Self::UnixSocket => "host",
        }
    }
}

/// What all outgoing connections of a program share. Its clones are the same environment.
#[derive(Clone, Debug)]
pub struct Environment {
    pub(crate) headers: ZatoHeadersLayer,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tls: Arc<SharedTls>,
    pub(crate) resolver: Arc<Resolver>,
    pub(crate) proxies: Arc<ProxyRules>,
}

/// A component name that a header cannot carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the component name has characters that a header must not have")]
pub struct InvalidComponent;

impl Environment {
    /// An environment whose `X-Zato-Component` is `component`, with the operating system's clock, and with the proxies which
    /// the environment variables of the process name now, see [`ProxyRules::from_process`].
    ///
    /// # Errors
    ///
    /// [`InvalidComponent`] if a header cannot carry `component`.
    pub fn new(component: &str) -> Result<Self, InvalidComponent> {
        let component = HeaderValue::from_str(component).map_err(|_| InvalidComponent)?;
        let clock = Arc::new(SystemClock);
        Ok(Self {
            headers: ZatoHeadersLayer::if_not_present(component, clock.clone()),
            clock,
            tls: Arc::default(),
            resolver: Arc::default(),
            proxies: Arc::new(ProxyRules::from_process()),
        })
    }

    /// Takes the time of day from `clock`.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        let component = self.headers.component().clone();
        let headers = ZatoHeadersLayer::if_not_present(component, Arc::clone(&clock));
        Self { headers, clock, ..self }
    }

    /// Takes the proxies of connections with [`Proxy::Environment`] from `rules`.
    #[must_use]
    pub fn with_proxies(self, rules: ProxyRules) -> Self {
        Self { proxies: Arc::new(rules), ..self }
    }
}
