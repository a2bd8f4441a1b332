//! A named pool: what services run statements with.
//!
//! Owns running one statement by itself: a connection for it, a limit of time, and where the connection goes
//! afterwards. It must not know engines.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_util::stream::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use sqlx::{Either, MySql, Postgres, SqlStr, Sqlite};
use tokio::sync::mpsc;
use tokio::time::timeout;
use zato_connections::Named;

use crate::dialect::Step;
use crate::lease::Source;
use crate::row::Row;
use crate::session::{Session, Sessions};
use crate::{Config, ConfigError, Engine, Error, Executed, IntoParams, Sql, Transaction, Value};

/// How many rows of a stream are read ahead of whoever takes them.
const ROWS_AHEAD: usize = 256;

/// A named outgoing SQL connection. Clones are the same pool; it is closed when the last one is dropped.
#[derive(Clone)]
pub struct Pool(Arc<Shared>);

pub(crate) struct Shared {
    id: i64,
    name: Arc<str>,
    is_active: bool,
    engine: Engine,
    statement_timeout: Option<Duration>,
    echo: bool,
    sessions: Box<dyn Sessions>,
}

/// What the connections of a pool do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// How many connections there may be.
    pub limit: usize,
    /// How many there are.
    pub size: usize,
    /// How many of them wait for a statement.
    pub idle: usize,
    /// How many statements wait for a connection.
    pub waiting: usize,
}

impl Status {
    pub(crate) fn new(status: deadpool::Status) -> Self {
        Self { limit: status.max_size, size: status.size, idle: status.available, waiting: status.waiting }
    }
}

impl Named for Pool {
    const KIND: &'static str = "outgoing SQL connection";

    fn id(&self) -> i64 {
        self.0.id
    }

    fn name(&self) -> &str {
        &self.0.name
    }

    fn is_active(&self) -> bool {
        self.0.is_active
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("id", &self.0.id)
            .field("name", &self.0.name)
            .field("is_active", &self.0.is_active)
            .field("engine", &self.0.engine)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool of this definition. Nothing is connected before the first statement.
    ///
    /// # Errors
    /// A field can't be used.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        config.check()?;
        let name: Arc<str> = Arc::from(&*config.name);
        let sessions: Box<dyn Sessions> = match config.engine {
            Engine::PostgreSql => Box::new(Source::<Postgres>::new(config, Arc::clone(&name))),
            Engine::MySql => Box::new(Source::<MySql>::new(config, Arc::clone(&name))),
            Engine::Sqlite => Box::new(Source::<Sqlite>::new(config, Arc::clone(&name))),
        };
        Ok(Self(Arc::new(Shared {
            id: config.id,
            name,
            is_active: config.is_active,
            engine: config.engine,
            statement_timeout: config.extra.statement_timeout,
            echo: config.extra.echo,
            sessions,
        })))
    }

    /// The database's kind, for services that have to tell them apart.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.0.engine
    }

    /// What the connections do at this moment.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.sessions.status()
    }

    /// Runs a statement and reads all rows that it returns: each as a structure or a map of its columns, as a tuple of
    /// them, or, if it has one column only, as that value.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn query<T: DeserializeOwned>(
        &self,
        sql: impl Into<Sql>,
        params: impl IntoParams,
    ) -> Result<Vec<T>, Error> {
        let rows = self.alone(sql.into(), params.into_params()).await?.rows;
        self.0.read(rows)
    }

    /// Runs a statement that returns one row, and reads it.
    ///
    /// # Errors
    /// [`Error::NotOneRow`] if there is none, or more than one; otherwise as [`query`](Self::query).
    pub async fn query_one<T: DeserializeOwned>(
        &self,
        sql: impl Into<Sql>,
        params: impl IntoParams,
    ) -> Result<T, Error> {
        let rows = self.alone(sql.into(), params.into_params()).await?.rows;
        self.0.one(rows)
    }

    /// Runs a statement that returns at most one row, and reads it.
    ///
    /// # Errors
    /// [`Error::NotOneRow`] if there is more than one; otherwise as [`query`](Self::query).
    pub async fn query_optional<T: DeserializeOwned>(
        &self,
        sql: impl Into<Sql>,
        params: impl IntoParams,
    ) -> Result<Option<T>, Error> {
        let rows = self.alone(sql.into(), params.into_params()).await?.rows;
        self.0.optional(rows)
    }

    /// Runs a statement and says what it has done.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn execute(&self, sql: impl Into<Sql>, params: impl IntoParams) -> Result<Executed, Error> {
        Ok(self.alone(sql.into(), params.into_params()).await?.executed)
    }

    /// Runs a statement and reads its rows one after the other, so that only a few are in memory at any time. The
    /// connection is in use until the last row was taken or the stream is dropped. The definition's limit of time holds
    /// for each row.
    ///
    /// Must be called on a tokio runtime.
    pub fn stream<T>(&self, sql: impl Into<Sql>, params: impl IntoParams) -> Rows<T> {
        let (sql, values) = (sql.into().into_inner(), params.into_params());
        let (rows, taken) = mpsc::channel(ROWS_AHEAD);
        tokio::spawn(Arc::clone(&self.0).send_rows(sql, values, rows));
        Rows { connection: Arc::clone(&self.0.name), taken, number: 0, read: PhantomData }
    }

    /// Begins a transaction: what its statements do lasts only if it is committed.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn begin(&self) -> Result<Transaction, Error> {
        let mut session = self.0.sessions.lease().await?;
        let name = Arc::clone(&self.0.name);
        self.0.within(async { session.begin().await.map_err(|source| Error::running(name, source)) }).await?;
        Ok(Transaction::new(Arc::clone(&self.0), session))
    }

    /// Runs a statement that touches no table, and says how long it took, including a connection if one had to be made.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn ping(&self) -> Result<Duration, Error> {
        let begun = Instant::now();
        self.alone(Sql::from("SELECT 1"), Vec::new()).await?;
        Ok(begun.elapsed())
    }

    async fn alone(&self, sql: Sql, values: Vec<Value>) -> Result<Outcome, Error> {
        let mut session = self.0.sessions.lease().await?;
        let outcome = self.0.run(&mut *session, sql, values).await;
        if outcome.as_ref().err().is_none_or(is_orderly) {
            session.give_back().await;
        }
        outcome
    }
}

