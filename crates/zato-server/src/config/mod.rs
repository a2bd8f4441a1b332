//! The server's settings: flags, environment variables and the configuration file, merged in that order.
//!
//! Owns names, defaults and checks of the settings. It must not know what is done with them.

mod options;

use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Parser;
use zato_channel::TrustedProxies;
use zato_kvdb::RedisLocation;
use zato_odb::Secret;

pub use options::{ErrorDetails, LogFormat, Options};

/// The file that is read when no other is named, if it exists.
const DEFAULT_FILE: &str = "zato-server.toml";

/// The settings of a server, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the server keeps its files.
    pub data_dir: PathBuf,
    /// The address to listen at.
    pub http: SocketAddr,
    /// Where and how to listen for TLS connections, if at all.
    pub tls: Option<TlsConfig>,
    /// The operational database.
    pub odb: OdbLocation,
    /// The key/value store.
    pub kvdb: KvdbLocation,
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
    /// Whose word about the addresses of callers counts.
    pub trusted_proxies: TrustedProxies,
    /// How long calls in flight may take once the server was told to stop.
    pub shutdown_timeout: std::time::Duration,
    /// Whether lists include the server's own services and channels.
    pub return_internal_objects: bool,
    /// Whether the services of the server itself can be deleted.
    pub internal_services_may_be_deleted: bool,
    /// The password to give to the user `pubapi`.
    pub pubapi_password: Option<Secret>,
    /// The password to give to the user `admin.invoke`.
    pub admin_invoke_password: Option<Secret>,
}

/// Where TLS connections are accepted, and the files of its certificates, all in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The address to listen at.
    pub address: SocketAddr,
    /// The server's certificate, followed by those that lead to its authority.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
    /// The authorities of clients' certificates. Without it clients are not asked for one.
    pub client_authorities: Option<PathBuf>,
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

/// Which key/value store to use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum KvdbLocation {
    /// `kvdb.redb` in the data directory.
    Embedded,
    /// A Redis server.
    Redis(RedisLocation),
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
            tls: None,
            odb: OdbLocation::Sqlite,
            kvdb: KvdbLocation::Embedded,
            server_name: "server1".to_owned(),
            log: "info".to_owned(),
            log_format: LogFormat::default(),
            access_log: None,
            error_details: ErrorDetails::default(),
            max_body_bytes: 10 * 1024 * 1024,
            trusted_proxies: TrustedProxies::default(),
            shutdown_timeout: std::time::Duration::from_secs(30),
            return_internal_objects: false,
            internal_services_may_be_deleted: false,
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
            tls: tls(
                options.https.or(file.https),
                options.tls_certificate.or(file.tls_certificate),
                options.tls_key.or(file.tls_key),
                options.tls_client_ca.or(file.tls_client_ca),
            )?,
            odb: odb(options.odb.or(file.odb))?,
            kvdb: kvdb(options.kvdb.or(file.kvdb).as_deref())?,
            server_name: options.server_name.or(file.server_name).unwrap_or(default.server_name),
            log: options.log.or(file.log).unwrap_or(default.log),
            log_format: options.log_format.or(file.log_format).unwrap_or_default(),
            access_log: options.access_log.or(file.access_log),
            error_details: options.error_details.or(file.error_details).unwrap_or_default(),
            max_body_bytes: options.max_body_bytes.or(file.max_body_bytes).unwrap_or(default.max_body_bytes),
            trusted_proxies: TrustedProxies::new(
                options.trusted_proxies.or(file.trusted_proxies).unwrap_or_default(),
            )
            .map_err(|error| invalid("trusted-proxies", &error.to_string()))?,
            shutdown_timeout: options
                .shutdown_timeout
                .or(file.shutdown_timeout)
                .map_or(default.shutdown_timeout, std::time::Duration::from_secs),
            return_internal_objects: options
                .return_internal_objects
                .or(file.return_internal_objects)
                .unwrap_or(default.return_internal_objects),
            internal_services_may_be_deleted: options
                .internal_services_may_be_deleted
                .or(file.internal_services_may_be_deleted)
                .unwrap_or(default.internal_services_may_be_deleted),
            pubapi_password: password("pubapi-password", options.pubapi_password.or(file.pubapi_password))?,
            admin_invoke_password: password(
                "admin-invoke-password",
                options.admin_invoke_password.or(file.admin_invoke_password),
            )?,
        };
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

fn tls(
    address: Option<SocketAddr>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    client_authorities: Option<PathBuf>,
) -> Result<Option<TlsConfig>, ConfigError> {
    let Some(address) = address else {
        let without_use =
            [("tls-certificate", &certificate), ("tls-key", &key), ("tls-client-ca", &client_authorities)];
        return match without_use.into_iter().find(|(_, file)| file.is_some()) {
            Some((setting, _)) => Err(invalid(setting, "has no use without --https ADDRESS:PORT")),
            None => Ok(None),
        };
    };
    let certificate = certificate.ok_or_else(|| invalid("tls-certificate", "--https needs this file"))?;
    let key = key.ok_or_else(|| invalid("tls-key", "--https needs this file"))?;
    Ok(Some(TlsConfig { address, certificate, key, client_authorities }))
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

fn kvdb(setting: Option<&str>) -> Result<KvdbLocation, ConfigError> {
    match setting {
        None | Some("embedded") => Ok(KvdbLocation::Embedded),
        Some(url) => RedisLocation::parse(url)
            .map(KvdbLocation::Redis)
            .map_err(|error| invalid("kvdb", &format!("{error}; without Redis it is `embedded`"))),
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
        check(&["--https", "127.0.0.1:0"], "tls-certificate: --https needs this file");
        check(&["--https", "127.0.0.1:0", "--tls-certificate", "a"], "tls-key: --https needs this file");
        check(&["--tls-key", "a"], "tls-key: has no use without --https ADDRESS:PORT");
        let tls = ["--https", "127.0.0.1:0", "--tls-certificate", "a", "--tls-key", "b"];
        check(&tls, "tls: Some(TlsConfig { address: 127.0.0.1:0, certificate: \"a\", key: \"b\"");
        check(&["--odb", "mysql://x"], "odb: must be `sqlite` or start with postgres://");
        check(&["--kvdb", "redis://localhost/2"], "kvdb: Redis(redis://localhost:6379/2)");
        check(&["--kvdb", "memcached://localhost"], "kvdb: must be like redis://");
        check(
            &["--trusted-proxies", "10.0.0.0/8,::1"],
            "trusted_proxies: TrustedProxies([10.0.0.0/8, ::1/128])",
        );
        check(&["--trusted-proxies", "proxy"], "trusted-proxies: `proxy` is no address such as");
        check(&["--server-name", " "], "server-name: must not be empty");
        check(&["--pubapi-password", ""], "pubapi-password: must not be empty");
        check(&["--config", "/nowhere/at.all"], "can't read the configuration file /nowhere/at.all");
    }

    #[test]
    fn secrets_do_not_show() {
        let secret = "s3cr3t";
        for arguments in [
            ["--odb", "postgres://user:s3cr3t@localhost/zato"],
            ["--kvdb", "redis://:s3cr3t@localhost/0"],
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
