//! The table of named connections.
//!
//! Owns looking connections up and replacing them while calls are under way. It does not know where the configuration
//! comes from.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::config::{Config, ConfigError, Environment};
use crate::connection::Connection;

/// All outgoing connections of a program, by name and by id.
///
/// A lookup neither locks nor allocates. A change publishes a new table: lookups after it see the new connection, calls
/// under way finish on the old one, whose unused TCP connections are closed at once.
///
/// ```
/// use zato_outgoing::{Config, Environment, Outgoing};
///
/// let outgoing = Outgoing::new(Environment::new("parallel/esb1/esb1.example.com/21358/main")?);
/// outgoing.replace(Config::new(1, "CRM", "https://crm.example.com", "/profiles"))?;
/// assert_eq!(outgoing.plain_http("CRM")?.id(), 1);
/// assert!(outgoing.soap("CRM").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Outgoing {
    environment: Environment,
    table: ArcSwap<Table>,
}

#[derive(Clone, Debug, Default)]
struct Table {
    by_id: HashMap<i64, Connection>,
    plain_http: HashMap<Arc<str>, Connection>,
    soap: HashMap<Arc<str>, Connection>,
}

/// A lookup that found nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutgoingError {
    /// There is no connection of this name.
    #[error("there is no outgoing {transport} connection named `{name}`")]
    UnknownConnection {
        /// What is spoken over the connections that were searched: `plain HTTP` or `SOAP`.
        transport: &'static str,
        /// The name.
        name: String,
    },
    /// There is no connection of this id.
    #[error("there is no outgoing connection with id {id}")]
    UnknownId {
        /// The id.
        id: i64,
    },
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("connections", &self.len()).finish_non_exhaustive()
    }
}

impl Outgoing {
    /// An empty table.
    pub fn new(environment: Environment) -> Self {
        Self { environment, table: ArcSwap::default() }
    }

    /// The component name that calls carry, which other kinds of connections may show as well.
    pub fn component(&self) -> &str {
        self.environment.headers.component().to_str().unwrap_or_default()
    }

    /// The plain HTTP connection of a name.
    ///
    /// # Errors
    ///
    /// [`OutgoingError::UnknownConnection`].
    pub fn plain_http(&self, name: &str) -> Result<Connection, OutgoingError> {
        let found = self.table.load().plain_http.get(name).cloned();
        found.ok_or_else(|| OutgoingError::UnknownConnection {
            transport: "plain HTTP",
            name: name.to_owned(),
        })
    }

    /// The SOAP connection of a name.
    ///
    /// # Errors
    ///
    /// [`OutgoingError::UnknownConnection`].
    pub fn soap(&self, name: &str) -> Result<Connection, OutgoingError> {
        let found = self.table.load().soap.get(name).cloned();
        found.ok_or_else(|| OutgoingError::UnknownConnection { transport: "SOAP", name: name.to_owned() })
    }

    /// The connection of an id, whatever its transport.
    ///
    /// # Errors
    ///
    /// [`OutgoingError::UnknownId`].
    pub fn by_id(&self, id: i64) -> Result<Connection, OutgoingError> {
        self.table.load().by_id.get(&id).cloned().ok_or(OutgoingError::UnknownId { id })
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.table.load().by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a connection, or replaces the one with its id, under whatever name that had.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]; the table is unchanged then.
    pub fn replace(&self, config: Config) -> Result<(), ConfigError> {
        let predecessor = self.by_id(config.id).ok();
        let connection = self.build(config, predecessor.as_ref())?;
        self.change(|table| {
            let replaced = table.remove(connection.id());
            table.insert(connection.clone());
            replaced
        });
        Ok(())
    }

    /// Removes a connection and says whether it was there.
    pub fn remove(&self, id: i64) -> bool {
        self.change(|table| table.remove(id))
    }

    /// Replaces all connections at once. Those which cannot be built as configured are left out and returned as errors, so
    /// that one of them does not keep the others from working.
    pub fn replace_all(&self, configs: impl IntoIterator<Item = Config>) -> Vec<ConfigError> {
        let mut table = Table::default();
        let mut errors = Vec::new();
        for config in configs {
            let predecessor = self.by_id(config.id).ok();
            match self.build(config, predecessor.as_ref()) {
                Ok(connection) => table.insert(connection),
                Err(error) => errors.push(error),
            }
        }
        let replaced = self.table.swap(Arc::new(table));
        replaced.by_id.values().for_each(Connection::retire);
        errors
    }

    /// All connections, in the order of their ids.
    pub fn connections(&self) -> Vec<Connection> {
        let mut connections: Vec<_> = self.table.load().by_id.values().cloned().collect();
        connections.sort_unstable_by_key(Connection::id);
        connections
    }

