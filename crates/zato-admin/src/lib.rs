#![doc = include_str!("../README.md")]

mod admin;
mod apply;
mod audit;
mod background;
mod base64;
mod bootstrap;
mod certificate;
mod change;
mod connectors;
mod error;
mod family;
mod field;
mod handle;
mod jobs;
mod leader;
mod list;
mod mask;
mod password;
mod presence;
mod process;
mod services;
mod target;
mod value;

pub use admin::{Admin, AdminSettings, Follower};
pub use apply::Applier;
pub use audit::{Audit, AuditStatistics, AuditWriter};
pub use background::Background;
pub use bootstrap::{Bootstrap, BootstrapError, BootstrapOptions, Credentials, Prepared, bootstrap, prepare};
pub use connectors::Connectors;
pub use handle::{Handle, register_all};
pub use jobs::JobStore;
pub use leader::{Leader, Leadership, LeaseTimes, holds_lease};
pub use mask::without_secrets;
pub use presence::{record_start, record_stop};
pub use services::service::{StoredWsdl, WsdlError, find_wsdl, record_deployments};

/// Whether a name is one of those that lists hide unless an operator wants to see them.
fn is_internal_name(name: &str) -> bool {
    name.starts_with("zato")
}
