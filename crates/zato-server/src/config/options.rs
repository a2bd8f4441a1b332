//! The flags, environment variables and keys of the configuration file, as they are written.
//!
//! Owns their names and their help. It must not know which of them win, nor what is done with them.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use serde::Deserialize;

/// Runs an integration server that speaks the Zato public API.
///
/// The first start creates everything it needs under the data directory: the operational database, the key that
/// secrets are encrypted with, and credentials.json with the passwords of the users `pubapi` and `admin.invoke`.
///
/// Each flag is also an environment variable and a key of zato-server.toml (with `_` for `-`). A flag wins over the
/// variable, the variable over the file.
#[derive(Parser, Deserialize, Default)]
#[command(name = "zato-server", version, after_help = AFTER_HELP)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Where the server keeps its files [default: ./zato-data]
    #[arg(long, env = "ZATO_DATA_DIR", value_name = "DIRECTORY")]
    pub data_dir: Option<PathBuf>,

    /// The address to accept HTTP/1.1 and HTTP/2 connections at; port 0 picks a free one [default: 127.0.0.1:17010]
    #[arg(long, env = "ZATO_HTTP", value_name = "ADDRESS:PORT")]
    pub http: Option<SocketAddr>,

    /// The address to accept the same over TLS at; needs --tls-certificate and --tls-key [default: none]
    #[arg(long, env = "ZATO_HTTPS", value_name = "ADDRESS:PORT")]
    pub https: Option<SocketAddr>,

    /// The server's certificate and those that lead to its authority, in PEM; read again when the file changes
    #[arg(long, env = "ZATO_TLS_CERTIFICATE", value_name = "FILE")]
    pub tls_certificate: Option<PathBuf>,

    /// The private key of the certificate, in PEM; read again when the file changes
    #[arg(long, env = "ZATO_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// The authorities, in PEM, whose certificates clients may prove themselves with; they need not [default: none]
    #[arg(long, env = "ZATO_TLS_CLIENT_CA", value_name = "FILE")]
    pub tls_client_ca: Option<PathBuf>,

    /// The operational database: `sqlite`, a file in the data directory, or postgres://user:password@host/database
    /// [default: sqlite]
    #[arg(long, env = "ZATO_ODB", value_name = "sqlite|URL", hide_env_values = true)]
    pub odb: Option<String>,

    /// The key/value store: `embedded`, a file in the data directory, or redis://:password@host:port/database, rediss:// for TLS [default: embedded]
    #[arg(long, env = "ZATO_KVDB", value_name = "embedded|URL", hide_env_values = true)]
    pub kvdb: Option<String>,

    /// This server's name in its cluster [default: server1]
    #[arg(long, env = "ZATO_SERVER_NAME", value_name = "NAME")]
    pub server_name: Option<String>,

    /// The configuration file [default: ./zato-server.toml, if it exists]
    #[arg(long, env = "ZATO_CONFIG", value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// What to log: a level, or directives such as `info,zato_outgoing=debug` [default: info]
    #[arg(long, env = "ZATO_LOG", value_name = "LEVEL|DIRECTIVES")]
    pub log: Option<String>,

    /// How log lines look [default: text]
    #[arg(long, env = "ZATO_LOG_FORMAT", value_enum)]
    pub log_format: Option<LogFormat>,

    /// Writes a line per call to this file, `-` for standard output [default: none]
    #[arg(long, env = "ZATO_ACCESS_LOG", value_name = "FILE|-")]
    pub access_log: Option<PathBuf>,

    /// What a failed call tells its caller: the whole report, or its last line [default: full]
    #[arg(long, env = "ZATO_ERROR_DETAILS", value_enum)]
    pub error_details: Option<ErrorDetails>,

    /// The largest request body that is accepted, in bytes [default: 10485760]
    #[arg(long, env = "ZATO_MAX_BODY_BYTES", value_name = "BYTES")]
    pub max_body_bytes: Option<usize>,

    /// Proxies whose X-Forwarded-For or Forwarded headers say who calls: addresses and networks [default: none]
    #[arg(long, env = "ZATO_TRUSTED_PROXIES", value_name = "ADDRESS[/BITS],...", value_delimiter = ',')]
    pub trusted_proxies: Option<Vec<String>>,

    /// How long calls in flight may take once SIGTERM or SIGINT told the server to stop, in seconds [default: 30]
    #[arg(long, env = "ZATO_SHUTDOWN_TIMEOUT", value_name = "SECONDS")]
    pub shutdown_timeout: Option<u64>,

    /// Whether lists of services and channels include the server's own [default: false]
    #[arg(long, env = "ZATO_RETURN_INTERNAL_OBJECTS", value_name = "BOOLEAN")]
    pub return_internal_objects: Option<bool>,

    /// Whether the services of the server itself can be deleted [default: false]
    #[arg(long, env = "ZATO_INTERNAL_SERVICES_MAY_BE_DELETED", value_name = "BOOLEAN")]
    pub internal_services_may_be_deleted: Option<bool>,

    /// Sets the password of the user `pubapi`; prefer the variable, since other users may see the flags of a process
    #[arg(long, env = "ZATO_PUBAPI_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    pub pubapi_password: Option<String>,

    /// Sets the password of the user `admin.invoke`
    #[arg(long, env = "ZATO_ADMIN_INVOKE_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    pub admin_invoke_password: Option<String>,
}

/// Shows nothing, because some of the values are secrets.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").finish_non_exhaustive()
    }
}

const AFTER_HELP: &str = "\
First steps:
  zato-server                                      # starts, and prints an address to try
  curl http://127.0.0.1:17010/zato/ping            # is it there?
  curl http://127.0.0.1:17010/zato/openapi.json    # what can it do?
  cat zato-data/credentials.json                   # who may do it?";

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What a failed call tells its caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ErrorDetails {
    /// Service, place in the source, chain of causes and message.
    #[default]
    Full,
    /// The message.
    Message,
}
