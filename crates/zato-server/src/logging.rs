//! Where log lines go and how they look.
//!
//! Owns the one global subscriber. It must not know what is logged.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{Config, ConfigError, LogFormat};

/// Starts logging to standard error.
///
/// A program that embeds the server and has its own subscriber keeps that one.
///
/// # Errors
/// The directives can't be read.
pub(crate) fn start(config: &Config) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| ConfigError::Invalid {
        setting: "log",
        problem: format!("must be a level or directives such as `info,zato_outgoing=debug`: {error}"),
    })?;
    let is_terminal = io::stderr().is_terminal();
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(is_terminal).with_writer(io::stderr);
    let started: Result<(), TryInitError> = match config.log_format {
        LogFormat::Text => builder.finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    };
    // The only failure is that a subscriber is set already, which is the embedding program's choice.
    drop(started);
    Ok(())
}
