//! Which databases a pool can speak to, and the names they have in stored definitions.
//!
//! Owns those names. It must not know how a database is spoken to.

use std::fmt;
use std::str::FromStr;

/// A database that a pool can speak to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Engine {
    /// PostgreSQL, and what speaks its protocol.
    PostgreSql,
    /// MySQL and MariaDB.
    MySql,
    /// SQLite: a file of this machine.
    Sqlite,
}

/// The engine of a definition is none that a pool can speak to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the SQL engine `{0}` is not supported; supported are postgresql, mysql and sqlite, each also with the name of a driver, such as postgresql+pg8000 and mysql+pymysql"
)]
pub struct UnsupportedEngine(pub String);

impl Engine {
    /// The engine's name in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PostgreSql => "postgresql",
            Self::MySql => "mysql",
            Self::Sqlite => "sqlite",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Engine {
    type Err = UnsupportedEngine;

    /// Reads the name of an engine. What follows a `+` names a driver of the definition's author, which makes no
    /// difference to the protocol.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let engine = name.trim().to_ascii_lowercase();
        match engine.split('+').next() {
            Some("postgresql" | "postgres") => Ok(Self::PostgreSql),
            Some("mysql" | "mariadb") => Ok(Self::MySql),
            Some("sqlite") => Ok(Self::Sqlite),
            _ => Err(UnsupportedEngine(name.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<Engine>) {
        assert_eq!(name.parse().ok(), expected, "{name}");
    }

    #[test]
    fn names_of_all_versions() {
        check("postgresql", Some(Engine::PostgreSql));
        check("postgresql+pg8000", Some(Engine::PostgreSql));
        check("mysql", Some(Engine::MySql));
        check("mysql+pymysql", Some(Engine::MySql));
        check("mariadb", Some(Engine::MySql));
        check(" SQLite ", Some(Engine::Sqlite));
        for name in ["oracle", "mssql", "db2", "access", "firebird", "informix", "", "+pg8000", "postgresql2"]
        {
            check(name, None);
        }
        let error = "oracle".parse::<Engine>().unwrap_err().to_string();
        assert!(error.contains("`oracle`") && error.contains("postgresql, mysql and sqlite"), "{error}");
    }
}
