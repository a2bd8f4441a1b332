//! The further parameters of a definition: a list of `key=value`.
//!
//! Owns how the list is read and what the keys mean. It must not know what an engine makes of them.

use std::path::PathBuf;
use std::time::Duration;

/// In seconds: how long a statement waits for a connection of a pool that is in use entirely.
const POOL_TIMEOUT: u64 = 30;
/// In seconds: how long making a connection may take.
const CONNECT_TIMEOUT: u64 = 10;
/// In seconds: how long a statement may run.
const STATEMENT_TIMEOUT: u64 = 300;
/// How many prepared statements each connection keeps.
const STATEMENT_CACHE_CAPACITY: usize = 100;

/// The parameters that a definition can have besides its fields; see [`Extra::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extra {
    /// How long a statement waits for a connection of a pool that is in use entirely.
    pub pool_timeout: Duration,
    /// How old connections become. Each engine has a default of its own.
    pub pool_recycle: Option<Duration>,
    /// How many connections there may be beyond the pool's size.
    pub max_overflow: u32,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
    /// How long a statement may run, including all its rows.
    pub statement_timeout: Option<Duration>,
    /// How many prepared statements each connection keeps; 0 for databases behind a pooler that can't have any.
    pub statement_cache_capacity: usize,
    /// Whether statements are logged, without the values bound to them.
    pub echo: bool,
    /// When connections are encrypted, and what is checked of the server's certificate.
    pub ssl_mode: Option<SslMode>,
    /// A PEM file with the authorities that the server's certificate may be of, besides those of the operating system.
    pub ssl_ca: Option<PathBuf>,
    /// A PEM file with the certificate to show to the server.
    pub ssl_cert: Option<PathBuf>,
    /// A PEM file with the key of that certificate.
    pub ssl_key: Option<PathBuf>,
    /// A Unix domain socket to use instead of host and port: of PostgreSQL its folder, of MySQL its path.
    pub unix_socket: Option<PathBuf>,
    /// What PostgreSQL shows the connections as.
    pub application_name: Option<String>,
    /// The character set of MySQL connections.
    pub charset: Option<String>,
    /// The collation of MySQL connections.
    pub collation: Option<String>,
    /// How long SQLite waits for another writer.
    pub busy_timeout: Option<Duration>,
    /// Whether a SQLite file is only read, and has to exist.
    pub read_only: bool,
}

/// When connections are encrypted, and what is checked of the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SslMode {
    /// Never encrypted.
    Disable,
    /// Encrypted if the server can; nothing is checked. What engines do unless told.
    Prefer,
    /// Always encrypted; nothing is checked.
    Require,
    /// Always encrypted; the certificate must be of a known authority.
    VerifyCa,
    /// Always encrypted; the certificate must be of a known authority and for the server's name.
    VerifyFull,
}

/// What is wrong with the further parameters. The text of a value is never part of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtraError {
    /// An entry has no `=`, or several.
    #[error("entry {entry} of extra is not of the form key=value with exactly one equals sign")]
    NotKeyValue {
        /// The entry's number, from 1.
        entry: usize,
    },
    /// A key means nothing.
    #[error("extra has an unknown key `{key}`; known keys are {}", KEYS.join(", "))]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// A key is given twice.
    #[error("extra has the key `{key}` twice")]
    Repeated {
        /// The key.
        key: &'static str,
    },
    /// A value is none that its key can have.
    #[error("the value of `{key}` in extra must be {expected}")]
    Value {
        /// The key.
        key: &'static str,
        /// What it can be.
        expected: &'static str,
    },
}

/// All keys; a few have two names, because engines call the same thing differently.
const KEYS: &[&str] = &[
    "application_name",
    "busy_timeout",
    "charset",
    "collation",
    "connect_timeout",
    "echo",
    "max_overflow",
    "pool_recycle",
    "pool_timeout",
    "read_only",
    "ssl_ca",
    "ssl_cert",
    "ssl_key",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement_cache_capacity",
    "statement_timeout",
    "unix_socket",
];

