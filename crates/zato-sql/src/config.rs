//! What a pool is made of.
//!
//! Owns the definition of one named connection and the checks that need no database. It must not know where
//! definitions are stored.

use zato_connections::Secret;

use crate::{Engine, Extra};

/// The definition of an outgoing SQL connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Its id, which stays when it is renamed.
    pub id: i64,
    /// The name that services look it up by.
    pub name: String,
    /// Whether services may use it.
    pub is_active: bool,
    /// The database's kind.
    pub engine: Engine,
    /// Where the database listens. SQLite has none.
    pub host: String,
    /// The port of that host. SQLite has none.
    pub port: u16,
    /// The database; of SQLite its file, which is made if it is not there.
    pub database: String,
    /// Who logs in. SQLite has no users.
    pub username: String,
    /// With which password.
    pub password: Option<Secret>,
    /// How many connections are kept and used at the same time. With 0 each statement has a connection of its own.
    pub pool_size: u32,
    /// The further parameters.
    pub extra: Extra,
    /// What the database shows the connections as, unless the further parameters say something else.
    pub application_name: Option<String>,
}

impl Config {
    /// An active connection with everything left open but these. A pool of it has one connection.
    #[must_use]
    pub fn new(id: i64, name: impl Into<String>, engine: Engine, database: impl Into<String>) -> Self {
        let port = match engine {
            Engine::PostgreSql => 5432,
            Engine::MySql => 3306,
            Engine::Sqlite => 0,
        };
        Self {
            id,
            name: name.into(),
            is_active: true,
            engine,
            host: "localhost".to_owned(),
            port,
            database: database.into(),
            username: String::new(),
            password: None,
            pool_size: 1,
            extra: Extra::default(),
            application_name: None,
        }
    }
}

/// What keeps a pool from being made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A field is empty, or has a character that none may have.
    #[error("{field} of the outgoing SQL connection `{connection}` must not be empty or have a zero byte")]
    Field {
        /// The connection.
        connection: String,
        /// The field.
        field: &'static str,
    },
    /// A pool is larger than any database would let it be.
    #[error(
        "the pool of the outgoing SQL connection `{connection}` can't have more than {limit} connections"
    )]
    PoolSize {
        /// The connection.
        connection: String,
        /// How many it can have.
        limit: u32,
    },
}

/// How many connections a pool can have; databases have far lower limits.
const POOL_LIMIT: u32 = 10_000;

impl Config {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let mut texts = vec![("name", &self.name), ("db_name", &self.database)];
        if self.engine != Engine::Sqlite {
            texts.extend([("host", &self.host), ("username", &self.username)]);
        }
        let optional = [
            ("password", self.password.as_ref().map(Secret::expose)),
            ("application name", self.application_name.as_deref()),
        ];
        let has_zero = optional.iter().find(|(_, text)| text.is_some_and(|text| text.contains('\0')));
        if let Some((field, _)) = has_zero {
            return Err(ConfigError::Field { connection: self.name.clone(), field });
        }
        if let Some((field, _)) = texts.iter().find(|(_, text)| text.is_empty() || text.contains('\0')) {
            return Err(ConfigError::Field { connection: self.name.clone(), field });
        }
        if self.pool_size.saturating_add(self.extra.max_overflow) > POOL_LIMIT {
            return Err(ConfigError::PoolSize { connection: self.name.clone(), limit: POOL_LIMIT });
        }
        Ok(())
    }
}
