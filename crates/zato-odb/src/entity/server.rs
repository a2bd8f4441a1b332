//! The table `server`.

use sea_orm::entity::prelude::*;
use time::PrimitiveDateTime;

use crate::error::{OdbError, Unique, UniqueRule};
use crate::model::{Everything, ObjectKind, Server};
use crate::read::{NamedPerCluster, Object};
use crate::secret::SecretKey;
use crate::stored::{Stored, to_stored_time};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "server")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub name: String,
    #[sea_orm(column_type = "String(StringLen::N(400))")]
    pub host: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(400))")]
    pub bind_host: Option<String>,
    pub bind_port: Option<i32>,
    #[sea_orm(column_type = "String(StringLen::N(40))")]
    pub last_join_status: Option<String>,
    pub last_join_mod_date: Option<PrimitiveDateTime>,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub last_join_mod_by: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(40))")]
    pub up_status: Option<String>,
    pub up_mod_date: Option<PrimitiveDateTime>,
    #[sea_orm(column_type = "String(StringLen::N(32))")]
    pub token: String,
    pub cluster_id: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Object for Server {
    type Filter = Everything;

    const KIND: ObjectKind = ObjectKind::Server;

    fn id(&self) -> i64 {
        self.id
    }

    fn cluster_id(&self) -> i64 {
        self.cluster_id
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl NamedPerCluster for Server {}

impl Stored for Server {
    type Entity = Entity;

    const UNIQUE: &'static [UniqueRule] = &[
        UniqueRule {
            constraint: "server_name",
            columns: "server.name, server.cluster_id",
            what: Unique::Name,
        },
        UniqueRule { constraint: "server_token", columns: "server.token", what: Unique::Token },
    ];
    const ID: Column = Column::Id;
    const CLUSTER_ID: Column = Column::ClusterId;
    const NAME: Column = Column::Name;

    fn from_row(row: Model, _: &SecretKey) -> Result<Self, OdbError> {
        Ok(Self {
            id: row.id,
            cluster_id: row.cluster_id,
            name: row.name,
            host: row.host,
            bind_host: row.bind_host,
            bind_port: row.bind_port,
            last_join_status: row.last_join_status,
            last_join_mod_date: row.last_join_mod_date.map(PrimitiveDateTime::assume_utc),
            last_join_mod_by: row.last_join_mod_by,
            up_status: row.up_status,
            up_mod_date: row.up_mod_date.map(PrimitiveDateTime::assume_utc),
            token: row.token,
        })
    }

    fn to_row(&self, _: &SecretKey) -> Result<Model, OdbError> {
        let server = self.clone();
        Ok(Model {
            id: server.id,
            name: server.name,
            host: server.host,
            bind_host: server.bind_host,
            bind_port: server.bind_port,
            last_join_status: server.last_join_status,
            last_join_mod_date: server.last_join_mod_date.map(to_stored_time),
            last_join_mod_by: server.last_join_mod_by,
            up_status: server.up_status,
            up_mod_date: server.up_mod_date.map(to_stored_time),
            token: server.token,
            cluster_id: server.cluster_id,
        })
    }
}
