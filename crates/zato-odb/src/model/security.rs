//! Security definitions.
//!
//! Owns what each type of definition is made of, and the certificate authorities beside them. It must not know how a call
//! is checked against one.

use super::{Everything, stored_as_text};
use crate::Secret;
use crate::declare::stored_object;
use crate::read::NamedPerCluster;

stored_as_text! {
    /// The type of a security definition, stored as `sec_type`.
    #[non_exhaustive]
    SecurityType {
        /// A key in a header of HTTP.
        ApiKey => "apikey",
        /// Amazon Web Services.
        Aws => "aws",
        /// HTTP Basic Auth.
        BasicAuth => "basic_auth",
        /// A JSON Web Token.
        Jwt => "jwt",
        /// NTLM over HTTP.
        Ntlm => "ntlm",
        /// OAuth 1.0.
        OAuth => "oauth",
        /// OpenStack.
        OpenStack => "openstack",
        /// A technical account, told by headers of HTTP.
        TechnicalAccount => "tech_acc",
        /// A WS-Security UsernameToken.
        WsSecurity => "wss",
        /// The certificate of a TLS client.
        TlsChannel => "tls_channel_sec",
        /// A key and a certificate to show to TLS servers.
        TlsKeyCert => "tls_key_cert",
        /// Credentials in the message.
        XPath => "xpath_sec",
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
    /// How many calls it lets through in a time over all channels that it guards, such as `100/s`; at most 40 characters.
    pub rate_limit: Option<String>,
    /// How many calls it lets through at a time over all channels that it guards.
    pub max_in_flight: Option<i32>,
    /// What only this type of definition has.
    pub kind: SecurityKind,
}

impl SecurityDefinition {
    /// An active definition without a password and limits.
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
            rate_limit: None,
            max_in_flight: None,
            kind,
        }
    }
}

/// What only one type of definition has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecurityKind {
    /// A key in a header of HTTP: the user name is the header, the password the key.
    ApiKey,
    /// Amazon Web Services: the user name is the id of the access key, the password the secret key.
    Aws,
    /// HTTP Basic Auth.
    BasicAuth {
        /// Shown by clients when they ask for credentials; may be empty, at most 200 characters.
        realm: String,
    },
    /// A JSON Web Token: the password is the secret that it is signed with, if the algorithm has one. It has no user name.
    Jwt {
        /// How tokens are signed, at most 32 characters.
        algorithm: String,
        /// What signatures are verified with if there is no secret, in PEM, at most 200 000 characters.
        public_key: Option<String>,
        /// Who must have made a token, at most 200 characters.
        issuer: Option<String>,
        /// For whom a token must be meant, at most 200 characters.
        audience: Option<String>,
        /// By how many seconds clocks may differ.
        leeway: Option<i32>,
    },
    /// NTLM over HTTP: the user name is domain and user.
    Ntlm,
    /// OAuth 1.0.
    OAuth {
        /// At most 32 characters.
        proto_version: String,
        /// At most 32 characters.
        sig_method: String,
        /// How many nonces are remembered.
        max_nonce_log: i32,
    },
    /// OpenStack: the password is the key.
    OpenStack,
    /// A technical account, told by headers of HTTP. It has no user name.
    TechnicalAccount {
        /// What the password was hashed with, at most 32 characters.
        salt: String,
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
    /// The certificate of a TLS client.
    TlsChannel {
        /// What the certificate has to say, a `key=value` a line. Encrypted at rest.
        value: Secret,
    },
    /// A key and a certificate to show to TLS servers.
    TlsKeyCert {
        /// What the certificate says of its owner, at most 200 000 characters.
        info: String,
        /// Key and certificate in PEM. Encrypted at rest.
        value: Secret,
    },
    /// Credentials in the message.
    XPath {
        /// The XPath expression of the user name, at most 200 characters.
        username_expr: String,
        /// The XPath expression of the password, at most 200 characters.
        password_expr: Option<String>,
    },
}

impl SecurityKind {
    /// The type this is the content of.
    #[must_use]
    pub fn security_type(&self) -> SecurityType {
        match self {
            Self::ApiKey => SecurityType::ApiKey,
            Self::Aws => SecurityType::Aws,
            Self::BasicAuth { .. } => SecurityType::BasicAuth,
            Self::Jwt { .. } => SecurityType::Jwt,
            Self::Ntlm => SecurityType::Ntlm,
            Self::OAuth { .. } => SecurityType::OAuth,
            Self::OpenStack => SecurityType::OpenStack,
            Self::TechnicalAccount { .. } => SecurityType::TechnicalAccount,
            Self::WsSecurity { .. } => SecurityType::WsSecurity,
            Self::TlsChannel { .. } => SecurityType::TlsChannel,
            Self::TlsKeyCert { .. } => SecurityType::TlsKeyCert,
            Self::XPath { .. } => SecurityType::XPath,
        }
    }
}

/// Which security definitions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityFilter {
    /// Only definitions of these types; `None` lists all.
    pub types: Option<Vec<SecurityType>>,
    /// Only definitions with these ids; `None` lists all.
    pub ids: Option<Vec<i64>>,
}

stored_object! {
    /// Certificate authorities that the certificates of TLS servers are verified with.
    pub struct TlsCaCert in sec_tls_ca_cert {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// The certificates in PEM, at most 200 000 characters.
        value: String as Text<200000>,
        /// What the certificates say of their owners, at most 200 000 characters.
        info: String as Text<200000>,
        /// Stored and listed.
        is_active: bool,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter Everything;
}

impl NamedPerCluster for TlsCaCert {}
