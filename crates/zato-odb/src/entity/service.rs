//! The table `service`.

use sea_orm::entity::prelude::*;

use crate::error::{OdbError, Unique, UniqueRule};
use crate::model::{Everything, ObjectKind, Service};
use crate::read::{NamedPerCluster, Object};
use crate::secret::SecretKey;
use crate::stored::Stored;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "service")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(column_type = "String(StringLen::N(300))")]
    pub name: String,
    pub is_active: bool,
    #[sea_orm(column_type = "String(StringLen::N(2000))")]
    pub impl_name: String,
    pub is_internal: bool,
    pub wsdl: Option<Vec<u8>>,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub wsdl_name: Option<String>,
    pub slow_threshold: i32,
    pub cluster_id: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Object for Service {
    type Filter = Everything;

    const KIND: ObjectKind = ObjectKind::Service;

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

impl NamedPerCluster for Service {}

impl Stored for Service {
    type Entity = Entity;

    const UNIQUE: &'static [UniqueRule] = &[UniqueRule {
        constraint: "service_name",
        columns: "service.name, service.cluster_id",
        what: Unique::Name,
    }];
    const ID: Column = Column::Id;
    const CLUSTER_ID: Column = Column::ClusterId;
    const NAME: Column = Column::Name;

    fn from_row(row: Model, _: &SecretKey) -> Result<Self, OdbError> {
        Ok(Self {
            id: row.id,
            cluster_id: row.cluster_id,
            name: row.name,
            is_active: row.is_active,
            impl_name: row.impl_name,
            is_internal: row.is_internal,
            wsdl: row.wsdl,
            wsdl_name: row.wsdl_name,
            slow_threshold: row.slow_threshold,
        })
    }

    fn to_row(&self, _: &SecretKey) -> Result<Model, OdbError> {
        let service = self.clone();
        Ok(Model {
            id: service.id,
            name: service.name,
            is_active: service.is_active,
            impl_name: service.impl_name,
            is_internal: service.is_internal,
            wsdl: service.wsdl,
            wsdl_name: service.wsdl_name,
            slow_threshold: service.slow_threshold,
            cluster_id: service.cluster_id,
        })
    }
}
