#![doc = include_str!("../README.md")]

mod access_log;
mod background;
mod compress;
mod config;
mod descriptors;
mod files;
mod follower;
mod greeting;
mod host;
mod listener;
mod logging;
mod metrics;
mod pages;
mod server;
mod timer;
mod tls;

pub use config::{
    Config, ConfigError, ErrorDetails, KvdbLocation, LogFormat, OdbLocation, Options, TlsConfig,
};
pub use files::{DataDirectory, FileError};
pub use server::{RunningServer, Server, StartError};
pub use tls::TlsError;
