//! The event log: what changed, when and by whom.
//!
//! Owns events and reading and trimming the log. It must not know what an event makes a server do.

use std::fmt;

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    TransactionTrait,
};
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::column::to_stored_time;
use crate::entity::{event_log, event_log_trimmed};
use crate::error::OdbError;
use crate::model::ObjectKind;

/// The number of an event. Events become visible in the order of their numbers; some numbers are never used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(i64);

impl EventId {
    /// Before the first event.
    pub const START: Self = Self(0);

    /// The event with a number.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// It is new.
    Created,
    /// Some of it changed.
    Edited,
    /// Its password changed.
    PasswordChanged,
    /// It is gone.
    Deleted,
}

impl Action {
    /// The text that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Edited => "edited",
            Self::PasswordChanged => "password-changed",
            Self::Deleted => "deleted",
        }
    }

    /// Whatever a newer version calls its actions, reloading the object, as after an edit, shows what it did.
    fn from_text(text: &str) -> Self {
        match text {
            "created" => Self::Created,
            "password-changed" => Self::PasswordChanged,
            "deleted" => Self::Deleted,
            _ => Self::Edited,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a transaction records about one of its changes.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The cluster whose servers are to know.
    pub cluster_id: i64,
    /// What kind of object changed.
    pub object: ObjectKind,
    /// Which one.
    pub object_id: i64,
    /// What happened to it.
    pub action: Action,
    /// Its name after the change, at most 400 characters.
    pub name: &'a str,
    /// The correlation id of the call that changed it, at most 200 characters.
    pub cid: &'a str,
    /// Who made the call, at most 200 characters.
    pub actor: &'a str,
}

/// An entry of the event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place in the log.
    pub id: EventId,
    /// The cluster it is about.
    pub cluster_id: i64,
    /// When it was recorded, UTC, to the microsecond.
    pub time: OffsetDateTime,
    /// What kind of object changed.
    pub object: ObjectKind,
    /// Which one.
    pub object_id: i64,
    /// What happened to it.
    pub action: Action,
    /// Its name after the change.
    pub name: String,
    /// The correlation id of the call that changed it.
    pub cid: String,
    /// Who made the call.
    pub actor: String,
}

impl Event {
    fn from_row(row: event_log::Model) -> Self {
        Self {
            id: EventId(row.id),
            cluster_id: row.cluster_id,
            time: PrimitiveDateTime::assume_utc(row.time),
            object: ObjectKind::from_text(&row.object).unwrap_or(ObjectKind::Unknown),
            object_id: row.object_id,
            action: Action::from_text(&row.action),
            name: row.name,
            cid: row.cid,
            actor: row.actor,
        }
    }
}

/// The events of a cluster after one, oldest first.
pub(crate) async fn after<C: ConnectionTrait>(
    connection: &C,
    cluster_id: i64,
    last: EventId,
    limit: u32,
) -> Result<Vec<Event>, OdbError> {
    let rows = event_log::Entity::find()
        .filter(event_log::Column::ClusterId.eq(cluster_id))
        .filter(event_log::Column::Id.gt(last.0))
        .order_by_asc(event_log::Column::Id)
        .limit(u64::from(limit))
        .all(connection)
        .await
        .map_err(OdbError::from_read)?;
    // Read after the events: if they are trimmed in between, this one tells.
    let trimmed = trimmed_to(connection, cluster_id).await?;
    if trimmed > last {
        return Err(OdbError::EventsTrimmed { last: last.0, trimmed: trimmed.0 });
    }
    Ok(rows.into_iter().map(Event::from_row).collect())
}

/// The newest event of a cluster, even if it was removed from the log.
pub(crate) async fn last<C: ConnectionTrait>(connection: &C, cluster_id: i64) -> Result<EventId, OdbError> {
    let newest = event_log::Entity::find()
        .filter(event_log::Column::ClusterId.eq(cluster_id))
        .order_by_desc(event_log::Column::Id)
        .one(connection)
        .await
        .map_err(OdbError::from_read)?;
    match newest {
        Some(row) => Ok(EventId(row.id)),
        None => trimmed_to(connection, cluster_id).await,
    }
}

async fn trimmed_to<C: ConnectionTrait>(connection: &C, cluster_id: i64) -> Result<EventId, OdbError> {
    let row = event_log_trimmed::Entity::find()
        .filter(event_log_trimmed::Column::ClusterId.eq(cluster_id))
        .one(connection)
        .await
        .map_err(OdbError::from_read)?;
    Ok(row.map_or(EventId::START, |row| EventId(row.last_id)))
}

/// Removes the events recorded before a time, and remembers for each cluster how far that went.
pub(crate) async fn trim<C: ConnectionTrait + TransactionTrait>(
    transaction: &C,
    before: OffsetDateTime,
) -> Result<u64, OdbError> {
    let old = event_log::Column::Time.lt(to_stored_time(before));
    let newest_removed: Vec<(i64, i64)> = event_log::Entity::find()
        .select_only()
        .column(event_log::Column::ClusterId)
        .column_as(event_log::Column::Id.max(), "last_id")
        .filter(old.clone())
        .group_by(event_log::Column::ClusterId)
        .into_tuple()
        .all(transaction)
        .await
        .map_err(OdbError::from_read)?;
    for (cluster_id, last_id) in newest_removed {
        let row = event_log_trimmed::ActiveModel {
            cluster_id: ActiveValue::Set(cluster_id),
            last_id: ActiveValue::Set(last_id),
        };
        event_log_trimmed::Entity::insert(row)
            .on_conflict(
                OnConflict::column(event_log_trimmed::Column::ClusterId)
                    .update_column(event_log_trimmed::Column::LastId)
                    .to_owned(),
            )
            .exec_without_returning(transaction)
            .await
            .map_err(OdbError::from_read)?;
    }
    let outcome =
        event_log::Entity::delete_many().filter(old).exec(transaction).await.map_err(OdbError::from_read)?;
    Ok(outcome.rows_affected)
}
