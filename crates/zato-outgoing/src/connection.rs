//! A named outgoing connection, and the verbs it offers.
//!
//! Owns what belongs to one connection for as long as it is configured: its stack, its URL, its credentials. It knows nothing
//! of the table it stands in.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use zato_cid::Cid;

use crate::body::IntoBody;
use crate::call::{Call, Place};
use crate::clock::Clock;
use crate::config::{Config, ConfigError, ConfigProblem, Environment, Security, Transport};
use crate::error::CallError;
use crate::layers::cookies::CookieJar;
use crate::metrics::{Metrics, MetricsSnapshot};
use crate::params::IntoParams;
use crate::ping;
use crate::stack::{self, ConnectionPool, Stack};
use crate::target::Target;
use zato_connections::Secret;

/// A named connection, ready for calls. Its clones are the same connection, with one pool.
///
/// ```no_run
/// # async fn example(cid: zato_cid::Cid) -> Result<(), Box<dyn std::error::Error>> {
/// use zato_outgoing::{Config, Connection, Environment};
///
/// let environment = Environment::new("parallel/esb1/esb1.example.com/21358/main")?;
/// let crm = Connection::new(Config::new(1, "CRM", "https://crm.example.com", "/profiles"), &environment)?;
/// let response = crm.conn().get(cid, [("id", 1)]).await?.raise_for_status()?;
/// println!("{}", response.text());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Connection(Conn);

impl Connection {
    /// Builds a connection, its whole stack included. Nothing is opened yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], naming the field which is invalid.
    pub fn new(config: Config, environment: &Environment) -> Result<Self, ConfigError> {
        Self::build(config, environment, None)
    }

    /// Builds the connection that takes the place of this one. It goes on with the counters, and with the cookies if it calls
    /// the same peer as the same user.
    pub(crate) fn successor(&self, config: Config, environment: &Environment) -> Result<Self, ConfigError> {
        Self::build(config, environment, Some(&self.0.0))
    }

    fn build(
        config: Config,
        environment: &Environment,
        predecessor: Option<&Inner>,
    ) -> Result<Self, ConfigError> {
        let name = Arc::from(&*config.name);
        match Inner::build(Arc::clone(&name), config, environment, predecessor) {
            Ok(inner) => Ok(Self(Conn(Arc::new(inner)))),
            Err(problem) => Err(ConfigError::new(&name, problem)),
        }
    }

    /// The connection's id.
    pub fn id(&self) -> i64 {
        self.0.0.id
    }

    /// The connection's name.
    pub fn name(&self) -> &str {
        &self.0.0.name
    }

    /// Whether calls are allowed.
    pub fn is_active(&self) -> bool {
        self.0.0.is_active
    }

    /// Whether this is a SOAP connection, rather than one of plain HTTP.
    pub fn is_soap(&self) -> bool {
        self.0.0.is_soap
    }

    /// What calls are made with.
    pub fn conn(&self) -> &Conn {
        &self.0
    }

    /// How many open connections lie unused in the pool.
    pub fn idle_connections(&self) -> usize {
        self.0.0.pool.idle_connections()
    }

    /// How many calls wait for one of the connections that the pool size allows.
    pub fn waiting_calls(&self) -> usize {
        self.0.0.pool.waiting()
    }

    /// How many calls may be under way at once.
    pub fn pool_size(&self) -> usize {
        self.0.0.pool.size()
    }

    /// What has been counted of the calls. Replacing the connection does not start anew, unless it gets another id.
    pub fn metrics(&self) -> MetricsSnapshot {
        self.0.0.metrics.snapshot()
    }

    /// Ends the life of this connection: unused TCP connections are closed at once, those in use when their calls end.
    pub(crate) fn retire(&self) {
        self.0.0.pool.retire();
    }

    pub(crate) fn shared_name(&self) -> &Arc<str> {
        &self.0.0.name
    }
}

/// The verbs of a connection.
///
/// A verb makes a [`Call`], which can be given more before it is awaited. All calls go through the same stack: they carry
/// the connection's credentials and the X-Zato headers, and they end within the connection's time-out. On a SOAP
/// connection every verb's body is put into an envelope, also an empty one.
#[derive(Clone)]
pub struct Conn(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) id: i64,
    pub(crate) name: Arc<str>,
    pub(crate) is_active: bool,
    pub(crate) is_soap: bool,
    pub(crate) target: Target,
    pub(crate) ping_method: Method,
    pub(crate) timeout: Duration,
    pub(crate) response_limit: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) stack: Stack,
    security: Option<Security>,
    pool: ConnectionPool,
    pub(crate) metrics: Arc<Metrics>,
    /// Absent if cookies are not kept.
    cookies: Option<Arc<CookieJar>>,
}

