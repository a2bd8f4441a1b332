//! What can go wrong, in terms of both databases alike.
//!
//! Owns the error types and their mapping from driver errors. No error may carry a connection URL or a secret, and no
//! text of one a value that a caller wanted to store.

use std::path::PathBuf;

use sea_orm::{DbErr, RuntimeErr, SqlxError};

use crate::model::ObjectKind;

/// An operation of the operational database failed. A transaction in which one failed can only be dropped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OdbError {
    /// Another object has the same name, user name or address.
    #[error("another {object} object has the same {what}")]
    Duplicate {
        /// The kind of the object that was to be stored.
        object: ObjectKind,
        /// What has to be unique.
        what: Unique,
    },
    /// The object refers to one that does not exist, such as a cluster, a service or a security definition.
    #[error("the {object} object refers to an object that does not exist")]
    MissingReference {
        /// The kind of the object that was to be stored.
        object: ObjectKind,
    },
    /// The object is used by another one, so that it cannot be deleted.
    #[error("the {object} object is still used by another one")]
    StillReferenced {
        /// The kind of the object that was to be deleted.
        object: ObjectKind,
    },
    /// There is no such object.
    #[error("there is no {object} object with id {id}")]
    NotFound {
        /// The kind of the object that was to be changed or deleted.
        object: ObjectKind,
        /// Its id.
        id: i64,
    },
    /// A text is longer than its column.
    #[error("`{column}` is longer than {limit} characters")]
    TooLong {
        /// The column.
        column: &'static str,
        /// How many characters fit.
        limit: u32,
    },
    /// A text contains the character U+0000, which PostgreSQL cannot store.
    #[error("`{column}` contains the character U+0000")]
    NulCharacter {
        /// The column.
        column: &'static str,
    },
    /// A stored value is none that this version understands.
    #[error("column `{column}` of the {object} object with id {id} holds a value this version does not know")]
    Unreadable {
        /// The kind of the object that was read.
        object: ObjectKind,
        /// Its id.
        id: i64,
        /// The column.
        column: &'static str,
    },
    /// Events that the caller has not seen were removed from the log: it has to read everything anew.
    #[error("the event log does not go back to event {last}: events up to {trimmed} were removed")]
    EventsTrimmed {
        /// The last event that the caller knows.
        last: i64,
        /// The newest event that was removed.
        trimmed: i64,
    },
    /// The database cannot be reached, is busy, full or shutting down. Trying again later may help.
    #[error("the database is unavailable")]
    Unavailable(#[source] BackendError),
    /// The address of the database cannot be understood.
    #[error("the address of the database is invalid: {reason}")]
    InvalidAddress {
        /// What is wrong with it, without the address itself.
        reason: &'static str,
    },
    /// A migration failed; nothing of it was applied.
    #[error("migration {version} failed")]
    Migration {
        /// The migration.
        version: i32,
        /// Why.
        #[source]
        source: BackendError,
    },
    /// The database was migrated by a newer version of this program.
    #[error("the database is at version {found}, newer than version {known} that this program knows")]
    TooNew {
        /// The version of the database.
        found: i32,
        /// The newest version this program knows.
        known: i32,
    },
    /// A secret could not be encrypted or decrypted.
    #[error("a secret cannot be read or stored")]
    Secret(#[from] SecretError),
    /// The database holds secrets that were encrypted with another key.
    #[error("the database was created with another secret key")]
    WrongSecretKey,
    /// Anything else that the driver reported.
    #[error("the database reported an error")]
    Other(#[source] BackendError),
}

/// What an object shares with another one although it must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unique {
    /// The name.
    Name,
    /// The user name.
    Username,
    /// The URL path together with host and SOAP action.
    Address,
    /// The token of a server.
    Token,
    /// The objects it refers to, together.
    Combination,
}

impl std::fmt::Display for Unique {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::Username => "user name",
            Self::Address => "URL path, host and SOAP action",
            Self::Token => "token",
            Self::Combination => "combination of references",
        })
    }
}

/// An error of the driver. Its text is meant for logs.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BackendError(Cause);

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error(transparent)]
    Orm(DbErr),
    #[error(transparent)]
    Driver(SqlxError),
    #[error(transparent)]
    Io(std::io::Error),
}

impl From<DbErr> for BackendError {
    fn from(error: DbErr) -> Self {
        Self(Cause::Orm(error))
    }
}

impl From<SqlxError> for BackendError {
    fn from(error: SqlxError) -> Self {
        Self(Cause::Driver(error))
    }
}

