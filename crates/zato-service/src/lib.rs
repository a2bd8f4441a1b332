#![doc = include_str!("../README.md")]

mod context;
mod endpoint;
mod error;
mod input;
mod items;
mod job;
mod observer;
mod outgoing;
mod output;
mod registry;
mod service;
mod statistics;

pub use context::{
    ChannelKind, Context, Environment, EnvironmentParts, FindPayload, Origin, ResponseOptions,
};
pub use error::{Error, ErrorKind, chain};
pub use input::{FromInput, Input, Precedence, RawInput};
pub use items::Items;
pub use job::{Job, JobType};
pub use observer::{Exchange, Observer};
pub use outgoing::Outgoing;
pub use output::{Batches, Output, Raw};
pub use registry::{Registration, Registry, RegistryError};
pub use service::{Description, Service};
pub use statistics::{Statistics, StatisticsSnapshot};
