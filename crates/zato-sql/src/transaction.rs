//! Several statements that take effect together or not at all.
//!
//! Owns when a transaction may be committed. It must not know engines.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::pool::{Outcome, Shared};
use crate::session::Session;
use crate::{Error, Executed, IntoParams, Sql};

/// A transaction under way, on a connection of its own. Dropping it undoes everything.
///
/// Once a statement has failed, the transaction can't be committed any longer, whatever the engine: PostgreSQL would
/// undo it without a word, and the others would keep a half of it.
pub struct Transaction {
    shared: Arc<Shared>,
    session: Box<dyn Session>,
    has_failed: bool,
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction").field("connection", self.shared.name()).finish_non_exhaustive()
    }
}

impl Transaction {
    pub(crate) fn new(shared: Arc<Shared>, session: Box<dyn Session>) -> Self {
        Self { shared, session, has_failed: false }
    }

    /// As [`Pool::query`](crate::Pool::query).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn query<T: DeserializeOwned>(
        &mut self,
        sql: impl Into<Sql>,
        params: impl IntoParams,
    ) -> Result<Vec<T>, Error> {
        let rows = self.run(sql.into(), params).await?.rows;
        self.shared.read(rows)
    }

    /// As [`Pool::query_one`](crate::Pool::query_one).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn query_one<T: DeserializeOwned>(
        &mut self,
        sql: impl Into<Sql>,
        params: impl IntoParams,
    ) -> Result<T, Error> {
        let rows = self.run(sql.into(), params).await?.rows;
        self.shared.one(rows)
    }

    /// As [`Pool::query_optional`](crate::Pool::query_optional).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn query_optional<T: DeserializeOwned>(
        &mut self,
        sql: impl Into<Sql>,
        params: impl IntoParams,
    ) -> Result<Option<T>, Error> {
        let rows = self.run(sql.into(), params).await?.rows;
        self.shared.optional(rows)
    }

    /// As [`Pool::execute`](crate::Pool::execute).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn execute(&mut self, sql: impl Into<Sql>, params: impl IntoParams) -> Result<Executed, Error> {
        Ok(self.run(sql.into(), params).await?.executed)
    }

    /// Makes what the statements did last.
    ///
    /// # Errors
    /// [`Error::Aborted`] if a statement has failed; everything is undone then. After [`Error::Lost`] and
    /// [`Error::Timeout`] it is not known whether the database has committed.
    pub async fn commit(mut self) -> Result<(), Error> {
        if self.has_failed {
            let connection = Arc::clone(self.shared.name());
            self.rollback().await?;
            return Err(Error::Aborted { connection });
        }
        let name = Arc::clone(self.shared.name());
        let commit = async { self.session.commit().await.map_err(|source| Error::running(name, source)) };
        self.shared.within(commit).await?;
        self.session.give_back().await;
        Ok(())
    }

    /// Undoes what the statements did. Dropping the transaction does so as well, and closes its connection.
    ///
    /// # Errors
    /// The connection is gone, and everything undone with it.
    pub async fn rollback(mut self) -> Result<(), Error> {
        let name = Arc::clone(self.shared.name());
        let rollback = async { self.session.rollback().await.map_err(|source| Error::running(name, source)) };
        self.shared.within(rollback).await?;
        self.session.give_back().await;
        Ok(())
    }

    async fn run(&mut self, sql: Sql, params: impl IntoParams) -> Result<Outcome, Error> {
        // Set before and not after, so that a statement which is given up half-way counts as failed.
        let had_failed = std::mem::replace(&mut self.has_failed, true);
        let outcome = self.shared.run(&mut *self.session, sql, params.into_params()).await?;
        self.has_failed = had_failed;
        Ok(outcome)
    }
}