impl Default for Extra {
    fn default() -> Self {
        Self {
            pool_timeout: Duration::from_secs(POOL_TIMEOUT),
            pool_recycle: None,
            max_overflow: 0,
            connect_timeout: Duration::from_secs(CONNECT_TIMEOUT),
            statement_timeout: Some(Duration::from_secs(STATEMENT_TIMEOUT)),
            statement_cache_capacity: STATEMENT_CACHE_CAPACITY,
            echo: false,
            ssl_mode: None,
            ssl_ca: None,
            ssl_cert: None,
            ssl_key: None,
            unix_socket: None,
            application_name: None,
            charset: None,
            collation: None,
            busy_timeout: None,
            read_only: false,
        }
    }
}

impl Extra {
    /// Reads the parameters of a definition: one `key=value` in a line, or several in a line with `;` between them.
    ///
    /// ```
    /// use zato_sql::Extra;
    ///
    /// let extra = Extra::parse("pool_timeout=5; sslmode=verify-full\nsslrootcert=/etc/ssl/db.pem")?;
    /// assert_eq!(extra.pool_timeout.as_secs(), 5);
    /// # Ok::<(), zato_sql::ExtraError>(())
    /// ```
    ///
    /// # Errors
    /// An entry is not of that form, or its key or value means nothing.
    pub fn parse(text: &str) -> Result<Self, ExtraError> {
        let mut extra = Self::default();
        let mut given = Vec::new();
        let entries = text.split(['\n', ';']).map(str::trim).filter(|entry| !entry.is_empty());
        for (index, entry) in entries.enumerate() {
            let pair = entry.split_once('=').filter(|(_, value)| !value.contains('='));
            let (key, value) = pair.ok_or(ExtraError::NotKeyValue { entry: index + 1 })?;
            let (key, value) = (key.trim(), value.trim());
            let Some(key) = KEYS.iter().copied().find(|known| known.eq_ignore_ascii_case(key)) else {
                return Err(ExtraError::UnknownKey { key: key.to_owned() });
            };
            let key = canonical(key);
            if given.contains(&key) {
                return Err(ExtraError::Repeated { key });
            }
            given.push(key);
            extra.set(key, value)?;
        }
        Ok(extra)
    }

    fn set(&mut self, key: &'static str, value: &str) -> Result<(), ExtraError> {
        match key {
            "application_name" => self.application_name = Some(text(key, value)?),
            "busy_timeout" => self.busy_timeout = Some(seconds(key, value)?),
            "charset" => self.charset = Some(text(key, value)?),
            "collation" => self.collation = Some(text(key, value)?),
            "connect_timeout" => self.connect_timeout = seconds(key, value)?,
            "echo" => self.echo = boolean(key, value)?,
            "max_overflow" => self.max_overflow = number(key, value)?,
            // Unlimited age is how SQLAlchemy spells its default.
            "pool_recycle" if value == "-1" => self.pool_recycle = Some(Duration::MAX),
            "pool_recycle" => self.pool_recycle = Some(seconds(key, value)?),
            "pool_timeout" => self.pool_timeout = seconds(key, value)?,
            "read_only" => self.read_only = boolean(key, value)?,
            "ssl_ca" => self.ssl_ca = Some(text(key, value)?.into()),
            "ssl_cert" => self.ssl_cert = Some(text(key, value)?.into()),
            "ssl_key" => self.ssl_key = Some(text(key, value)?.into()),
            "sslmode" => self.ssl_mode = Some(ssl_mode(key, value)?),
            "statement_cache_capacity" => self.statement_cache_capacity = number(key, value)?,
            "statement_timeout" => {
                self.statement_timeout = Some(seconds(key, value)?).filter(|limit| !limit.is_zero());
            }
            "unix_socket" => self.unix_socket = Some(text(key, value)?.into()),
            _ => return Err(ExtraError::UnknownKey { key: key.to_owned() }),
        }
        Ok(())
    }
}

