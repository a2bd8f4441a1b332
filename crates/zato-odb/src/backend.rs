//! The two databases: where one is, how it is opened, and how a write transaction begins.
//!
//! Owns everything in which SQLite and PostgreSQL differ, apart from error codes and spellings in migrations. It must
//! not know any table.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::sqlx::Connection;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, SqlxPostgresConnector,
    SqlxSqliteConnector, TransactionOptions, TransactionTrait,
};

use crate::error::{OdbError, is_busy};
use crate::secret::{Secret, SecretKey};

/// How long an operation waits for a connection, or for another writer, before it fails as unavailable.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before the next try where SQLite does not wait by itself.
const PAUSE: Duration = Duration::from_millis(10);
/// Connections that nobody has used for this long are closed.
const IDLE: Duration = Duration::from_secs(300);
/// How many prepared statements a connection keeps. Configuration is read and written rarely.
const STATEMENT_CACHE: usize = 32;
/// How many readers of SQLite there can be at a time. Each is a thread with a page cache.
const SQLITE_READERS: u32 = 4;
/// How many readers of PostgreSQL there can be at a time, beside the one writer.
const POSTGRES_READERS: u32 = 4;
/// The page cache of a connection to SQLite, in KiB; negative because that is how the pragma is told the unit.
const SQLITE_CACHE: &str = "-512";
/// What writers of one PostgreSQL database lock: the letters of `zato_odb`.
const WRITER_LOCK: i64 = i64::from_be_bytes(*b"zato_odb");

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// A file, created if it does not exist.
    Sqlite(PathBuf),
    /// A `postgres://` URL. It may hold a password.
    Postgres(Secret),
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

/// What [`Odb::open`](crate::Odb::open) needs to know.
#[derive(Clone, Debug)]
pub struct OdbConfig {
    /// Where the database is.
    pub location: Location,
    /// What secrets are encrypted with. All servers of a database need the same.
    pub secret_key: Arc<SecretKey>,
    /// Under which name PostgreSQL lists the connections.
    pub application_name: String,
}

impl OdbConfig {
    /// A database in a file.
    #[must_use]
    pub fn sqlite(path: impl Into<PathBuf>, secret_key: Arc<SecretKey>) -> Self {
        Self { location: Location::Sqlite(path.into()), secret_key, application_name: "zato".to_owned() }
    }

    /// A PostgreSQL database, by a URL such as `postgres://user:password@host:5432/database`.
    #[must_use]
    pub fn postgres(url: impl Into<String>, secret_key: Arc<SecretKey>) -> Self {
        let location = Location::Postgres(Secret::new(url));
        Self { location, secret_key, application_name: "zato".to_owned() }
    }
}

/// The connections to one database.
#[derive(Debug)]
pub(crate) struct Backend {
    reader: DatabaseConnection,
    writer: DatabaseConnection,
    dialect: Dialect,
}

/// Which of the two databases it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Backend {
    pub(crate) async fn connect(config: &OdbConfig) -> Result<Self, OdbError> {
        match &config.location {
            Location::Sqlite(path) => Self::connect_sqlite(path).await,
            Location::Postgres(url) => Self::connect_postgres(url, &config.application_name).await,
        }
    }

    /// One connection writes, so that the writers of this process queue in the pool instead of polling the lock of the
    /// file; up to [`SQLITE_READERS`] read beside it, which the write-ahead log makes possible.
    async fn connect_sqlite(path: &Path) -> Result<Self, OdbError> {
        create_private_file(path).map_err(|error| OdbError::Unavailable(error.into()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            .statement_cache_capacity(STATEMENT_CACHE)
            .pragma("cache_size", SQLITE_CACHE);
        let durable =
            options.clone().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        let one = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None)
            // SQLite rolls back by itself when there is no room, which the driver does not know of: what comes after that would never
            // be committed. The pool opens another connection instead.
            .before_acquire(|connection, _| {
                let is_clean = !connection.is_in_transaction();
                Box::pin(std::future::ready(Ok(is_clean)))
            });
        let begun = Instant::now();
        let writer = loop {
            match one.clone().connect_with(durable.clone()).await {
                // Of several that give a new file its write-ahead log at once, SQLite refuses all but one without waiting.
                Err(error) if is_busy(&error) && begun.elapsed() < PATIENCE => {
                    tokio::time::sleep(PAUSE).await
                }
                result => break result.map_err(OdbError::from_connect)?,
            }
        };
        let reader = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .acquire_timeout(PATIENCE)
            .idle_timeout(IDLE)
            .test_before_acquire(false)
            .connect_lazy_with(options.pragma("query_only", "ON"));
        Ok(Self {
            reader: SqlxSqliteConnector::from_sqlx_sqlite_pool(reader),
            writer: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
            dialect: Dialect::Sqlite,
        })
    }

    /// As with SQLite, one connection writes: writers that wait for one another must not take the connections that the
    /// one who writes reads with. The time-outs are set on the server, so that it lets go of the writers' lock even if this process hangs or its
    /// machine is gone.
    async fn connect_postgres(url: &Secret, application_name: &str) -> Result<Self, OdbError> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.expose().starts_with(scheme)) {
            return Err(OdbError::InvalidAddress { reason: "it does not start with postgres://" });
        }
        let options = PgConnectOptions::from_str(url.expose())
            .map_err(|_| OdbError::InvalidAddress { reason: "it is not a URL of a PostgreSQL database" })?
            .application_name(application_name)
            .statement_cache_capacity(STATEMENT_CACHE)
            .options([
                ("statement_timeout", "30s"),
                ("lock_timeout", "10s"),
                ("idle_in_transaction_session_timeout", "30s"),
            ]);
        let pool = |connections| {
            PgPoolOptions::new().max_connections(connections).acquire_timeout(PATIENCE).idle_timeout(IDLE)
        };
        let writer = pool(1).connect_with(options.clone()).await.map_err(OdbError::from_connect)?;
        let reader = pool(POSTGRES_READERS).connect_lazy_with(options);
        Ok(Self {
            reader: SqlxPostgresConnector::from_sqlx_postgres_pool(reader),
            writer: SqlxPostgresConnector::from_sqlx_postgres_pool(writer),
            dialect: Dialect::Postgres,
        })
    }

    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Begins a transaction that no other writer is beside of, on SQLite by its nature and on PostgreSQL by a lock that
    /// ends with the transaction. The lock makes sequence numbers become visible in their order, which sequences alone
    /// do not promise, and it keeps two writers from waiting for each other.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, OdbError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = self.writer.begin_with_options(options).await.map_err(OdbError::from_read)?;
        if self.dialect == Dialect::Postgres {
            transaction
                .execute_unprepared(&format!("SELECT pg_advisory_xact_lock({WRITER_LOCK})"))
                .await
                .map_err(OdbError::from_read)?;
        }
        Ok(transaction)
    }
}

