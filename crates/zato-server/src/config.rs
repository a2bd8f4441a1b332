//! The server's settings: flags, environment variables and the configuration file, merged in that order.
//!
//! Owns names, defaults and checks of the settings. It must not know what is done with them.

use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use serde::Deserialize;
use zato_odb::Secret;

/// The file that is read when no other is named, if it exists.
const DEFAULT_FILE: &str = "zato-server.toml";

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

    /// The operational database: `sqlite`, a file in the data directory, or postgres://user:password@host/database
    /// [default: sqlite]
    #[arg(long, env = "ZATO_ODB", value_name = "sqlite|URL", hide_env_values = true)]
    pub odb: Option<String>,

    /// The key/value store: `embedded`, a file in the data directory [default: embedded]
    #[arg(long, env = "ZATO_KVDB", value_name = "embedded", hide_env_values = true)]
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

    /// How long calls in flight may take once the server was told to stop, in seconds [default: 30]
    #[arg(long, env = "ZATO_SHUTDOWN_TIMEOUT", value_name = "SECONDS")]
    pub shutdown_timeout: Option<u64>,

    /// Whether lists of services and channels include the server's own [default: false]
    #[arg(long, env = "ZATO_RETURN_INTERNAL_OBJECTS", value_name = "BOOLEAN")]
    pub return_internal_objects: Option<bool>,

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

/// The settings of a server, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the server keeps its files.
    pub data_dir: PathBuf,
    /// The address to listen at.
    pub http: SocketAddr,
    /// The operational database.
    pub odb: OdbLocation,
    /// This server's name in its cluster.
    pub server_name: String,
    /// Log directives.
    pub log: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Where a line per call goes, if anywhere.
    pub access_log: Option<PathBuf>,
    /// What a failed call tells its caller.
    pub error_details: ErrorDetails,
    /// The largest request body that is accepted, in bytes.
    pub max_body_bytes: usize,
    /// How long calls in flight may take once the server was told to stop.
    pub shutdown_timeout: std::time::Duration,
    /// Whether lists include the server's own services and channels.
    pub return_internal_objects: bool,
    /// The password to give to the user `pubapi`.
    pub pubapi_password: Option<Secret>,
    /// The password to give to the user `admin.invoke`.
    pub admin_invoke_password: Option<Secret>,
}

/// Which operational database to use.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OdbLocation {
    /// `odb.sqlite3` in the data directory.
    Sqlite,
    /// A PostgreSQL database.
    Postgres(String),
}

impl fmt::Debug for OdbLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "postgres://…",
        })
    }
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The configuration file can't be read.
    #[error("can't read the configuration file {}", file.display())]
    Read {
        /// Its path.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The configuration file is not TOML, or has a key that is no setting.
    #[error("the configuration file {} is wrong in line {line}: {problem}", file.display())]
    Parse {
        /// Its path.
        file: PathBuf,
        /// Where, counted from 1.
        line: usize,
        /// Why; never the text of the line, which may be a secret's.
        problem: String,
    },
    /// A setting has a value that can't be used.
    #[error("{setting}: {problem}")]
    Invalid {
        /// The setting's name.
        setting: &'static str,
        /// What is wrong and what is allowed; never the value of a secret.
        problem: String,
    },
}

impl Config {
    /// Settings from the command line, the environment and the configuration file.
    ///
    /// Prints help or usage errors and ends the process where clap does.
    ///
    /// # Errors
    /// The file or one of the settings is wrong.
    pub fn from_arguments() -> Result<Self, ConfigError> {
        Self::from_options(Options::parse())
    }

    /// The settings that a server has when none is given, with its files in this directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            http: SocketAddr::from(([127, 0, 0, 1], 17010)),
            odb: OdbLocation::Sqlite,
            server_name: "server1".to_owned(),
            log: "info".to_owned(),
            log_format: LogFormat::default(),
            access_log: None,
            error_details: ErrorDetails::default(),
            max_body_bytes: 10 * 1024 * 1024,
            shutdown_timeout: std::time::Duration::from_secs(30),
            return_internal_objects: false,
            pubapi_password: None,
            admin_invoke_password: None,
        }
    }

    /// Merges flags and variables with the file that they name, or the one in the working directory.
    ///
    /// # Errors
    /// The file or one of the settings is wrong.
    pub fn from_options(options: Options) -> Result<Self, ConfigError> {
        let file = match &options.config {
            Some(path) => read(path)?,
            None if Path::new(DEFAULT_FILE).exists() => read(Path::new(DEFAULT_FILE))?,
            None => Options::default(),
        };
        let default = Self::new("zato-data");
        let config = Self {
            data_dir: options.data_dir.or(file.data_dir).unwrap_or(default.data_dir),
            http: options.http.or(file.http).unwrap_or(default.http),
            odb: odb(options.odb.or(file.odb))?,
            server_name: options.server_name.or(file.server_name).unwrap_or(default.server_name),
            log: options.log.or(file.log).unwrap_or(default.log),
            log_format: options.log_format.or(file.log_format).unwrap_or_default(),
            access_log: options.access_log.or(file.access_log),
            error_details: options.error_details.or(file.error_details).unwrap_or_default(),
            max_body_bytes: options.max_body_bytes.or(file.max_body_bytes).unwrap_or(default.max_body_bytes),
            shutdown_timeout: options
                .shutdown_timeout
                .or(file.shutdown_timeout)
                .map_or(default.shutdown_timeout, std::time::Duration::from_secs),
            return_internal_objects: options
                .return_internal_objects
                .or(file.return_internal_objects)
                .unwrap_or(default.return_internal_objects),
            pubapi_password: password("pubapi-password", options.pubapi_password.or(file.pubapi_password))?,
            admin_invoke_password: password(
                "admin-invoke-password",
                options.admin_invoke_password.or(file.admin_invoke_password),
            )?,
        };
        check_kvdb(options.kvdb.or(file.kvdb).as_deref())?;
        if config.server_name.trim().is_empty() {
            return Err(invalid("server-name", "must not be empty"));
        }
        Ok(config)
    }
}

