//! The table `cluster`.

use sea_orm::entity::prelude::*;
use time::PrimitiveDateTime;

use crate::column::to_stored_time;
use crate::error::{OdbError, Unique, UniqueRule};
use crate::model::{Cluster, Everything, ObjectKind};
use crate::read::Object;
use crate::secret::SecretKey;
use crate::stored::Stored;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cluster")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub name: String,
    #[sea_orm(column_type = "String(StringLen::N(1000))")]
    pub description: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(30))")]
    pub odb_type: String,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub odb_host: Option<String>,
    pub odb_port: Option<i32>,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub odb_user: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub odb_db_name: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub odb_schema: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub broker_host: String,
    pub broker_port: i32,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub lb_host: String,
    pub lb_port: i32,
    pub lb_agent_port: i32,
    pub cw_srv_id: Option<i64>,
    pub cw_srv_keep_alive_dt: Option<PrimitiveDateTime>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Object for Cluster {
    type Filter = Everything;

    const KIND: ObjectKind = ObjectKind::Cluster;

    fn id(&self) -> i64 {
        self.id
    }

    fn cluster_id(&self) -> i64 {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Stored for Cluster {
    type Entity = Entity;

    const UNIQUE: &'static [UniqueRule] =
        &[UniqueRule { constraint: "cluster_name", columns: "cluster.name", what: Unique::Name }];
    const ID: Column = Column::Id;
    /// A cluster belongs to itself.
    const CLUSTER_ID: Column = Column::Id;
    const NAME: Option<Column> = Some(Column::Name);

    fn from_row(row: Model, _: &SecretKey) -> Result<Self, OdbError> {
        Ok(Self {
            id: row.id,
            name: row.name,
            description: row.description,
            odb_type: row.odb_type,
            odb_host: row.odb_host,
            odb_port: row.odb_port,
            odb_user: row.odb_user,
            odb_db_name: row.odb_db_name,
            odb_schema: row.odb_schema,
            broker_host: row.broker_host,
            broker_port: row.broker_port,
            lb_host: row.lb_host,
            lb_port: row.lb_port,
            lb_agent_port: row.lb_agent_port,
            cw_srv_id: row.cw_srv_id,
            cw_srv_keep_alive_dt: row.cw_srv_keep_alive_dt.map(PrimitiveDateTime::assume_utc),
        })
    }

    fn to_row(&self, _: &SecretKey) -> Result<Model, OdbError> {
        let cluster = self.clone();
        Ok(Model {
            id: cluster.id,
            name: cluster.name,
            description: cluster.description,
            odb_type: cluster.odb_type,
            odb_host: cluster.odb_host,
            odb_port: cluster.odb_port,
            odb_user: cluster.odb_user,
            odb_db_name: cluster.odb_db_name,
            odb_schema: cluster.odb_schema,
            broker_host: cluster.broker_host,
            broker_port: cluster.broker_port,
            lb_host: cluster.lb_host,
            lb_port: cluster.lb_port,
            lb_agent_port: cluster.lb_agent_port,
            cw_srv_id: cluster.cw_srv_id,
            cw_srv_keep_alive_dt: cluster.cw_srv_keep_alive_dt.map(to_stored_time),
        })
    }
}
