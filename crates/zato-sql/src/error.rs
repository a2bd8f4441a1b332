//! Why a statement did not do what it was to do.
//!
//! Owns the terms that callers can act on: whether a database was reached, whether it took the statement, and whether
//! it may be tried again. It must not know which engine an error came from.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sqlx::error::ErrorKind;

use crate::RowError;

/// The failure of a statement, a transaction or a ping. It names the connection; passwords are never part of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database can't be reached, so that nothing was sent.
    #[error("the database of the outgoing SQL connection `{connection}` can't be reached")]
    Unreachable {
        /// The connection.
        connection: Arc<str>,
        /// What the driver says.
        source: DriverError,
    },
    /// The database was reached and did not let the connection in.
    #[error("the database of the outgoing SQL connection `{connection}` refused to log it in")]
    LoginRefused {
        /// The connection.
        connection: Arc<str>,
        /// What the database says.
        source: DriverError,
    },
    /// Making a connection took too long; nothing was sent.
    #[error("the database of the outgoing SQL connection `{connection}` did not answer within {} s", after.as_secs_f64())]
    ConnectTimeout {
        /// The connection.
        connection: Arc<str>,
        /// How long it may take.
        after: Duration,
    },
    /// All connections of the pool were in use for too long; nothing was sent.
    #[error("all {size} connections of the outgoing SQL connection `{connection}` were in use for {} s", after.as_secs_f64())]
    Exhausted {
        /// The connection.
        connection: Arc<str>,
        /// How many connections the pool has.
        size: usize,
        /// How long it was waited for one of them.
        after: Duration,
    },
    /// A value can't be bound to its placeholder; nothing was sent.
    #[error("value {number} can't be bound to a statement of the outgoing SQL connection `{connection}`")]
    Parameter {
        /// The connection.
        connection: Arc<str>,
        /// The value's number, from 1.
        number: usize,
        /// What keeps it from being bound.
        source: ParameterError,
    },
    /// The database refused the statement and did nothing of it.
    #[error("the database of the outgoing SQL connection `{connection}` refused a statement")]
    Statement {
        /// The connection.
        connection: Arc<str>,
        /// The rule that the statement would have broken, if it was one.
        violation: Option<Violation>,
        /// The database's own code, such as an SQLSTATE.
        code: Option<String>,
        /// What the database says.
        source: DriverError,
    },
    /// The statement took too long. Whether it took effect is not known.
    #[error("a statement of the outgoing SQL connection `{connection}` did not end within {} s", after.as_secs_f64())]
    Timeout {
        /// The connection.
        connection: Arc<str>,
        /// How long it may take.
        after: Duration,
    },
    /// The connection broke while the statement was under way. Whether it took effect is not known.
    #[error("the outgoing SQL connection `{connection}` broke during a statement")]
    Lost {
        /// The connection.
        connection: Arc<str>,
        /// What the driver says.
        source: DriverError,
    },
    /// The transaction was undone instead of committed, because a statement of it had failed.
    #[error(
        "a transaction of the outgoing SQL connection `{connection}` was undone because one of its statements failed"
    )]
    Aborted {
        /// The connection.
        connection: Arc<str>,
    },
    /// A row has a value of a type that is not read here; casting it to a text in the statement helps.
    #[error(
        "a value in column `{column}` of a result of the outgoing SQL connection `{connection}` can't be read"
    )]
    Column {
        /// The connection.
        connection: Arc<str>,
        /// The column's name.
        column: String,
        /// What the driver says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A row can't be read as the type that was asked for.
    #[error(
        "row {number} of a result of the outgoing SQL connection `{connection}` is not of the type it is read as"
    )]
    Row {
        /// The connection.
        connection: Arc<str>,
        /// The row's number, from 1.
        number: usize,
        /// Which column it is, and why.
        source: RowError,
    },
    /// A statement that is to return one row returned none, or more than one.
    #[error("a statement of the outgoing SQL connection `{connection}` returned {} instead of one row", if *.none { "no row" } else { "several rows" })]
    NotOneRow {
        /// The connection.
        connection: Arc<str>,
        /// Whether there was none.
        none: bool,
    },
}

