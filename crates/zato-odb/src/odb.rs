//! The operational database as callers see it.
//!
//! Owns opening, beginning and the event log. It must not know any table.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseConnection};
use time::OffsetDateTime;

use crate::backend::{Backend, OdbConfig};
use crate::error::OdbError;
use crate::events::{self, Event, EventId};
use crate::migrate;
use crate::read::Connected;
use crate::secret::SecretKey;
use crate::transaction::Transaction;

/// An operational database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Odb {
    backend: Arc<Backend>,
    key: Arc<SecretKey>,
}

impl Connected for Odb {
    type Connection = DatabaseConnection;

    fn connection(&self) -> &DatabaseConnection {
        self.backend.reader()
    }

    fn secret_key(&self) -> &SecretKey {
        &self.key
    }
}

impl Odb {
    /// Opens a database, creates it if it is a file that does not exist, and brings its tables up to date. Servers that
    /// start at the same time wait for each other.
    ///
    /// # Errors
    /// [`OdbError::InvalidAddress`], [`OdbError::Unavailable`], [`OdbError::Migration`], [`OdbError::TooNew`],
    /// [`OdbError::WrongSecretKey`].
    pub async fn open(config: &OdbConfig) -> Result<Self, OdbError> {
        let backend = Backend::connect(config).await?;
        migrate::run(&backend, &config.secret_key).await?;
        Ok(Self { backend: Arc::new(backend), key: Arc::clone(&config.secret_key) })
    }

    /// Begins a write transaction, once there is no other one in this database.
    ///
    /// # Errors
    /// [`OdbError::Unavailable`], also if another transaction does not end within ten seconds.
    pub async fn begin(&self) -> Result<Transaction, OdbError> {
        Ok(Transaction::new(self.backend.begin().await?, Arc::clone(&self.key)))
    }

    /// The events of a cluster after the last one that the caller knows, oldest first, at most `limit`.
    ///
    /// A caller that goes on from the last event it was given misses none, whoever writes meanwhile.
    ///
    /// # Errors
    /// [`OdbError::EventsTrimmed`] if the log does not go back that far, [`OdbError::Unavailable`].
    pub async fn events_after(
        &self,
        cluster_id: i64,
        last: EventId,
        limit: u32,
    ) -> Result<Vec<Event>, OdbError> {
        events::after(self.backend.reader(), cluster_id, last, limit).await
    }

    /// The newest event of a cluster, [`EventId::START`] if there was none yet. Objects that are read afterwards are at
    /// least as new as that event.
    ///
    /// # Errors
    /// [`OdbError::Unavailable`].
    pub async fn last_event(&self, cluster_id: i64) -> Result<EventId, OdbError> {
        events::last(self.backend.reader(), cluster_id).await
    }

    /// Removes events of all clusters that were recorded before a time and returns how many they were.
    ///
    /// # Errors
    /// [`OdbError::Unavailable`].
    pub async fn trim_events(&self, before: OffsetDateTime) -> Result<u64, OdbError> {
        let transaction = self.backend.begin().await?;
        let removed = events::trim(&transaction, before).await?;
        transaction.commit().await.map_err(OdbError::from_read)?;
        Ok(removed)
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// [`OdbError::Unavailable`].
    pub async fn ping(&self) -> Result<(), OdbError> {
        self.backend.reader().execute_unprepared("SELECT 1").await.map_err(OdbError::from_read)?;
        Ok(())
    }
}
