#![doc = include_str!("../README.md")]

mod audit;
mod backend;
mod column;
mod declare;
mod entity;
mod error;
mod events;
mod fold;
mod migrate;
pub mod model;
mod odb;
mod progress;
mod read;
mod secret;
mod stored;
#[cfg(any(test, feature = "test-util"))]
pub mod test_util;
mod transaction;

pub use audit::AuditSummary;
pub use backend::{Location, OdbConfig};
pub use error::{BackendError, KeyFileError, OdbError, SecretError, Unique};
pub use events::{Action, Change, Event, EventId};
pub use model::ObjectKind;
pub use odb::Odb;
pub use progress::JobProgress;
pub use read::{NamedPerCluster, Object, Page, PageRequest, Read};
pub use secret::{Secret, SecretKey};
pub use transaction::Transaction;
