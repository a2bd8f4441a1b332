//! The table `event_log`.

use sea_orm::entity::prelude::*;
use time::PrimitiveDateTime;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "event_log")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub cluster_id: i64,
    pub time: PrimitiveDateTime,
    #[sea_orm(column_type = "String(StringLen::N(45))")]
    pub object: String,
    pub object_id: i64,
    #[sea_orm(column_type = "String(StringLen::N(45))")]
    pub action: String,
    #[sea_orm(column_type = "String(StringLen::N(400))")]
    pub name: String,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub cid: String,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub actor: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
