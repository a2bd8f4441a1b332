//! One connection on loan, whatever its engine.
//!
//! Owns the seam at which engines stop to matter. It must not know what statements are for.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use sqlx::{ColumnIndex, Executor, SqlStr};

use crate::dialect::{Dialect, Step, run};
use crate::lease::{Lease, Source};
use crate::pool::Status;
use crate::{Error, Value};

/// The connections of one definition.
pub(crate) trait Sessions: Send + Sync {
    /// A connection that nobody else uses.
    fn lease(&self) -> BoxFuture<'_, Result<Box<dyn Session>, Error>>;

    /// How many connections there are, and what they do.
    fn status(&self) -> Status;
}

/// A connection on loan. Dropping it closes the connection.
pub(crate) trait Session: Send {
    /// Runs a statement.
    fn run<'a>(
        &'a mut self,
        name: &'a Arc<str>,
        sql: SqlStr,
        values: Vec<Value>,
    ) -> BoxFuture<'a, Result<BoxStream<'a, Result<Step, Error>>, Error>>;

    /// Begins a transaction.
    fn begin(&mut self) -> BoxFuture<'_, Result<(), sqlx::Error>>;

    /// Makes what was done since [`begin`](Self::begin) last.
    fn commit(&mut self) -> BoxFuture<'_, Result<(), sqlx::Error>>;

    /// Undoes what was done since [`begin`](Self::begin).
    fn rollback(&mut self) -> BoxFuture<'_, Result<(), sqlx::Error>>;

    /// Lets others use the connection. Nothing may be under way on it.
    fn give_back(self: Box<Self>) -> BoxFuture<'static, ()>;
}

impl<D> Sessions for Source<D>
where
    D: Dialect,
    for<'a> &'a mut D::Connection: Executor<'a, Database = D>,
    usize: ColumnIndex<D::Row>,
{
    fn lease(&self) -> BoxFuture<'_, Result<Box<dyn Session>, Error>> {
        Box::pin(async { Ok(Box::new(Self::lease(self).await?) as Box<dyn Session>) })
    }

    fn status(&self) -> Status {
        Self::status(self)
    }
}

impl<D> Session for Lease<D>
where
    D: Dialect,
    for<'a> &'a mut D::Connection: Executor<'a, Database = D>,
    usize: ColumnIndex<D::Row>,
{
    fn run<'a>(
        &'a mut self,
        name: &'a Arc<str>,
        sql: SqlStr,
        values: Vec<Value>,
    ) -> BoxFuture<'a, Result<BoxStream<'a, Result<Step, Error>>, Error>> {
        run::<D>(self.connection(), name, sql, values)
    }

    fn begin(&mut self) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        control::<D>(self.connection(), "BEGIN")
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        control::<D>(self.connection(), "COMMIT")
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        control::<D>(self.connection(), "ROLLBACK")
    }

    fn give_back(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(Self::give_back(*self))
    }
}

/// Runs a statement that no driver has to prepare.
fn control<'c, D>(
    connection: &'c mut D::Connection,
    sql: &'static str,
) -> BoxFuture<'c, Result<(), sqlx::Error>>
where
    D: Dialect,
    &'c mut D::Connection: Executor<'c, Database = D>,
{
    Box::pin(async move { connection.execute(sql).await.map(|_| ()) })
}
