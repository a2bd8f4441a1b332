#![doc = include_str!("../README.md")]

mod body;
mod call;
mod clock;
mod config;
pub mod connect;
mod connection;
mod error;
pub mod form;
pub mod layers;
mod origin;
mod outgoing;
mod params;
mod ping;
pub mod pool;
mod progress;
mod response;
mod secret;
mod stack;
mod target;
mod tls;
pub mod url;

pub use body::{Body, BodyError, Content, IntoBody, Json};
pub use call::{Call, CallFuture};
pub use clock::{Clock, SystemClock};
pub use config::{Config, ConfigError, ConfigProblem, Environment, InvalidComponent, Security, Transport};
pub use connection::{Conn, Connection, Credentials, Session};
pub use error::{CallError, Failure, Source};
pub use form::{Form, Multipart, Part};
pub use origin::Origin;
pub use outgoing::{Outgoing, OutgoingError};
pub use params::{IntoParams, Params};
pub use progress::{Phase, Progress, Timing};
pub use response::Response;
pub use secret::Secret;
pub use tls::{CaBundleError, Tls, Verify};
