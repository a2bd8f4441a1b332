#![doc = include_str!("../README.md")]

mod access_log;
mod background;
mod busy;
mod compress;
mod config;
mod connection;
mod connections;
mod credentials;
mod descriptors;
mod files;
mod follower;
mod host;
mod listener;
mod logging;
mod metrics;
mod pages;
mod running;
mod server;
mod signals;
mod stream;
mod tls;
mod unread;
mod waiting;

pub use config::{
    Config, ConfigError, ErrorDetails, KvdbLocation, LogFormat, OdbLocation, Options, TlsConfig,
};
pub use files::{DataDirectory, DataDirectoryError, FileError};
pub use running::RunningServer;
pub use server::{Server, StartError};
pub use tls::TlsError;