impl From<std::io::Error> for BackendError {
    fn from(error: std::io::Error) -> Self {
        Self(Cause::Io(error))
    }
}

/// A secret could not be encrypted or decrypted. The text of the secret is not part of the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The stored text is not of the form in which secrets are stored.
    #[error("the stored text is not an encrypted secret")]
    Malformed,
    /// The stored text was encrypted by a version of the format that is not known.
    #[error("the stored secret is of an unknown version")]
    UnknownVersion,
    /// The key is another one, or the stored text was changed or moved here from another column.
    #[error("the stored secret does not belong to this key and column")]
    NotAuthentic,
    /// The secret is too long to be encrypted.
    #[error("the secret is too long")]
    TooLong,
    /// The operating system gave no random numbers.
    #[error("the operating system gave no random numbers")]
    NoEntropy,
}

/// A secret key could not be read or created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// Reading or writing failed.
    #[error("the key file {path} cannot be read or created")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Other users of the machine can read or change the file.
    #[error(
        "the key file {path} has mode {mode:03o}: it must be accessible to its owner only, run `chmod 600` on it"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file does not hold a key.
    #[error("the key file {path} does not hold a secret key")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The operating system gave no random numbers.
    #[error("the operating system gave no random numbers")]
    NoEntropy,
}

/// A unique constraint of a table: under which name PostgreSQL reports it, by which columns SQLite does.
#[derive(Clone, Copy, Debug)]
pub struct UniqueRule {
    /// The name of the constraint.
    pub(crate) constraint: &'static str,
    /// The columns as SQLite lists them, with the table before each.
    pub(crate) columns: &'static str,
    /// What has to be unique.
    pub(crate) what: Unique,
}

impl OdbError {
    /// An error of reading, connecting or committing.
    pub(crate) fn from_read(error: DbErr) -> Self {
        if driver_error(&error).is_some_and(is_unavailable) || matches!(error, DbErr::ConnectionAcquire(_)) {
            Self::Unavailable(error.into())
        } else {
            Self::Other(error.into())
        }
    }

    /// An error of opening a connection.
    pub(crate) fn from_connect(error: SqlxError) -> Self {
        Self::Unavailable(error.into())
    }

    /// An error of inserting or updating an object.
    pub(crate) fn from_write(error: DbErr, object: ObjectKind, rules: &[UniqueRule]) -> Self {
        let Some(SqlxError::Database(reported)) = driver_error(&error) else {
            return Self::from_read(error);
        };
        if reported.is_unique_violation() {
            let broken = rules.iter().find(|rule| match reported.constraint() {
                Some(name) => name == rule.constraint,
                None => reported.message().ends_with(rule.columns),
            });
            if let Some(rule) = broken {
                return Self::Duplicate { object, what: rule.what };
            }
        }
        if reported.is_foreign_key_violation() {
            return Self::MissingReference { object };
        }
        Self::from_read(error)
    }

    /// An error of deleting an object.
    pub(crate) fn from_delete(error: DbErr, object: ObjectKind) -> Self {
        match driver_error(&error) {
            Some(SqlxError::Database(reported)) if reported.is_foreign_key_violation() => {
                Self::StillReferenced { object }
            }
            _ => Self::from_read(error),
        }
    }
}

fn driver_error(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// Whether an error says that the database is away, busy or out of resources, rather than that a statement is wrong.
fn is_unavailable(error: &SqlxError) -> bool {
    let SqlxError::Database(reported) = error else {
        return matches!(
            error,
            SqlxError::Io(_)
                | SqlxError::Tls(_)
                | SqlxError::Protocol(_)
                | SqlxError::PoolTimedOut
                | SqlxError::PoolClosed
                | SqlxError::WorkerCrashed
        );
    };
    let Some(code) = reported.code() else { return false };
    if let Ok(extended) = code.parse::<u32>()
        && code.len() < 5
    {
        // The lower byte of an extended result code of SQLite is the primary one:
        // busy, locked, I/O error, full, cannot open, read-only.
        return matches!(extended & 0xff, 5 | 6 | 8 | 10 | 13 | 14);
    }
    // Classes of PostgreSQL: connection exception, transaction rollback, insufficient resources, operator intervention,
    // system error; and a state that does not allow it now, such as a lock that was not granted in time.
    ["08", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class))
}

/// Whether SQLite did not get a lock that another connection has.
pub(crate) fn is_busy(error: &SqlxError) -> bool {
    error.as_database_error().and_then(|reported| reported.code()).is_some_and(|code| code == "5")
}
