#![doc = include_str!("../README.md")]

mod config;
mod dialect;
mod engine;
mod error;
mod extra;
mod lease;
mod pool;
mod row;
mod session;
mod statement;
mod transaction;
mod value;

pub use config::{Config, ConfigError};
pub use engine::{Engine, UnsupportedEngine};
pub use error::{DriverError, Error, ParameterError, Violation};
pub use extra::{Extra, ExtraError, SslMode};
pub use pool::{Pool, Status};
pub use row::RowError;
pub use statement::{Executed, IntoParams, Sql};
pub use transaction::Transaction;
pub use value::Value;
