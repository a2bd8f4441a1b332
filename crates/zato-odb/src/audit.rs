//! The audit of channels: writing many entries at once, reading them without their payloads, and letting go of old ones.
//!
//! Owns the statements that are its own. It must not know when a call is audited.

use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::column::to_stored_time;
use crate::error::OdbError;
use crate::model::audit::http_soap_audit::{Column, Entity};
use crate::model::{HttpSoapAudit, HttpSoapAuditFilter, ObjectKind};
use crate::odb::Odb;
use crate::read::{Connected, Object, Page, Read};
use crate::stored::{Selects, writable};
use crate::transaction::Transaction;

/// How many entries one statement writes, well within the number of values that both databases take.
const ENTRIES_AT_ONCE: usize = 200;

/// An audited call without its headers and payloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSummary {
    /// The entry's id.
    pub id: i64,
    /// The correlation id.
    pub cid: String,
    /// When the request came in.
    pub req_time: OffsetDateTime,
    /// When there was a response.
    pub resp_time: Option<OffsetDateTime>,
    /// Who called.
    pub user_token: Option<String>,
    /// Whether the service succeeded.
    pub invoke_ok: Option<bool>,
    /// Whether the caller was let through.
    pub auth_ok: Option<bool>,
    /// Where the call came from.
    pub remote_addr: String,
}

/// The columns of a summary, in its order.
type Summary = (
    i64,
    String,
    PrimitiveDateTime,
    Option<PrimitiveDateTime>,
    Option<String>,
    Option<bool>,
    Option<bool>,
    String,
);

impl Odb {
    /// A part of the audited calls of a cluster that pass a filter, in the order in which they were stored, and how many
    /// there are.
    ///
    /// # Errors
    /// [`OdbError::Unavailable`].
    pub async fn audit_page(
        &self,
        cluster_id: i64,
        filter: &HttpSoapAuditFilter,
        offset: u64,
        limit: u64,
    ) -> Result<Page<AuditSummary>, OdbError> {
        let total = self.count::<HttpSoapAudit>(cluster_id, filter).await?;
        let rows: Vec<Summary> = Entity::find()
            .select_only()
            .columns([
                Column::Id,
                Column::Cid,
                Column::ReqTime,
                Column::RespTime,
                Column::UserToken,
                Column::InvokeOk,
                Column::AuthOk,
                Column::RemoteAddr,
            ])
            .filter(filter.condition(self.backend()).add(Column::ClusterId.eq(cluster_id)))
            .order_by_asc(Column::Id)
            .offset(offset)
            .limit(limit)
            .into_tuple()
            .all(self.connection())
            .await
            .map_err(OdbError::from_read)?;
        let summary = |row: Summary| {
            let (id, cid, req_time, resp_time, user_token, invoke_ok, auth_ok, remote_addr) = row;
            let (req_time, resp_time) = (req_time.assume_utc(), resp_time.map(PrimitiveDateTime::assume_utc));
            AuditSummary { id, cid, req_time, resp_time, user_token, invoke_ok, auth_ok, remote_addr }
        };
        Ok(Page { items: rows.into_iter().map(summary).collect(), total })
    }

    /// The channels of a cluster of which there are audited calls.
    ///
    /// # Errors
    /// [`OdbError::Unavailable`].
    pub async fn audited_channels(&self, cluster_id: i64) -> Result<Vec<i64>, OdbError> {
        let ids = Entity::find().select_only().column(Column::ConnId).distinct();
        let ids = ids.filter(Column::ClusterId.eq(cluster_id)).into_tuple();
        ids.all(self.connection()).await.map_err(OdbError::from_read)
    }
}

impl Transaction {
    /// Stores new entries of the audit. Their ids are ignored, and assigned in their order.
    ///
    /// # Errors
    /// Those of [`insert`](Self::insert).
    pub async fn insert_audit(&self, entries: &[HttpSoapAudit]) -> Result<(), OdbError> {
        for some in entries.chunks(ENTRIES_AT_ONCE) {
            let mut rows = Vec::with_capacity(some.len());
            for entry in some {
                let mut row = writable(entry, self.secret_key())?;
                row.id = sea_orm::ActiveValue::NotSet;
                rows.push(row);
            }
            Entity::insert_many(rows)
                .exec_without_returning(self.connection())
                .await
                .map_err(|error| OdbError::from_write(error, ObjectKind::HttpSoapAudit, &[]))?;
        }
        Ok(())
    }

    /// Removes a channel's entries whose requests came in before a time, and the oldest ones beyond `keep`. Returns how
    /// many they were.
    ///
    /// # Errors
    /// [`OdbError::Unavailable`].
    pub async fn trim_audit(&self, conn_id: i64, before: OffsetDateTime, keep: u64) -> Result<u64, OdbError> {
        let is_its = Column::ConnId.eq(conn_id);
        let newest_beyond: Option<i64> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(is_its.clone())
            .order_by_desc(Column::Id)
            .offset(keep)
            .limit(1)
            .into_tuple()
            .one(self.connection())
            .await
            .map_err(OdbError::from_read)?;
        let is_old = Condition::any()
            .add(Column::ReqTime.lt(to_stored_time(before)))
            .add_option(newest_beyond.map(|id| Column::Id.lte(id)));
        let removed = Entity::delete_many()
            .filter(Condition::all().add(is_its).add(is_old))
            .exec(self.connection())
            .await
            .map_err(|error| OdbError::from_delete(error, HttpSoapAudit::KIND))?;
        Ok(removed.rows_affected)
    }
}