fn read(file: &Path) -> Result<Options, ConfigError> {
    let text =
        fs::read_to_string(file).map_err(|source| ConfigError::Read { file: file.to_owned(), source })?;
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        ConfigError::Parse { file: file.to_owned(), line, problem: error.message().to_owned() }
    })
}

fn odb(setting: Option<String>) -> Result<OdbLocation, ConfigError> {
    match setting {
        None => Ok(OdbLocation::Sqlite),
        Some(name) if name == "sqlite" => Ok(OdbLocation::Sqlite),
        Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            Ok(OdbLocation::Postgres(url))
        }
        Some(_) => Err(invalid("odb", "must be `sqlite` or start with postgres://")),
    }
}

fn check_kvdb(setting: Option<&str>) -> Result<(), ConfigError> {
    match setting {
        None | Some("embedded") => Ok(()),
        Some(_) => Err(invalid("kvdb", "this version has the store `embedded` only")),
    }
}

fn password(setting: &'static str, value: Option<String>) -> Result<Option<Secret>, ConfigError> {
    match value {
        Some(value) if value.is_empty() => Err(invalid(setting, "must not be empty")),
        value => Ok(value.map(Secret::new)),
    }
}

fn invalid(setting: &'static str, problem: &str) -> ConfigError {
    ConfigError::Invalid { setting, problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arguments: &[&str], expected: &str) {
        let result = Options::try_parse_from(std::iter::once(&"zato-server").chain(arguments))
            .map_err(|error| error.to_string())
            .and_then(|options| Config::from_options(options).map_err(|error| error.to_string()));
        let text = match result {
            Ok(config) => format!("{config:?}"),
            Err(error) => error,
        };
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn flags_are_checked() {
        check(&[], "data_dir: \"zato-data\"");
        check(&["--http", "127.0.0.1:0"], "http: 127.0.0.1:0");
        check(&["--http", "somewhere"], "invalid value 'somewhere'");
        check(&["--odb", "mysql://x"], "odb: must be `sqlite` or start with postgres://");
        check(&["--kvdb", "redis://localhost"], "kvdb: this version has the store `embedded` only");
        check(&["--server-name", " "], "server-name: must not be empty");
        check(&["--pubapi-password", ""], "pubapi-password: must not be empty");
        check(&["--config", "/nowhere/at.all"], "can't read the configuration file /nowhere/at.all");
    }

    #[test]
    fn secrets_do_not_show() {
        let secret = "s3cr3t";
        for arguments in [
            ["--odb", "postgres://user:s3cr3t@localhost/zato"],
            ["--pubapi-password", secret],
            ["--admin-invoke-password", secret],
        ] {
            let options = Options::try_parse_from(std::iter::once("zato-server").chain(arguments)).unwrap();
            let shown = format!("{:?}", Config::from_options(options).unwrap());
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.toml");
        fs::write(&file, "server_name = \"from-file\"\nhttp = \"127.0.0.1:1\"\n").unwrap();
        let file = file.to_str().unwrap();
        check(&["--config", file], "server_name: \"from-file\"");
        check(&["--config", file, "--server-name", "from-flag"], "server_name: \"from-flag\"");
        check(&["--config", file, "--server-name", "from-flag"], "http: 127.0.0.1:1,");
    }

    #[test]
    fn the_file_takes_known_settings_only_and_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.toml");
        fs::write(&file, "# passwords\npubapi_pasword = \"s3cr3t\"\n").unwrap();
        let options = Options { config: Some(file), ..Options::default() };
        let error = Config::from_options(options).unwrap_err().to_string();
        assert!(error.contains("wrong in line 2: unknown field `pubapi_pasword`"), "{error}");
        assert!(!error.contains("s3cr3t"), "{error}");
    }
}
