//! The table `sec_base`, which holds the security definitions of all types: columns that a type does not have are NULL.

use sea_orm::entity::prelude::*;
use sea_orm::{Condition, DbBackend};

use crate::column::{Keeps, Place, Sealed, Text};
use crate::error::{OdbError, Unique, UniqueRule};
use crate::model::{ObjectKind, SecurityDefinition, SecurityFilter, SecurityKind, SecurityType};
use crate::read::{NamedPerCluster, Object};
use crate::secret::SecretKey;
use crate::stored::{Selects, Stored, known};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sec_base")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub name: Text<200>,
    pub username: Option<Text<200>>,
    pub password: Option<Sealed>,
    pub password_type: Option<Text<45>>,
    pub is_active: bool,
    pub sec_type: Text<45>,
    pub realm: Option<Text<200>>,
    pub reject_empty_nonce_creat: Option<bool>,
    pub reject_stale_tokens: Option<bool>,
    pub reject_expiry_limit: Option<i32>,
    pub nonce_freshness_time: Option<i32>,
    pub cluster_id: i64,
    pub salt: Option<Text<32>>,
    pub proto_version: Option<Text<32>>,
    pub sig_method: Option<Text<32>>,
    pub max_nonce_log: Option<i32>,
    pub username_expr: Option<Text<200>>,
    pub password_expr: Option<Text<200>>,
    pub info: Option<Text<200000>>,
    pub value: Option<Sealed>,
    pub rate_limit: Option<Text<40>>,
    pub max_in_flight: Option<i32>,
    pub public_key: Option<Text<200000>>,
    pub issuer: Option<Text<200>>,
    pub audience: Option<Text<200>>,
    pub leeway: Option<i32>,
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
    fn condition(&self, _: DbBackend) -> Condition {
        let types = self.types.as_ref();
        Condition::all()
            .add_option(types.map(|types| Column::SecType.is_in(types.iter().map(|kind| kind.as_str()))))
            .add_option(self.ids.as_ref().map(|ids| Column::Id.is_in(ids.iter().copied())))
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
    const NAME: Option<Column> = Some(Column::Name);

    fn from_row(row: Model, key: &SecretKey) -> Result<Self, OdbError> {
        let id = row.id;
        let kind =
            match known(SecurityType::from_text(&row.sec_type.0), ObjectKind::Security, id, "sec_type")? {
                SecurityType::ApiKey => SecurityKind::ApiKey,
                SecurityType::Aws => SecurityKind::Aws,
                SecurityType::BasicAuth => {
                    SecurityKind::BasicAuth { realm: needed(row.realm, id, "realm")?.0 }
                }
                SecurityType::Jwt => SecurityKind::Jwt {
                    algorithm: needed(row.sig_method, id, "sig_method")?.0,
                    public_key: row.public_key.map(|text| text.0),
                    issuer: row.issuer.map(|text| text.0),
                    audience: row.audience.map(|text| text.0),
                    leeway: row.leeway,
                },
                SecurityType::Ntlm => SecurityKind::Ntlm,
                SecurityType::OAuth => SecurityKind::OAuth {
                    proto_version: needed(row.proto_version, id, "proto_version")?.0,
                    sig_method: needed(row.sig_method, id, "sig_method")?.0,
                    max_nonce_log: needed(row.max_nonce_log, id, "max_nonce_log")?,
                },
                SecurityType::OpenStack => SecurityKind::OpenStack,
                SecurityType::TechnicalAccount => {
                    SecurityKind::TechnicalAccount { salt: needed(row.salt, id, "salt")?.0 }
                }
                SecurityType::WsSecurity => SecurityKind::WsSecurity {
                    password_type: needed(row.password_type, id, "password_type")?.0,
                    reject_empty_nonce_creat: needed(
                        row.reject_empty_nonce_creat,
                        id,
                        "reject_empty_nonce_creat",
                    )?,
                    reject_stale_tokens: row.reject_stale_tokens,
                    reject_expiry_limit: needed(row.reject_expiry_limit, id, "reject_expiry_limit")?,
                    nonce_freshness_time: row.nonce_freshness_time,
                },
                SecurityType::TlsChannel => SecurityKind::TlsChannel {
                    value: needed(row.value, id, "value")?.give(&key_material(id), key)?,
                },
                SecurityType::TlsKeyCert => SecurityKind::TlsKeyCert {
                    info: needed(row.info, id, "info")?.0,
                    value: needed(row.value, id, "value")?.give(&key_material(id), key)?,
                },
                SecurityType::XPath => SecurityKind::XPath {
                    username_expr: needed(row.username_expr, id, "username_expr")?.0,
                    password_expr: row.password_expr.map(|text| text.0),
                },
            };
        Ok(Self {
            id,
            cluster_id: row.cluster_id,
            name: row.name.0,
            username: row.username.map(|text| text.0),
            password: row.password.give(&password(id), key)?,
            is_active: row.is_active,
            rate_limit: row.rate_limit.map(|text| text.0),
            max_in_flight: row.max_in_flight,
            kind,
        })
    }

    fn to_row(&self, key: &SecretKey) -> Result<Model, OdbError> {
        let mut row = Model {
            id: self.id,
            name: Text(self.name.clone()),
            username: self.username.clone().map(Text),
            password: Keeps::keep(&self.password, &password(self.id), key)?,
            password_type: None,
            is_active: self.is_active,
            sec_type: Text(self.kind.security_type().as_str().to_owned()),
            realm: None,
            reject_empty_nonce_creat: None,
            reject_stale_tokens: None,
            reject_expiry_limit: None,
            nonce_freshness_time: None,
            cluster_id: self.cluster_id,
            salt: None,
            proto_version: None,
            sig_method: None,
            max_nonce_log: None,
            username_expr: None,
            password_expr: None,
            info: None,
            value: None,
            rate_limit: self.rate_limit.clone().map(Text),
            max_in_flight: self.max_in_flight,
            public_key: None,
            issuer: None,
            audience: None,
            leeway: None,
        };
        match &self.kind {
            SecurityKind::ApiKey | SecurityKind::Aws | SecurityKind::Ntlm | SecurityKind::OpenStack => {}
            SecurityKind::BasicAuth { realm } => row.realm = Some(Text(realm.clone())),
            SecurityKind::OAuth { proto_version, sig_method, max_nonce_log } => {
                row.proto_version = Some(Text(proto_version.clone()));
                row.sig_method = Some(Text(sig_method.clone()));
                row.max_nonce_log = Some(*max_nonce_log);
            }
            SecurityKind::Jwt { algorithm, public_key, issuer, audience, leeway } => {
                row.sig_method = Some(Text(algorithm.clone()));
                row.public_key = public_key.clone().map(Text);
                row.issuer = issuer.clone().map(Text);
                row.audience = audience.clone().map(Text);
                row.leeway = *leeway;
            }
            SecurityKind::TechnicalAccount { salt } => row.salt = Some(Text(salt.clone())),
            SecurityKind::WsSecurity {
                password_type,
                reject_empty_nonce_creat,
                reject_stale_tokens,
                reject_expiry_limit,
                nonce_freshness_time,
            } => {
                row.password_type = Some(Text(password_type.clone()));
                row.reject_empty_nonce_creat = Some(*reject_empty_nonce_creat);
                row.reject_stale_tokens = *reject_stale_tokens;
                row.reject_expiry_limit = Some(*reject_expiry_limit);
                row.nonce_freshness_time = *nonce_freshness_time;
            }
            SecurityKind::TlsChannel { value } => {
                row.value = Some(Sealed::keep(value, &key_material(self.id), key)?);
            }
            SecurityKind::TlsKeyCert { info, value } => {
                row.info = Some(Text(info.clone()));
                row.value = Some(Sealed::keep(value, &key_material(self.id), key)?);
            }
            SecurityKind::XPath { username_expr, password_expr } => {
                row.username_expr = Some(Text(username_expr.clone()));
                row.password_expr = password_expr.clone().map(Text);
            }
        }
        Ok(row)
    }
}

/// A column that definitions of a type must have, though the table does not demand it.
fn needed<V>(value: Option<V>, id: i64, column: &'static str) -> Result<V, OdbError> {
    known(value, ObjectKind::Security, id, column)
}

/// The password of a definition.
fn password(id: i64) -> Place {
    Place { object: ObjectKind::Security, id, column: "password", path: "sec_base.password" }
}

/// The key material of a definition.
fn key_material(id: i64) -> Place {
    Place { object: ObjectKind::Security, id, column: "value", path: "sec_base.value" }
}