/// The rows of a statement, read one after the other; see [`Pool::stream`]. After an error there are no more.
pub struct Rows<T> {
    connection: Arc<str>,
    taken: mpsc::Receiver<Result<Row, Error>>,
    number: usize,
    read: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("connection", &self.connection)
            .field("taken", &self.number)
            .finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned> Stream for Rows<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(row) = ready!(self.taken.poll_recv(cx)) else { return Poll::Ready(None) };
        self.number += 1;
        let row = row.and_then(|row| read(row, Arc::clone(&self.connection), self.number));
        if row.is_err() {
            self.taken.close();
        }
        Poll::Ready(Some(row))
    }
}

/// Everything that a statement gave.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) executed: Executed,
    pub(crate) rows: Vec<Row>,
}

/// Whether a connection is as good after this error as before it.
fn is_orderly(error: &Error) -> bool {
    matches!(error, Error::Statement { .. } | Error::Parameter { .. })
}

fn read<T: DeserializeOwned>(row: Row, connection: Arc<str>, number: usize) -> Result<T, Error> {
    row.read().map_err(|source| Error::Row { connection, number, source })
}

impl Shared {
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Keeps to the limit of time.
    pub(crate) async fn within<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let Some(after) = self.statement_timeout else { return work.await };
        timeout(after, work)
            .await
            .unwrap_or_else(|_| Err(Error::Timeout { connection: Arc::clone(&self.name), after }))
    }

    /// Runs one statement to its end.
    pub(crate) async fn run(
        &self,
        session: &mut dyn Session,
        sql: Sql,
        values: Vec<Value>,
    ) -> Result<Outcome, Error> {
        let sql = sql.into_inner();
        self.log(&sql);
        self.within(async {
            let mut steps = session.run(&self.name, sql, values).await?;
            let mut outcome = Outcome::default();
            while let Some(step) = steps.next().await {
                match step? {
                    Either::Left(executed) => outcome.executed = executed,
                    Either::Right(row) => outcome.rows.push(row),
                }
            }
            Ok(outcome)
        })
        .await
    }

    pub(crate) fn read<T: DeserializeOwned>(&self, rows: Vec<Row>) -> Result<Vec<T>, Error> {
        let rows = rows.into_iter().zip(1..);
        rows.map(|(row, number)| read(row, Arc::clone(&self.name), number)).collect()
    }

    pub(crate) fn one<T: DeserializeOwned>(&self, rows: Vec<Row>) -> Result<T, Error> {
        self.optional(rows)?
            .ok_or_else(|| Error::NotOneRow { connection: Arc::clone(&self.name), none: true })
    }

    pub(crate) fn optional<T: DeserializeOwned>(&self, mut rows: Vec<Row>) -> Result<Option<T>, Error> {
        let row = rows.pop();
        if !rows.is_empty() {
            return Err(Error::NotOneRow { connection: Arc::clone(&self.name), none: false });
        }
        row.map(|row| read(row, Arc::clone(&self.name), 1)).transpose()
    }

    fn log(&self, sql: &SqlStr) {
        if self.echo {
            tracing::info!(connection = &*self.name, sql = sql.as_str(), "an SQL statement");
        }
    }

    /// Sends the rows of a statement to whoever reads its stream, until nobody does.
    async fn send_rows(
        self: Arc<Self>,
        sql: SqlStr,
        values: Vec<Value>,
        rows: mpsc::Sender<Result<Row, Error>>,
    ) {
        let mut session = match self.sessions.lease().await {
            Ok(session) => session,
            Err(error) => return drop(rows.send(Err(error)).await),
        };
        self.log(&sql);
        let ended = tokio::select! {
            // Whoever reads may lose interest while the database still looks for the first row.
            () = rows.closed() => return,
            ended = self.send_steps(&mut *session, sql, values, &rows) => ended,
        };
        match ended {
            Ok(()) => session.give_back().await,
            Err(error) => {
                if is_orderly(&error) {
                    session.give_back().await;
                }
                drop(rows.send(Err(error)).await);
            }
        }
    }

    async fn send_steps(
        &self,
        session: &mut dyn Session,
        sql: SqlStr,
        values: Vec<Value>,
        rows: &mpsc::Sender<Result<Row, Error>>,
    ) -> Result<(), Error> {
        let mut steps = self.within(session.run(&self.name, sql, values)).await?;
        let next = |step: Option<Result<Step, Error>>| step.transpose();
        while let Some(step) = self.within(async { next(steps.next().await) }).await? {
            if let Either::Right(row) = step {
                // An error means that nobody reads any longer, which ends this from outside.
                drop(rows.send(Ok(row)).await);
            }
        }
        Ok(())
    }
}
