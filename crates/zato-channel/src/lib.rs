#![doc = include_str!("../README.md")]

mod access;
mod audit;
mod body;
mod budget;
mod channel;
mod channels;
mod client_certificate;
mod codec;
mod config;
mod cors;
mod decode;
mod dispatch;
mod ended;
mod error;
mod failure;
mod framing;
mod gate;
mod handle;
mod limits;
mod map;
mod media;
mod message;
mod pages;
mod parameters;
mod path;
mod pointer;
mod proxies;
mod rbac;
mod reply;
mod respond;
mod routing;
mod security;
mod statistics;
mod throttle;
mod tree;
mod turns;
mod xpath;

pub use access::{AccessEntry, AccessLog};
pub use audit::{AuditLog, AuditedCall, AuditedReply};
pub use budget::Memory;
pub use channels::{ChannelGuard, Channels};
pub use client_certificate::{ClientCertificate, UnknownFact};
pub use config::{ChannelConfig, DataFormat, Transport, UnknownDataFormat};
pub use cors::{InvalidOrigin, Origins};
pub use dispatch::{Dispatcher, Settings};
pub use error::{ChannelError, PathError, SecurityError};
pub use limits::{CallLimits, InvalidRate, Rate};
pub use message::MessageTarget;
pub use pages::{Page, Pages};
pub use parameters::{ParameterPrecedence, UrlParameters, query_elements};
pub use pointer::{InvalidJsonPointer, JsonPointer};
pub use proxies::{InvalidProxy, TrustedProxies};
pub use rbac::{ClientRole, Permission, RbacConfig, Role, RolePermission};
pub use reply::{BrokenOff, ReplyBody};
pub use respond::ErrorDetails;
pub use security::{
    CertificateRuleError, CertificateRules, InvalidDigest, Jwt, JwtKey, JwtKeyError, OAuth, Password,
    SaltedDigest, Security, SecurityKind, WsSecurity, XPath,
};
pub use statistics::{ChannelSnapshot, ChannelStatistics, Denials};
pub use throttle::FailureDelays;
pub use xpath::{Unsearchable, XPathError, XPathExpression};
// What channels are configured with besides the types of this crate.
pub use zato_oauth::{SignatureMethod, UnknownSignatureMethod};
pub use zato_service::Precedence;
pub use zato_soap::Version;
