//! The table `http_soap`.

use sea_orm::Condition;
use sea_orm::entity::prelude::*;

use crate::error::{OdbError, Unique, UniqueRule};
use crate::model::{
    AuditReplacePattern, Connection, HttpSoap, HttpSoapFilter, MessageParamsPriority, ObjectKind,
    SerializationType, Transport, UrlParamsPriority,
};
use crate::read::Object;
use crate::secret::SecretKey;
use crate::stored::{Selects, Stored, known};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "http_soap")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub name: String,
    pub is_active: bool,
    pub is_internal: bool,
    #[sea_orm(column_type = "String(StringLen::N(20))")]
    pub connection: String,
    #[sea_orm(column_type = "String(StringLen::N(20))")]
    pub transport: String,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub host: String,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub url_path: String,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub method: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub soap_action: String,
    #[sea_orm(column_type = "String(StringLen::N(20))")]
    pub soap_version: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(20))")]
    pub data_format: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(60))")]
    pub ping_method: Option<String>,
    pub pool_size: Option<i32>,
    pub merge_url_params_req: bool,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub url_params_pri: String,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub params_pri: String,
    pub audit_enabled: bool,
    pub audit_back_log: i32,
    pub audit_max_payload: i32,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub audit_repl_patt_type: String,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub serialization_type: String,
    pub timeout: i32,
    pub sec_tls_ca_cert_id: Option<i64>,
    pub has_rbac: bool,
    pub service_id: Option<i64>,
    pub cluster_id: i64,
    pub security_id: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Object for HttpSoap {
    type Filter = HttpSoapFilter;

    const KIND: ObjectKind = ObjectKind::HttpSoap;

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

impl Selects for HttpSoapFilter {
    fn condition(&self) -> Condition {
        Condition::all()
            .add_option(self.connection.map(|connection| Column::Connection.eq(connection.as_str())))
            .add_option(self.transport.map(|transport| Column::Transport.eq(transport.as_str())))
            .add_option(self.service_id.map(|id| Column::ServiceId.eq(id)))
            .add_option(self.security_id.map(|id| Column::SecurityId.eq(id)))
    }
}

impl Stored for HttpSoap {
    type Entity = Entity;

    const UNIQUE: &'static [UniqueRule] = &[
        UniqueRule {
            constraint: "http_soap_name",
            columns: "http_soap.name, http_soap.connection, http_soap.transport, http_soap.cluster_id",
            what: Unique::Name,
        },
        UniqueRule {
            constraint: "http_soap_address",
            columns: "http_soap.url_path, http_soap.host, http_soap.connection, http_soap.soap_action, \
                      http_soap.cluster_id",
            what: Unique::Address,
        },
    ];
    const ID: Column = Column::Id;
    const CLUSTER_ID: Column = Column::ClusterId;
    const NAME: Column = Column::Name;

    fn name_scope(&self) -> Condition {
        Condition::all()
            .add(Column::Connection.eq(self.connection.as_str()))
            .add(Column::Transport.eq(self.transport.as_str()))
    }

    fn from_row(row: Model, _: &SecretKey) -> Result<Self, OdbError> {
        let (object, id) = (ObjectKind::HttpSoap, row.id);
        Ok(Self {
            id,
            cluster_id: row.cluster_id,
            name: row.name,
            is_active: row.is_active,
            is_internal: row.is_internal,
            connection: known(Connection::from_text(&row.connection), object, id, "connection")?,
            transport: known(Transport::from_text(&row.transport), object, id, "transport")?,
            host: row.host,
            url_path: row.url_path,
            method: row.method,
            soap_action: row.soap_action,
            soap_version: row.soap_version,
            data_format: row.data_format,
            ping_method: row.ping_method,
            pool_size: row.pool_size,
            merge_url_params_req: row.merge_url_params_req,
            url_params_pri: known(
                UrlParamsPriority::from_text(&row.url_params_pri),
                object,
                id,
                "url_params_pri",
            )?,
            params_pri: known(MessageParamsPriority::from_text(&row.params_pri), object, id, "params_pri")?,
            audit_enabled: row.audit_enabled,
            audit_back_log: row.audit_back_log,
            audit_max_payload: row.audit_max_payload,
            audit_repl_patt_type: known(
                AuditReplacePattern::from_text(&row.audit_repl_patt_type),
                object,
                id,
                "audit_repl_patt_type",
            )?,
            serialization_type: known(
                SerializationType::from_text(&row.serialization_type),
                object,
                id,
                "serialization_type",
            )?,
            timeout: row.timeout,
            sec_tls_ca_cert_id: row.sec_tls_ca_cert_id,
            has_rbac: row.has_rbac,
            service_id: row.service_id,
            security_id: row.security_id,
        })
    }

    fn to_row(&self, _: &SecretKey) -> Result<Model, OdbError> {
        let object = self.clone();
        Ok(Model {
            id: object.id,
            name: object.name,
            is_active: object.is_active,
            is_internal: object.is_internal,
            connection: object.connection.as_str().to_owned(),
            transport: object.transport.as_str().to_owned(),
            host: object.host,
            url_path: object.url_path,
            method: object.method,
            soap_action: object.soap_action,
            soap_version: object.soap_version,
            data_format: object.data_format,
            ping_method: object.ping_method,
            pool_size: object.pool_size,
            merge_url_params_req: object.merge_url_params_req,
            url_params_pri: object.url_params_pri.as_str().to_owned(),
            params_pri: object.params_pri.as_str().to_owned(),
            audit_enabled: object.audit_enabled,
            audit_back_log: object.audit_back_log,
            audit_max_payload: object.audit_max_payload,
            audit_repl_patt_type: object.audit_repl_patt_type.as_str().to_owned(),
            serialization_type: object.serialization_type.as_str().to_owned(),
            timeout: object.timeout,
            sec_tls_ca_cert_id: object.sec_tls_ca_cert_id,
            has_rbac: object.has_rbac,
            service_id: object.service_id,
            cluster_id: object.cluster_id,
            security_id: object.security_id,
        })
    }
}
