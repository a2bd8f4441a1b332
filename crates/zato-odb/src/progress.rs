//! How far the scheduler got with each job.
//!
//! Owns reading and writing that. It must not know when a job runs.

use std::collections::HashMap;

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue, ColumnTrait, EntityTrait, QueryFilter};
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::column::to_stored_time;
use crate::entity::job_progress::{ActiveModel, Column, Entity, Model};
use crate::error::OdbError;
use crate::model::ObjectKind;
use crate::odb::Odb;
use crate::read::Connected;
use crate::transaction::Transaction;

/// What was done of a job since it was created or edited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobProgress {
    /// How many times it has run.
    pub runs: i64,
    /// When the last run was due, UTC, to the microsecond.
    pub last_due: Option<OffsetDateTime>,
}

impl JobProgress {
    fn from_row(row: &Model) -> Self {
        Self { runs: row.runs, last_due: row.last_due.map(PrimitiveDateTime::assume_utc) }
    }
}

impl Odb {
    /// The progress of all jobs that have run, by their ids.
    ///
    /// # Errors
    /// [`OdbError::Unavailable`].
    pub async fn all_job_progress(&self) -> Result<HashMap<i64, JobProgress>, OdbError> {
        let rows = Entity::find().all(self.connection()).await.map_err(OdbError::from_read)?;
        Ok(rows.iter().map(|row| (row.job_id, JobProgress::from_row(row))).collect())
    }

    /// The progress of a job. One that never ran has none.
    ///
    /// # Errors
    /// [`OdbError::Unavailable`].
    pub async fn job_progress(&self, job_id: i64) -> Result<JobProgress, OdbError> {
        of(self, job_id).await
    }
}

impl Transaction {
    /// The progress of a job. One that never ran has none.
    ///
    /// # Errors
    /// [`OdbError::Unavailable`].
    pub async fn job_progress(&self, job_id: i64) -> Result<JobProgress, OdbError> {
        of(self, job_id).await
    }

    /// Stores the progress of a job.
    ///
    /// # Errors
    /// [`OdbError::MissingReference`] if there is no such job, [`OdbError::Unavailable`].
    pub async fn set_job_progress(&self, job_id: i64, progress: JobProgress) -> Result<(), OdbError> {
        let row = ActiveModel {
            job_id: ActiveValue::Set(job_id),
            runs: ActiveValue::Set(progress.runs),
            last_due: ActiveValue::Set(progress.last_due.map(to_stored_time)),
        };
        let replace =
            OnConflict::column(Column::JobId).update_columns([Column::Runs, Column::LastDue]).to_owned();
        Entity::insert(row)
            .on_conflict(replace)
            .exec_without_returning(self.connection())
            .await
            .map_err(|error| OdbError::from_write(error, ObjectKind::Job, &[]))?;
        Ok(())
    }

    /// Makes a job one that never ran.
    ///
    /// # Errors
    /// [`OdbError::Unavailable`].
    pub async fn reset_job_progress(&self, job_id: i64) -> Result<(), OdbError> {
        let statement = Entity::delete_many().filter(Column::JobId.eq(job_id));
        statement.exec(self.connection()).await.map_err(OdbError::from_read)?;
        Ok(())
    }
}

async fn of<C: Connected>(source: &C, job_id: i64) -> Result<JobProgress, OdbError> {
    let row = Entity::find_by_id(job_id).one(source.connection()).await.map_err(OdbError::from_read)?;
    Ok(row.as_ref().map(JobProgress::from_row).unwrap_or_default())
}
