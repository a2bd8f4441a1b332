//! The objects that callers read and write: plain types, each declared once together with its table.
//!
//! Owns what an object is made of, its unique rules and the texts by which its choices are stored. It must not know which
//! database holds it, or run statements.

pub(crate) mod audit;
pub(crate) mod channel;
pub(crate) mod definition;
pub(crate) mod deployment;
pub(crate) mod http_soap;
pub(crate) mod message;
pub(crate) mod outgoing;
pub(crate) mod platform;
pub(crate) mod rbac;
pub(crate) mod scheduler;
pub(crate) mod security;

pub use audit::{
    AuditJsonPointer, AuditJsonPointerFilter, AuditXPath, AuditXPathFilter, HttpSoapAudit,
    HttpSoapAuditFilter,
};
pub use channel::{
    ChannelAmqp, ChannelAmqpFilter, ChannelSocket, ChannelWmq, ChannelWmqFilter, ChannelZmq, ChannelZmqFilter,
};
pub use definition::{DefinitionAmqp, DefinitionWmq};
pub use deployment::{
    DeletedService, DeployedService, DeployedServiceFilter, DeploymentPackage, DeploymentPackageFilter,
    DeploymentState, DeploymentStatus, DeploymentStatusFilter,
};
pub use http_soap::{
    AuditReplacePattern, Connection, HttpSoap, HttpSoapFilter, MessageParamsPriority, SerializationType,
    Transport, UrlParamsPriority,
};
pub use message::{JsonPointer, Namespace, XPath};
pub use outgoing::{
    OutgoingAmqp, OutgoingAmqpFilter, OutgoingFtp, OutgoingSocket, OutgoingSql, OutgoingWmq,
    OutgoingWmqFilter, OutgoingZmq,
};
pub use platform::{Cluster, Server, Service};
pub use rbac::{
    RbacClientRole, RbacClientRoleFilter, RbacPermission, RbacRole, RbacRoleFilter, RbacRolePermission,
    RbacRolePermissionFilter,
};
pub use scheduler::{Job, JobFilter, JobType};
pub use security::{SecurityDefinition, SecurityFilter, SecurityKind, SecurityType, TlsCaCert};

/// The filter of objects which have nothing to choose by: every object of the cluster is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Everything;

/// An enumeration that is stored as text: the text of each variant, `Display`, and reading back.
macro_rules! stored_as_text {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            /// Every variant, in the order of the declaration.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The text that is stored and sent over the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The variant of a stored text, `None` if there is no such variant.
            #[must_use]
            pub fn from_text(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl<const LIMIT: u32> crate::column::Keeps<$name> for crate::column::Text<LIMIT> {
            fn keep(
                value: &$name,
                _: &crate::column::Place,
                _: &crate::SecretKey,
            ) -> Result<Self, crate::OdbError> {
                Ok(Self(value.as_str().to_owned()))
            }

            fn give(
                self,
                place: &crate::column::Place,
                _: &crate::SecretKey,
            ) -> Result<$name, crate::OdbError> {
                crate::stored::known($name::from_text(&self.0), place.object, place.id, place.column)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
use stored_as_text;

stored_as_text! {
    /// What kind of object an event or an error is about.
    #[non_exhaustive]
    ObjectKind {
        /// A cluster.
        Cluster => "cluster",
        /// A server of a cluster.
        Server => "server",
        /// A service.
        Service => "service",
        /// A security definition of any type.
        Security => "security",
        /// Certificate authorities of TLS servers.
        TlsCaCert => "tls_ca_cert",
        /// An HTTP or SOAP channel or outgoing connection.
        HttpSoap => "http_soap",
        /// An entry of the audit of HTTP and SOAP.
        HttpSoapAudit => "http_soap_audit",
        /// A JSON Pointer to what an audit hides.
        AuditJsonPointer => "audit_json_pointer",
        /// An XPath expression of what an audit hides.
        AuditXPath => "audit_xpath",
        /// An AMQP definition.
        DefinitionAmqp => "def_amqp",
        /// A WebSphere MQ definition.
        DefinitionWmq => "def_wmq",
        /// An AMQP channel.
        ChannelAmqp => "channel_amqp",
        /// A WebSphere MQ channel.
        ChannelWmq => "channel_wmq",
        /// A ZeroMQ channel.
        ChannelZmq => "channel_zmq",
        /// An outgoing AMQP connection.
        OutgoingAmqp => "out_amqp",
        /// An outgoing WebSphere MQ connection.
        OutgoingWmq => "out_wmq",
        /// An outgoing ZeroMQ connection.
        OutgoingZmq => "out_zmq",
        /// An outgoing FTP connection.
        OutgoingFtp => "out_ftp",
        /// A pool of SQL connections.
        OutgoingSql => "out_sql",
        /// A job of the scheduler.
        Job => "job",
        /// That a service runs on a server.
        DeployedService => "deployed_service",
        /// That a service was deleted.
        DeletedService => "deleted_service",
        /// A package that was uploaded to a server.
        DeploymentPackage => "deployment_package",
        /// How far a package is on a server.
        DeploymentStatus => "deployment_status",
        /// A role.
        RbacRole => "rbac_role",
        /// A permission.
        RbacPermission => "rbac_perm",
        /// That a client has a role.
        RbacClientRole => "rbac_client_role",
        /// That a role has a permission on a service.
        RbacRolePermission => "rbac_role_perm",
        /// An XML namespace.
        Namespace => "msg_ns",
        /// An XPath expression.
        XPath => "msg_xpath",
        /// A JSON Pointer.
        JsonPointer => "msg_json_pointer",
        /// A kind that a newer version wrote to the event log. This version has nothing to reload for it.
        Unknown => "unknown",
    }
}