    fn build(&self, config: Config, predecessor: Option<&Connection>) -> Result<Connection, ConfigError> {
        match predecessor {
            Some(predecessor) => predecessor.successor(config, &self.environment),
            None => Connection::new(config, &self.environment),
        }
    }

    /// Publishes a changed copy of the table and ends the life of the connection which the change takes out. Two changes at
    /// once are put in order by trying the second one again.
    fn change(&self, change: impl Fn(&mut Table) -> Option<Connection>) -> bool {
        let mut removed = None;
        self.table.rcu(|table| {
            let mut table = Table::clone(table);
            removed = change(&mut table);
            table
        });
        if let Some(connection) = &removed {
            connection.retire();
        }
        removed.is_some()
    }
}

impl Table {
    fn names(&mut self, connection: &Connection) -> &mut HashMap<Arc<str>, Connection> {
        if connection.is_soap() { &mut self.soap } else { &mut self.plain_http }
    }

    fn insert(&mut self, connection: Connection) {
        self.names(&connection).insert(Arc::clone(connection.shared_name()), connection.clone());
        self.by_id.insert(connection.id(), connection);
    }

    fn remove(&mut self, id: i64) -> Option<Connection> {
        let connection = self.by_id.remove(&id)?;
        let names = self.names(&connection);
        // Another connection may have taken the name over.
        if names.get(connection.name()).is_some_and(|named| named.id() == id) {
            names.remove(connection.name());
        }
        Some(connection)
    }
}

#[cfg(test)]
mod tests {
    use zato_soap::Version;

    use super::*;
    use crate::config::Transport;

    fn outgoing() -> Outgoing {
        Outgoing::new(Environment::new("test").unwrap())
    }

    fn config(id: i64, name: &str) -> Config {
        Config::new(id, name, "http://localhost", "/")
    }

    fn soap(id: i64, name: &str) -> Config {
        let transport = Transport::Soap { version: Version::V11, action: String::new() };
        Config { transport, ..config(id, name) }
    }

    #[test]
    fn a_name_is_looked_up_within_its_transport() {
        let outgoing = outgoing();
        outgoing.replace(config(1, "a")).unwrap();
        outgoing.replace(soap(2, "a")).unwrap();
        assert_eq!(outgoing.plain_http("a").unwrap().id(), 1);
        assert_eq!(outgoing.soap("a").unwrap().id(), 2);
        assert_eq!(outgoing.by_id(2).unwrap().name(), "a");
        let error = outgoing.soap("b").unwrap_err();
        assert_eq!(error.to_string(), "there is no outgoing SOAP connection named `b`");
        assert_eq!(outgoing.by_id(3).unwrap_err(), OutgoingError::UnknownId { id: 3 });
    }

    #[test]
    fn a_renamed_connection_answers_under_its_new_name_only() {
        let outgoing = outgoing();
        outgoing.replace(config(1, "old")).unwrap();
        outgoing.replace(config(1, "new")).unwrap();
        assert!(outgoing.plain_http("old").is_err());
        assert!(outgoing.plain_http("new").is_ok());
        assert_eq!(outgoing.len(), 1);
    }

    #[test]
    fn names_that_change_hands_stay() {
        let outgoing = outgoing();
        outgoing.replace(config(1, "a")).unwrap();
        outgoing.replace(config(2, "a")).unwrap();
        assert!(outgoing.remove(1));
        assert_eq!(outgoing.plain_http("a").unwrap().id(), 2);
        assert!(!outgoing.remove(1));
    }

    #[test]
    fn an_invalid_connection_changes_nothing() {
        let outgoing = outgoing();
        outgoing.replace(config(1, "a")).unwrap();
        let error = outgoing.replace(Config { host: "nowhere".to_owned(), ..config(1, "b") }).unwrap_err();
        assert_eq!((error.connection(), error.field()), ("b", "host"));
        assert!(outgoing.plain_http("a").is_ok());
    }

    #[test]
    fn all_at_once() {
        let outgoing = outgoing();
        outgoing.replace(config(1, "a")).unwrap();
        let errors = outgoing.replace_all([config(2, "b"), Config { pool_size: 0, ..config(3, "c") }]);
        assert_eq!(errors.iter().map(ConfigError::field).collect::<Vec<_>>(), ["pool_size"]);
        assert!(outgoing.plain_http("a").is_err());
        assert!(outgoing.plain_http("b").is_ok());
        assert_eq!(outgoing.len(), 1);
        assert!(outgoing.replace_all([]).is_empty());
        assert!(outgoing.is_empty());
    }
}