impl Inner {
    fn build(
        name: Arc<str>,
        config: Config,
        environment: &Environment,
        predecessor: Option<&Self>,
    ) -> Result<Self, ConfigProblem> {
        let target = Target::parse(&config.host, &config.url_path)?;
        let metrics = predecessor.map(|predecessor| Arc::clone(&predecessor.metrics)).unwrap_or_default();
        let inherited = predecessor
            .filter(|predecessor| {
                predecessor.target.origin == target.origin
                    && is_same_user(predecessor.security.as_ref(), config.security.as_ref())
            })
            .and_then(|predecessor| predecessor.cookies.clone());
        let cookies = config.keep_cookies.then(|| inherited.unwrap_or_default());
        let ping_method =
            Method::from_bytes(config.ping_method.as_bytes()).map_err(|_| ConfigProblem::PingMethod)?;
        let (stack, pool) = stack::build(&config, &target, environment, &name, &metrics, cookies.clone())?;
        Ok(Self {
            id: config.id,
            name,
            is_active: config.is_active,
            is_soap: matches!(config.transport, Transport::Soap { .. }),
            target,
            ping_method,
            timeout: config.timeout,
            response_limit: config.response_limit,
            clock: Arc::clone(&environment.clock),
            stack,
            security: config.security,
            pool,
            metrics,
            cookies,
        })
    }
}

/// Cookies may be what a peer knows a user by, and must not outlive the user's credentials.
fn is_same_user(one: Option<&Security>, other: Option<&Security>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            let ((username, password), (other_username, other_password)) =
                (one.credentials(), other.credentials());
            std::mem::discriminant(one) == std::mem::discriminant(other)
                && username == other_username
                && password.expose() == other_password.expose()
        }
        _ => false,
    }
}

impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conn").field("id", &self.0.id).field("name", &self.0.name).finish_non_exhaustive()
    }
}

impl Conn {
    /// The credentials which the connection is configured with, if there are any.
    pub fn auth(&self) -> Option<Credentials<'_>> {
        self.0.security.as_ref().map(|security| {
            let (username, password) = security.credentials();
            Credentials { username, password }
        })
    }

    /// A handle for any other request, to any path or URL.
    pub fn session(&self) -> Session<'_> {
        Session { conn: self }
    }

    /// A GET request.
    #[inline]
    pub fn get(&self, cid: Cid, params: impl IntoParams) -> Call {
        self.call(cid, Method::GET).params(params)
    }

    /// A POST request.
    #[inline]
    pub fn post(&self, cid: Cid, body: impl IntoBody) -> Call {
        self.call(cid, Method::POST).body(body)
    }

    /// The same as [`Conn::post`].
    #[inline]
    pub fn send(&self, cid: Cid, body: impl IntoBody) -> Call {
        self.post(cid, body)
    }

    /// A PUT request.
    #[inline]
    pub fn put(&self, cid: Cid, body: impl IntoBody) -> Call {
        self.call(cid, Method::PUT).body(body)
    }

    /// A PATCH request.
    #[inline]
    pub fn patch(&self, cid: Cid, body: impl IntoBody) -> Call {
        self.call(cid, Method::PATCH).body(body)
    }

    /// A DELETE request.
    #[inline]
    pub fn delete(&self, cid: Cid, params: impl IntoParams) -> Call {
        self.call(cid, Method::DELETE).params(params)
    }

    /// An OPTIONS request.
    pub fn options(&self, cid: Cid, params: impl IntoParams) -> Call {
        self.call(cid, Method::OPTIONS).params(params)
    }

    /// A HEAD request.
    pub fn head(&self, cid: Cid, params: impl IntoParams) -> Call {
        self.call(cid, Method::HEAD).params(params)
    }

    /// Checks whether the other side is alive, with the connection's ping method. Any status is an answer. An inactive
    /// connection can be pinged too. No envelope is sent, and placeholders of the path go out as they stand.
    ///
    /// The report has a line for each request that was sent, the status, the time until the answer, the time of each phase,
    /// the protocol and, with TLS, when the peer's certificate expires.
    ///
    /// # Errors
    ///
    /// [`CallError`] if no answer came. It names the phase that failed, and has a [report](CallError::report) too.
    pub async fn ping(&self, cid: Cid) -> Result<String, CallError> {
        ping::ping(self, cid).await
    }

    pub(crate) fn call(&self, cid: Cid, method: Method) -> Call {
        Call::new(self.clone(), cid, method, Place::Configured)
    }
}

/// The credentials of a connection. The password is never shown by `Debug`.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    username: &'a str,
    password: &'a Secret,
}

impl<'a> Credentials<'a> {
    /// The username; the name of an API key's header, the id of an OAuth client or of an AWS access key; empty for a Bearer
    /// token.
    pub fn username(&self) -> &'a str {
        self.username
    }

    /// The password, key, token or secret.
    pub fn password(&self) -> &'a Secret {
        self.password
    }
}

/// Makes requests to any path or URL through a connection's stack.
///
/// The requests carry the X-Zato headers and, at the connection's own host only, its HTTP credentials. Their bodies are sent
/// as they are, also on a SOAP connection.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    conn: &'a Conn,
}

impl Session<'_> {
    /// A request to a path at the connection's host, or to a whole URL.
    pub fn request(&self, cid: Cid, method: Method, path_or_url: impl Into<String>) -> Call {
        Call::new(self.conn.clone(), cid, method, Place::Other(path_or_url.into()))
    }
}
