//! A named definition, and how sessions of it begin.
//!
//! Owns connecting, encrypting and logging in. It must not know what sessions are used for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use suppaftp::tokio::{AsyncRustlsConnector, AsyncRustlsFtpStream};
use suppaftp::types::FileType;
use suppaftp::{FtpError, FtpResult, Mode, Status};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zato_connections::{Named, Secret};

use crate::{Error, ProtocolError, Session, tls};

/// How long a server may say nothing, unless a definition says otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The definition of an outgoing FTP connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Its id, which stays when it is renamed.
    pub id: i64,
    /// The name that services look it up by.
    pub name: String,
    /// Whether services may use it.
    pub is_active: bool,
    /// The server. Data connections lead there as well, whatever host the server's replies name.
    pub host: String,
    /// The port of its control connection.
    pub port: u16,
    /// Who logs in; `anonymous` if nobody is named.
    pub user: Option<String>,
    /// With which password.
    pub password: Option<Secret>,
    /// The account, for servers that ask for one.
    pub account: Option<String>,
    /// How long the server may say nothing.
    pub timeout: Option<Duration>,
    /// Whether a session keeps the listings of directories until it changes something.
    pub caches_listings: bool,
    /// Whether control and data connections are encrypted: explicit FTPS.
    pub is_encrypted: bool,
    /// Authorities that certificates may be of, besides those of the operating system; in PEM.
    pub authorities: Option<Vec<u8>>,
}

impl Config {
    /// An active definition for anonymous users, without encryption.
    #[must_use]
    pub fn new(id: i64, name: impl Into<String>, host: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            is_active: true,
            host: host.into(),
            port: 21,
            user: None,
            password: None,
            account: None,
            timeout: None,
            caches_listings: false,
            is_encrypted: false,
            authorities: None,
        }
    }
}

/// What keeps a definition from being used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The authorities are no certificates in PEM.
    #[error("the authorities of the outgoing FTP connection `{connection}` are no certificates in PEM")]
    Authorities {
        /// The connection.
        connection: String,
    },
}

/// A named outgoing FTP connection. Clones are the same one. It holds no connection by itself: each session has its own.
#[derive(Clone)]
pub struct Ftp(Arc<Definition>);

struct Definition {
    config: Config,
    name: Arc<str>,
    tls: Option<TlsConnector>,
}

impl fmt::Debug for Ftp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ftp").field(&self.0.config).finish()
    }
}

impl Named for Ftp {
    const KIND: &'static str = "outgoing FTP connection";

    fn id(&self) -> i64 {
        self.0.config.id
    }

    fn name(&self) -> &str {
        &self.0.name
    }

    fn is_active(&self) -> bool {
        self.0.config.is_active
    }
}

impl Ftp {
    /// A connection of this definition. Nothing is connected yet.
    ///
    /// # Errors
    /// The authorities can't be read.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let authorities = config.authorities.as_deref();
        let tls = config.is_encrypted.then(|| tls::connector(&config.name, authorities)).transpose()?;
        let name = Arc::from(&*config.name);
        Ok(Self(Arc::new(Definition { config, name, tls })))
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn connect(&self) -> Result<Session, Error> {
        let after = self.0.config.timeout.unwrap_or(TIMEOUT);
        let connection = Arc::clone(&self.0.name);
        let stream = timeout(after, self.log_in())
            .await
            .unwrap_or_else(|_| Err(Error::Timeout { connection: Arc::clone(&connection), after }))?;
        Ok(Session::new(stream, connection, after, self.0.config.caches_listings))
    }

    async fn log_in(&self) -> Result<AsyncRustlsFtpStream, Error> {
        let config = &self.0.config;
        let connecting = |error| Error::connecting(Arc::clone(&self.0.name), error);
        let socket = TcpStream::connect((config.host.as_str(), config.port))
            .await
            .map_err(|error| connecting(FtpError::ConnectionError(error)))?;
        let is_ipv6 = socket.peer_addr().is_ok_and(|peer| peer.is_ipv6());
        let mut stream = AsyncRustlsFtpStream::connect_with_stream(socket).await.map_err(connecting)?;
        // Behind a translation of addresses a server names one that can't be reached; and a malicious one could name a
        // host that only this machine can reach.
        stream.set_passive_nat_workaround(true);
        if is_ipv6 {
            stream.set_mode(Mode::ExtendedPassive);
        }
        if let Some(tls) = &self.0.tls {
            let connector = AsyncRustlsConnector::from(tls.clone());
            let encrypted = stream.into_secure(connector, &config.host).await;
            stream = encrypted.map_err(|error| Error::Tls {
                connection: Arc::clone(&self.0.name),
                source: ProtocolError(error),
            })?;
        }
        self.authenticate(&mut stream).await.map_err(|error| match error {
            FtpError::UnexpectedResponse(_) => {
                Error::LoginRefused { connection: Arc::clone(&self.0.name), source: ProtocolError(error) }
            }
            error => connecting(error),
        })?;
        Ok(stream)
    }

    async fn authenticate(&self, stream: &mut AsyncRustlsFtpStream) -> FtpResult<()> {
        let config = &self.0.config;
        let user = config.user.as_deref().unwrap_or("anonymous");
        let password = config.password.as_ref().map_or("", Secret::expose);
        match (stream.login(user, password).await, &config.account) {
            (Err(FtpError::UnexpectedResponse(response)), Some(account))
                if response.status == Status::LoginNeedAccount =>
            {
                let expected = [Status::LoggedIn, Status::CommandNotImplemented];
                stream.custom_command(format!("ACCT {account}"), &expected).await?;
            }
            (result, _) => result?,
        }
        // Files are bytes; servers translate the ends of lines otherwise.
        stream.transfer_type(FileType::Binary).await
    }
}