/// Creates the database file for its owner only; the files that SQLite puts beside it get the same permissions.
fn create_private_file(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::Statement;

    use super::*;
    use crate::test_util::postgres::create_database;

    async fn value(connection: &impl ConnectionTrait, sql: &str) -> String {
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        connection.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    fn config(location: Location) -> OdbConfig {
        let secret_key = Arc::new(SecretKey::generate().unwrap());
        OdbConfig { location, secret_key, application_name: "zato test".to_owned() }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_new_file_may_be_opened_by_many_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..100 {
            let config = config(Location::Sqlite(folder.path().join(round.to_string())));
            let opened: Vec<_> = (0..8)
                .map(|_| {
                    let config = config.clone();
                    tokio::spawn(async move { Backend::connect(&config).await })
                })
                .collect();
            for backend in opened {
                let backend = backend.await.unwrap().unwrap();
                assert_eq!(
                    value(&backend.writer, "SELECT journal_mode FROM pragma_journal_mode").await,
                    "wal"
                );
            }
        }
    }

    #[tokio::test]
    async fn sqlite_is_durable_and_checks_references() {
        let folder = tempfile::tempdir().unwrap();
        let backend = Backend::connect(&config(Location::Sqlite(folder.path().join("odb")))).await.unwrap();
        for (setting, expected) in [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1")] {
            let sql = format!("SELECT CAST({setting} AS TEXT) FROM pragma_{setting}");
            assert_eq!(value(&backend.writer, &sql).await, expected, "{setting}");
        }
        assert_eq!(value(&backend.reader, "SELECT journal_mode FROM pragma_journal_mode").await, "wal");
        let result = backend.reader.execute_unprepared("CREATE TABLE t (id INTEGER)").await;
        assert!(result.is_err(), "the reader can write");
    }

    #[tokio::test]
    async fn sqlite_writes_again_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let backend = Backend::connect(&config(Location::Sqlite(folder.path().join("odb")))).await.unwrap();
        backend.writer.execute_unprepared("CREATE TABLE t (value TEXT)").await.unwrap();
        let write = async |text: &str| -> Result<(), sea_orm::DbErr> {
            let transaction = backend.begin().await.unwrap();
            transaction.execute_unprepared(&format!("INSERT INTO t VALUES ('{text}')")).await?;
            transaction.commit().await
        };
        backend.writer.execute_unprepared("PRAGMA max_page_count = 3").await.unwrap();
        assert!(write(&"x".repeat(100_000)).await.is_err());
        // Another one that is rolled back, for whatever reason.
        drop(backend.begin().await.unwrap());
        backend.writer.execute_unprepared("PRAGMA max_page_count = 1000").await.unwrap();
        write("first").await.unwrap();
        write("second").await.unwrap();
        let written = value(&backend.reader, "SELECT group_concat(value, ' ') FROM t").await;
        assert_eq!(written, "first second");
    }

    #[tokio::test]
    async fn postgres_lets_go_of_those_who_hang() {
        let url = Secret::new(create_database().await);
        let backend = Backend::connect(&config(Location::Postgres(url))).await.unwrap();
        for (setting, expected) in [
            ("application_name", "zato test"),
            ("statement_timeout", "30s"),
            ("lock_timeout", "10s"),
            ("idle_in_transaction_session_timeout", "30s"),
        ] {
            assert_eq!(value(&backend.writer, &format!("SHOW {setting}")).await, expected, "{setting}");
        }
    }
}
