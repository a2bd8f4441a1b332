//! The table `sec_base`, which holds the security definitions of all types: columns that a type does not have are NULL.

use sea_orm::Condition;
use sea_orm::entity::prelude::*;

use crate::error::{OdbError, Unique, UniqueRule};
use crate::model::{ObjectKind, SecurityDefinition, SecurityFilter, SecurityKind, SecurityType};
use crate::read::{NamedPerCluster, Object};
use crate::secret::SecretKey;
use crate::stored::{Selects, Stored, known};

/// What passwords are bound to when they are encrypted.
const PASSWORD: &str = "sec_base.password";

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sec_base")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub name: String,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub username: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub password: Option<String>,
    #[sea_orm(column_type = "String(StringLen::N(45))")]
    pub password_type: Option<String>,
    pub is_active: bool,
    #[sea_orm(column_type = "String(StringLen::N(45))")]
    pub sec_type: String,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub realm: Option<String>,
    pub reject_empty_nonce_creat: Option<bool>,
    pub reject_stale_tokens: Option<bool>,
    pub reject_expiry_limit: Option<i32>,
    pub nonce_freshness_time: Option<i32>,
    pub cluster_id: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Object for SecurityDefinition {
    type Filter = SecurityFilter;

    const KIND: ObjectKind = ObjectKind::Security;

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

impl NamedPerCluster for SecurityDefinition {}

impl Selects for SecurityFilter {
    fn condition(&self) -> Condition {
        let types = self.types.as_ref();
        Condition::all()
            .add_option(types.map(|types| Column::SecType.is_in(types.iter().map(|kind| kind.as_str()))))
    }
}

impl Stored for SecurityDefinition {
    type Entity = Entity;

    const UNIQUE: &'static [UniqueRule] = &[
        UniqueRule {
            constraint: "sec_base_name",
            columns: "sec_base.cluster_id, sec_base.name",
            what: Unique::Name,
        },
        UniqueRule {
            constraint: "sec_base_username",
            columns: "sec_base.cluster_id, sec_base.username, sec_base.sec_type",
            what: Unique::Username,
        },
    ];
    const ID: Column = Column::Id;
    const CLUSTER_ID: Column = Column::ClusterId;
    const NAME: Column = Column::Name;

    fn from_row(row: Model, key: &SecretKey) -> Result<Self, OdbError> {
        let id = row.id;
        let missing = |column| OdbError::Unreadable { object: ObjectKind::Security, id, column };
        let security_type =
            known(SecurityType::from_text(&row.sec_type), ObjectKind::Security, id, "sec_type")?;
        let kind = match security_type {
            SecurityType::BasicAuth => {
                SecurityKind::BasicAuth { realm: row.realm.ok_or_else(|| missing("realm"))? }
            }
            SecurityType::WsSecurity => SecurityKind::WsSecurity {
                password_type: row.password_type.ok_or_else(|| missing("password_type"))?,
                reject_empty_nonce_creat: row
                    .reject_empty_nonce_creat
                    .ok_or_else(|| missing("reject_empty_nonce_creat"))?,
                reject_stale_tokens: row.reject_stale_tokens,
                reject_expiry_limit: row.reject_expiry_limit.ok_or_else(|| missing("reject_expiry_limit"))?,
                nonce_freshness_time: row.nonce_freshness_time,
            },
        };
        Ok(Self {
            id,
            cluster_id: row.cluster_id,
            name: row.name,
            username: row.username,
            password: row.password.map(|sealed| key.open(PASSWORD, &sealed)).transpose()?,
            is_active: row.is_active,
            kind,
        })
    }

    fn to_row(&self, key: &SecretKey) -> Result<Model, OdbError> {
        let mut row = Model {
            id: self.id,
            name: self.name.clone(),
            username: self.username.clone(),
            password: self.password.as_ref().map(|secret| key.seal(PASSWORD, secret)).transpose()?,
            password_type: None,
            is_active: self.is_active,
            sec_type: self.kind.security_type().as_str().to_owned(),
            realm: None,
            reject_empty_nonce_creat: None,
            reject_stale_tokens: None,
            reject_expiry_limit: None,
            nonce_freshness_time: None,
            cluster_id: self.cluster_id,
        };
        match &self.kind {
            SecurityKind::BasicAuth { realm } => row.realm = Some(realm.clone()),
            SecurityKind::WsSecurity {
                password_type,
                reject_empty_nonce_creat,
                reject_stale_tokens,
                reject_expiry_limit,
                nonce_freshness_time,
            } => {
                row.password_type = Some(password_type.clone());
                row.reject_empty_nonce_creat = Some(*reject_empty_nonce_creat);
                row.reject_stale_tokens = *reject_stale_tokens;
                row.reject_expiry_limit = Some(*reject_expiry_limit);
                row.nonce_freshness_time = *nonce_freshness_time;
            }
        }
        Ok(row)
    }
}
