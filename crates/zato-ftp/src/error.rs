//! Why an operation on an FTP server failed.
//!
//! Owns the terms that callers can act on. It must not know operations.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use suppaftp::FtpError;

/// The failure of a login or of an operation. It names the connection; passwords are never part of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server can't be reached.
    #[error("the server of the outgoing FTP connection `{connection}` can't be reached")]
    Unreachable {
        /// The connection.
        connection: Arc<str>,
        /// Why.
        source: ProtocolError,
    },
    /// The connection could not be encrypted, or the server's certificate is not to be trusted.
    #[error("the outgoing FTP connection `{connection}` can't be encrypted")]
    Tls {
        /// The connection.
        connection: Arc<str>,
        /// Why.
        source: ProtocolError,
    },
    /// The server did not let the connection in.
    #[error("the server of the outgoing FTP connection `{connection}` refused to log it in")]
    LoginRefused {
        /// The connection.
        connection: Arc<str>,
        /// What the server says.
        source: ProtocolError,
    },
    /// The server refused an operation.
    #[error("the server of the outgoing FTP connection `{connection}` refused to {operation} `{path}`")]
    Refused {
        /// The connection.
        connection: Arc<str>,
        /// What was to be done.
        operation: &'static str,
        /// With what.
        path: String,
        /// The server's reply code; 550 is what most servers say of a file that is not there.
        code: u32,
        /// What the server says.
        source: ProtocolError,
    },
    /// The server said nothing for too long. The session can't be used any longer.
    #[error("the server of the outgoing FTP connection `{connection}` said nothing for {} s", after.as_secs_f64())]
    Timeout {
        /// The connection.
        connection: Arc<str>,
        /// How long it may.
        after: Duration,
    },
    /// The connection broke, or the server does not keep to the protocol. The session can't be used any longer.
    #[error("the outgoing FTP connection `{connection}` broke")]
    Lost {
        /// The connection.
        connection: Arc<str>,
        /// Why.
        source: ProtocolError,
    },
    /// The other end of a transfer, which is not the server, failed. The session can't be used any longer.
    #[error(
        "a transfer of the outgoing FTP connection `{connection}` was given up, because its other end failed"
    )]
    OtherEnd {
        /// The connection.
        connection: Arc<str>,
        /// Why.
        source: std::io::Error,
    },
}

impl Error {
    /// The name of the connection.
    #[must_use]
    pub fn connection(&self) -> &str {
        match self {
            Self::Unreachable { connection, .. }
            | Self::Tls { connection, .. }
            | Self::LoginRefused { connection, .. }
            | Self::Refused { connection, .. }
            | Self::Timeout { connection, .. }
            | Self::Lost { connection, .. }
            | Self::OtherEnd { connection, .. } => connection,
        }
    }

    /// Whether the server was waited for in vain.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout { .. })
    }

    pub(crate) fn connecting(connection: Arc<str>, error: FtpError) -> Self {
        let source = ProtocolError(error);
        match &source.0 {
            FtpError::SecureError(_) => Self::Tls { connection, source },
            _ => Self::Unreachable { connection, source },
        }
    }

    /// What went wrong in a session; whether the session can go on.
    pub(crate) fn operating(
        connection: Arc<str>,
        operation: &'static str,
        path: &str,
        error: FtpError,
    ) -> (Self, bool) {
        let source = ProtocolError(error);
        match &source.0 {
            FtpError::UnexpectedResponse(response) => {
                let code = response.status.code();
                (Self::Refused { connection, operation, path: path.to_owned(), code, source }, true)
            }
            FtpError::SecureError(_) => (Self::Tls { connection, source }, false),
            _ => (Self::Lost { connection, source }, false),
        }
    }
}

/// What the client or the server says about a failure.
#[derive(Debug)]
pub struct ProtocolError(pub(crate) FtpError);

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            FtpError::ConnectionError(error) => fmt::Display::fmt(error, f),
            FtpError::UnexpectedResponse(response) => fmt::Display::fmt(response, f),
            error => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for ProtocolError {}
