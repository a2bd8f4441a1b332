//! The table `event_log_trimmed`: the newest event that was removed from the log of each cluster.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "event_log_trimmed")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub cluster_id: i64,
    pub last_id: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
