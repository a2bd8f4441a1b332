//! Security definitions.
//!
//! Owns what each type of definition is made of. It must not know how a call is checked against one.

use super::stored_as_text;
use crate::Secret;

stored_as_text! {
    /// The type of a security definition, stored as `sec_type`.
    #[non_exhaustive]
    SecurityType {
        /// HTTP Basic Auth.
        BasicAuth => "basic_auth",
        /// A WS-Security UsernameToken.
        WsSecurity => "wss",
    }
}

/// Credentials and rules under a name, which channels and outgoing connections refer to.
///
/// The name is unique in a cluster over all types, the user name within its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityDefinition {
    /// Assigned by the database on insert.
    pub id: i64,
    /// The cluster it belongs to.
    pub cluster_id: i64,
    /// At most 200 characters.
    pub name: String,
    /// At most 200 characters. Types that know no user names have none.
    pub username: Option<String>,
    /// Encrypted at rest. Any length; types that know no passwords have none.
    pub password: Option<Secret>,
    /// Stored and listed.
    pub is_active: bool,
    /// What only this type of definition has.
    pub kind: SecurityKind,
}

impl SecurityDefinition {
    /// An active definition without a password.
    #[must_use]
    pub fn new(
        cluster_id: i64,
        name: impl Into<String>,
        username: impl Into<String>,
        kind: SecurityKind,
    ) -> Self {
        Self {
            id: 0,
            cluster_id,
            name: name.into(),
            username: Some(username.into()),
            password: None,
            is_active: true,
            kind,
        }
    }
}

/// What only one type of definition has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecurityKind {
    /// HTTP Basic Auth.
    BasicAuth {
        /// Shown by clients when they ask for credentials; may be empty, at most 200 characters.
        realm: String,
    },
    /// A WS-Security UsernameToken.
    WsSecurity {
        /// How the password is sent; `clear_text` is the defined value. At most 45 characters.
        password_type: String,
        /// Whether tokens without nonce and creation time are refused.
        reject_empty_nonce_creat: bool,
        /// Whether tokens that are too old are refused.
        reject_stale_tokens: Option<bool>,
        /// From how many seconds on a token is too old.
        reject_expiry_limit: i32,
        /// For how many seconds a nonce may not be used again.
        nonce_freshness_time: Option<i32>,
    },
}

impl SecurityKind {
    /// The type this is the content of.
    #[must_use]
    pub fn security_type(&self) -> SecurityType {
        match self {
            Self::BasicAuth { .. } => SecurityType::BasicAuth,
            Self::WsSecurity { .. } => SecurityType::WsSecurity,
        }
    }
}

/// Which security definitions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityFilter {
    /// Only definitions of these types; `None` lists all.
    pub types: Option<Vec<SecurityType>>,
}