/// The one name of a key that PostgreSQL and MySQL call differently.
fn canonical(key: &'static str) -> &'static str {
    match key {
        "sslrootcert" => "ssl_ca",
        "sslcert" => "ssl_cert",
        "sslkey" => "ssl_key",
        other => other,
    }
}

fn text(key: &'static str, value: &str) -> Result<String, ExtraError> {
    // A zero byte ends texts in the protocols, and a path can't have one.
    if value.is_empty() || value.contains('\0') {
        return Err(ExtraError::Value { key, expected: "a text that is not empty" });
    }
    Ok(value.to_owned())
}

fn number<N: std::str::FromStr>(key: &'static str, value: &str) -> Result<N, ExtraError> {
    value.parse().map_err(|_| ExtraError::Value { key, expected: "a number, 0 or more" })
}

fn seconds(key: &'static str, value: &str) -> Result<Duration, ExtraError> {
    let seconds: f64 =
        value.parse().map_err(|_| ExtraError::Value { key, expected: "a number of seconds, 0 or more" })?;
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| ExtraError::Value { key, expected: "a number of seconds, 0 or more" })
}

fn boolean(key: &'static str, value: &str) -> Result<bool, ExtraError> {
    match &*value.to_ascii_lowercase() {
        "true" | "yes" | "on" | "t" | "y" | "1" => Ok(true),
        "false" | "no" | "off" | "f" | "n" | "0" => Ok(false),
        _ => Err(ExtraError::Value { key, expected: "true or false" }),
    }
}

fn ssl_mode(key: &'static str, value: &str) -> Result<SslMode, ExtraError> {
    match &*value.to_ascii_lowercase().replace('_', "-") {
        "disable" | "disabled" => Ok(SslMode::Disable),
        "allow" | "prefer" | "preferred" => Ok(SslMode::Prefer),
        "require" | "required" => Ok(SslMode::Require),
        "verify-ca" => Ok(SslMode::VerifyCa),
        "verify-full" | "verify-identity" => Ok(SslMode::VerifyFull),
        _ => Err(ExtraError::Value { key, expected: "disable, prefer, require, verify-ca or verify-full" }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, change: impl FnOnce(&mut Extra)) {
        let mut expected = Extra::default();
        change(&mut expected);
        assert_eq!(Extra::parse(text), Ok(expected), "{text:?}");
    }

    #[track_caller]
    fn refused(text: &str, message: &str) {
        let error = Extra::parse(text).unwrap_err().to_string();
        assert!(error.contains(message), "{text:?}: {error}");
    }

    #[test]
    fn lines_and_semicolons() {
        check("", |_| {});
        check(" ;\n\r\n; ", |_| {});
        check("echo=true", |extra| extra.echo = true);
        check("pool_timeout = 2.5 ;\r\nmax_overflow=3", |extra| {
            extra.pool_timeout = Duration::from_millis(2500);
            extra.max_overflow = 3;
        });
        check("SSLMode=VERIFY_IDENTITY\nsslrootcert=/ca.pem", |extra| {
            extra.ssl_mode = Some(SslMode::VerifyFull);
            extra.ssl_ca = Some("/ca.pem".into());
        });
        check("statement_timeout=0;pool_recycle=-1", |extra| {
            extra.statement_timeout = None;
            extra.pool_recycle = Some(Duration::MAX);
        });
    }

    #[test]
    fn every_key_is_read() {
        for key in KEYS {
            let taken = ["1", "prefer"].iter().any(|value| Extra::parse(&format!("{key}={value}")).is_ok());
            assert!(taken, "{key}");
        }
    }

    #[test]
    fn what_is_refused() {
        refused("echo=true\npool_size", "entry 2 of extra");
        refused("options=-c search_path=x", "exactly one equals sign");
        refused("encoding=utf-8", "unknown key `encoding`");
        refused("ssl_ca=/a;sslrootcert=/b", "`ssl_ca` in extra twice".replace(" in extra", "").as_str());
        refused("echo=perhaps", "the value of `echo` in extra must be true or false");
        refused("pool_timeout=-1", "a number of seconds");
        refused("pool_timeout=NaN", "a number of seconds");
        refused("max_overflow=-1", "a number, 0 or more");
        refused("charset=", "a text that is not empty");
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".{0,200}") {
            let _ = Extra::parse(&text);
        }

        #[test]
        fn errors_do_not_tell_values(key in "[a-z_]{1,12}", value in "[0-9]{12,20}x") {
            if let Err(error) = Extra::parse(&format!("{key}={value}=1")) {
                prop_assert!(!error.to_string().contains(&value));
            }
            if let Err(error) = Extra::parse(&format!("pool_timeout={value}")) {
                prop_assert!(!error.to_string().contains(&value));
            }
        }
    }
}
