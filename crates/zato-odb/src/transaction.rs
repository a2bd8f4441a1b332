//! Write transactions.
//!
//! Owns inserting, updating and deleting of any object, and recording events with them. It must not know any family.

use std::sync::Arc;

use sea_orm::{ActiveModelTrait, ActiveValue, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use time::OffsetDateTime;

use crate::column::to_stored_time;
use crate::entity::event_log;
use crate::error::OdbError;
use crate::events::{Change, EventId};
use crate::model::ObjectKind;
use crate::read::{Connected, Object};
use crate::secret::SecretKey;
use crate::stored::{check_texts, writable};

/// A write transaction. There is one at a time per database: others wait for it to end, so that what a transaction has
/// read stays true until it commits, and events are numbered in the order in which they become visible.
///
/// Dropping it undoes everything. After an error it can only be dropped: PostgreSQL accepts no more statements.
pub struct Transaction {
    inner: DatabaseTransaction,
    key: Arc<SecretKey>,
    last_event: Option<EventId>,
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").field("last_event", &self.last_event).finish_non_exhaustive()
    }
}

impl Connected for Transaction {
    type Connection = DatabaseTransaction;

    fn connection(&self) -> &DatabaseTransaction {
        &self.inner
    }

    fn secret_key(&self) -> &SecretKey {
        &self.key
    }
}

impl Transaction {
    pub(crate) fn new(inner: DatabaseTransaction, key: Arc<SecretKey>) -> Self {
        Self { inner, key, last_event: None }
    }

    /// Stores a new object and returns it as stored, with the id that the database assigned. The id it comes with is
    /// ignored.
    ///
    /// # Errors
    /// [`OdbError::Duplicate`], [`OdbError::MissingReference`], [`OdbError::TooLong`], [`OdbError::NulCharacter`],
    /// [`OdbError::Secret`], [`OdbError::Unavailable`].
    pub async fn insert<T: Object>(&mut self, object: &T) -> Result<T, OdbError> {
        let mut row = writable(object, &self.key)?;
        row.not_set(T::ID);
        let stored = T::Entity::insert(row)
            .exec_with_returning(&self.inner)
            .await
            .map_err(|error| OdbError::from_write(error, T::KIND, T::UNIQUE))?;
        T::from_row(stored, &self.key)
    }

    /// Replaces the stored object of the same id, secrets included.
    ///
    /// # Errors
    /// [`OdbError::NotFound`], and those of [`insert`](Self::insert).
    pub async fn update<T: Object>(&mut self, object: &T) -> Result<(), OdbError> {
        let mut row = writable(object, &self.key)?;
        row.not_set(T::ID);
        let outcome = T::Entity::update_many()
            .set(row)
            .filter(T::ID.eq(object.id()))
            .exec(&self.inner)
            .await
            .map_err(|error| OdbError::from_write(error, T::KIND, T::UNIQUE))?;
        found::<T>(outcome.rows_affected, object.id())
    }

    /// Deletes an object. Rows that cannot be without it go as well, but nobody is told: find and delete them before,
    /// and record an event for each.
    ///
    /// # Errors
    /// [`OdbError::NotFound`], [`OdbError::StillReferenced`], [`OdbError::Unavailable`].
    pub async fn delete<T: Object>(&mut self, id: i64) -> Result<(), OdbError> {
        let outcome = T::Entity::delete_many()
            .filter(T::ID.eq(id))
            .exec(&self.inner)
            .await
            .map_err(|error| OdbError::from_delete(error, T::KIND))?;
        found::<T>(outcome.rows_affected, id)
    }

    /// Writes to the event log what this transaction changes. It becomes visible together with the change.
    ///
    /// # Errors
    /// [`OdbError::TooLong`], [`OdbError::NulCharacter`], [`OdbError::MissingReference`] if there is no such cluster,
    /// [`OdbError::Unavailable`].
    pub async fn record(&mut self, change: Change<'_>) -> Result<EventId, OdbError> {
        let row = event_log::ActiveModel {
            id: ActiveValue::NotSet,
            cluster_id: ActiveValue::Set(change.cluster_id),
            time: ActiveValue::Set(to_stored_time(OffsetDateTime::now_utc())),
            object: ActiveValue::Set(change.object.as_str().to_owned()),
            object_id: ActiveValue::Set(change.object_id),
            action: ActiveValue::Set(change.action.as_str().to_owned()),
            name: ActiveValue::Set(change.name.to_owned()),
            cid: ActiveValue::Set(change.cid.to_owned()),
            actor: ActiveValue::Set(change.actor.to_owned()),
        };
        check_texts(&row)?;
        let stored = event_log::Entity::insert(row)
            .exec_with_returning(&self.inner)
            .await
            .map_err(|error| OdbError::from_write(error, ObjectKind::Cluster, &[]))?;
        let id = EventId::new(stored.id);
        self.last_event = Some(id);
        Ok(id)
    }

    /// Makes the changes durable and visible, and returns the last event that was recorded.
    ///
    /// # Errors
    /// [`OdbError::Unavailable`]. If the connection was lost meanwhile, the changes may or may not have been made.
    pub async fn commit(self) -> Result<Option<EventId>, OdbError> {
        self.inner.commit().await.map_err(OdbError::from_read)?;
        Ok(self.last_event)
    }
}

fn found<T: Object>(rows: u64, id: i64) -> Result<(), OdbError> {
    if rows == 0 { Err(OdbError::NotFound { object: T::KIND, id }) } else { Ok(()) }
}