/// A value and its placeholder don't go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// The database wants another kind of value there.
    #[error("{given} can't be sent as {wanted}")]
    Type {
        /// The value's kind.
        given: &'static str,
        /// What the database wants.
        wanted: String,
    },
    /// The value has the right kind, but the database's type has no room for it.
    #[error("the value is out of the range of {wanted}")]
    Range {
        /// The database's type.
        wanted: String,
    },
    /// The driver can't send the value.
    #[error("the value can't be encoded: {0}")]
    Encoding(String),
    /// The statement has another number of placeholders.
    #[error("{given} values were given to a statement with {wanted} placeholders")]
    Count {
        /// How many values were given.
        given: usize,
        /// How many placeholders there are.
        wanted: usize,
    },
}

/// A rule of the database that a statement would have broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// There is a row with these values already.
    Unique,
    /// A row refers to another one that is not there, or is referred to itself.
    ForeignKey,
    /// A value is missing.
    NotNull,
    /// A condition on values does not hold.
    Check,
}

impl Error {
    /// The name of the connection.
    #[must_use]
    pub fn connection(&self) -> &str {
        match self {
            Self::Unreachable { connection, .. }
            | Self::LoginRefused { connection, .. }
            | Self::ConnectTimeout { connection, .. }
            | Self::Exhausted { connection, .. }
            | Self::Parameter { connection, .. }
            | Self::Statement { connection, .. }
            | Self::Timeout { connection, .. }
            | Self::Lost { connection, .. }
            | Self::Aborted { connection }
            | Self::Column { connection, .. }
            | Self::Row { connection, .. }
            | Self::NotOneRow { connection, .. } => connection,
        }
    }

    /// Whether nothing was sent to the database, so that trying again can't do anything twice.
    #[must_use]
    pub fn is_before_sending(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::LoginRefused { .. }
                | Self::ConnectTimeout { .. }
                | Self::Exhausted { .. }
                | Self::Parameter { .. }
        )
    }

    /// Whether it is a matter of time: the database, or a free connection to it, was waited for in vain.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::ConnectTimeout { .. } | Self::Timeout { .. })
    }

    /// Whether the database could not be reached or went away, as opposed to having refused something.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::LoginRefused { .. } | Self::Lost { .. })
    }

    /// The rule of the database that the statement would have broken, if it was one.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        match self {
            Self::Statement { violation, .. } => *violation,
            _ => None,
        }
    }

    /// What went wrong while a connection was made.
    pub(crate) fn connecting(connection: Arc<str>, source: sqlx::Error) -> Self {
        let is_refusal =
            source.as_database_error().is_some_and(|error| !error.code().as_deref().is_some_and(is_shutdown));
        let source = DriverError(source);
        if is_refusal {
            Self::LoginRefused { connection, source }
        } else {
            Self::Unreachable { connection, source }
        }
    }

    /// What went wrong while a statement ran.
    pub(crate) fn running(connection: Arc<str>, source: sqlx::Error) -> Self {
        let Some(database) = source.as_database_error() else {
            // These say that the driver can't send such a statement, not that the connection broke.
            let is_refusal = matches!(
                source,
                sqlx::Error::Encode(_) | sqlx::Error::TypeNotFound { .. } | sqlx::Error::InvalidArgument(_)
            );
            let source = DriverError(source);
            return if is_refusal {
                Self::Statement { connection, violation: None, code: None, source }
            } else {
                Self::Lost { connection, source }
            };
        };
        let code = database.code().map(|code| code.into_owned());
        let violation = match database.kind() {
            ErrorKind::UniqueViolation => Some(Violation::Unique),
            ErrorKind::ForeignKeyViolation => Some(Violation::ForeignKey),
            ErrorKind::NotNullViolation => Some(Violation::NotNull),
            ErrorKind::CheckViolation => Some(Violation::Check),
            _ => None,
        };
        let source = DriverError(source);
        if code.as_deref().is_some_and(is_shutdown) {
            return Self::Lost { connection, source };
        }
        Self::Statement { connection, violation, code, source }
    }
}

/// What a driver or a database says about a failure.
#[derive(Debug)]
pub struct DriverError(sqlx::Error);

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            sqlx::Error::Database(error) => f.write_str(error.message()),
            sqlx::Error::Io(error) => fmt::Display::fmt(error, f),
            error => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for DriverError {}

/// Whether an SQLSTATE is the database's last word on a connection: it shuts down, or an operator ended the session.
fn is_shutdown(code: &str) -> bool {
    matches!(code, "57P01" | "57P02" | "57P03" | "08S01" | "70100")
}
