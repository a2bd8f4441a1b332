#![doc = include_str!("../README.md")]

#[cfg(feature = "background")]
mod lifecycle;
mod secret;
mod status;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;

#[cfg(feature = "background")]
pub use lifecycle::Lifecycle;
pub use secret::Secret;
pub use status::Status;

/// A connection that a table can hold. A clone is the same connection: it is made with every lookup, so it is to be a
/// shared pointer or as cheap as one.
pub trait Named: Clone + Send + Sync + 'static {
    /// What messages call such a connection, such as `outgoing SQL connection`.
    const KIND: &'static str;

    /// Its id, which stays when it is renamed.
    fn id(&self) -> i64;

    /// The name that services look it up by, unique in its table.
    fn name(&self) -> &str;

    /// Whether services may use it.
    fn is_active(&self) -> bool;

    /// Called once, when the connection was replaced or removed. Calls that hold a clone are still to end well; what
    /// nobody uses can be closed. It must not block.
    fn retire(&self) {}
}

/// A lookup that found nothing that may be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// There is no connection of this name.
    #[error("there is no {kind} named `{name}`")]
    UnknownName {
        /// The kind of connections that were searched.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// There is no connection of this id.
    #[error("there is no {kind} with id {id}")]
    UnknownId {
        /// The kind of connections that were searched.
        kind: &'static str,
        /// The id.
        id: i64,
    },
    /// The connection is there and was switched off.
    #[error("the {kind} `{name}` is inactive")]
    Inactive {
        /// The kind of connection.
        kind: &'static str,
        /// Its name.
        name: String,
    },
}

/// All connections of one kind, by name and by id. See the crate's documentation.
pub struct Connections<C> {
    table: ArcSwap<Table<C>>,
}

#[derive(Clone)]
struct Table<C> {
    by_id: HashMap<i64, C>,
    ids: HashMap<Arc<str>, i64>,
}

impl<C> Default for Table<C> {
    fn default() -> Self {
        Self { by_id: HashMap::new(), ids: HashMap::new() }
    }
}

impl<C: Named> Default for Connections<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Named> fmt::Debug for Connections<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("kind", &C::KIND).field("len", &self.len()).finish()
    }
}

impl<C: Named> Connections<C> {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self { table: ArcSwap::default() }
    }

    /// The active connection of a name.
    ///
    /// # Errors
    /// [`LookupError::UnknownName`], [`LookupError::Inactive`].
    pub fn get(&self, name: &str) -> Result<C, LookupError> {
        let table = self.table.load();
        let found = table.ids.get(name).and_then(|id| table.by_id.get(id));
        let Some(connection) = found else {
            return Err(LookupError::UnknownName { kind: C::KIND, name: name.to_owned() });
        };
        if !connection.is_active() {
            return Err(LookupError::Inactive { kind: C::KIND, name: name.to_owned() });
        }
        Ok(connection.clone())
    }

    /// The connection of an id, active or not.
    ///
    /// # Errors
    /// [`LookupError::UnknownId`].
    pub fn by_id(&self, id: i64) -> Result<C, LookupError> {
        self.table.load().by_id.get(&id).cloned().ok_or(LookupError::UnknownId { kind: C::KIND, id })
    }

    /// All connections, active or not, in the order of their ids.
    #[must_use]
    pub fn all(&self) -> Vec<C> {
        let mut connections: Vec<C> = self.table.load().by_id.values().cloned().collect();
        connections.sort_unstable_by_key(Named::id);
        connections
    }

    /// How many connections there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.load().by_id.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a connection, or replaces the one with its id, under whatever name that had.
    pub fn put(&self, connection: &C) {
        self.change(|table| {
            let replaced = table.remove(connection.id());
            table.insert(connection.clone());
            replaced
        });
    }

    /// Removes a connection and says whether it was there.
    pub fn remove(&self, id: i64) -> bool {
        self.change(|table| table.remove(id))
    }

    /// Replaces all connections at once.
    pub fn replace_all(&self, connections: impl IntoIterator<Item = C>) {
        let mut table = Table::default();
        for connection in connections {
            table.insert(connection);
        }
        self.table.swap(Arc::new(table)).by_id.values().for_each(Named::retire);
    }

    /// Publishes a changed copy of the table and retires the connection that the change takes out. Of two changes at the
    /// same time, the second one is made again on the result of the first.
    fn change(&self, change: impl Fn(&mut Table<C>) -> Option<C>) -> bool {
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

impl<C: Named> Table<C> {
    fn insert(&mut self, connection: C) {
        self.ids.insert(Arc::from(connection.name()), connection.id());
        self.by_id.insert(connection.id(), connection);
    }

    fn remove(&mut self, id: i64) -> Option<C> {
        let connection = self.by_id.remove(&id)?;
        // Another connection may have taken the name over.
        if self.ids.get(connection.name()) == Some(&id) {
            self.ids.remove(connection.name());
        }
        Some(connection)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    #[derive(Clone)]
    struct Line {
        id: i64,
        name: &'static str,
        is_active: bool,
        retired: Arc<AtomicUsize>,
    }

    impl Named for Line {
        const KIND: &'static str = "line";

        fn id(&self) -> i64 {
            self.id
        }

        fn name(&self) -> &str {
            self.name
        }

        fn is_active(&self) -> bool {
            self.is_active
        }

        fn retire(&self) {
            self.retired.fetch_add(1, SeqCst);
        }
    }

    fn line(id: i64, name: &'static str) -> Line {
        Line { id, name, is_active: true, retired: Arc::default() }
    }

    #[test]
    fn an_inactive_connection_is_found_by_its_id_only() {
        let lines = Connections::new();
        lines.put(&Line { is_active: false, ..line(1, "a") });
        let inactive = LookupError::Inactive { kind: "line", name: "a".to_owned() };
        assert_eq!(lines.get("a").map(|line| line.id), Err(inactive));
        assert_eq!(lines.by_id(1).map(|line| line.name), Ok("a"));
        assert_eq!(lines.by_id(2).map(|line| line.id), Err(LookupError::UnknownId { kind: "line", id: 2 }));
    }

    #[test]
    fn a_renamed_connection_answers_under_its_new_name_only() {
        let lines = Connections::new();
        let old = line(1, "old");
        lines.put(&old);
        lines.put(&line(1, "new"));
        assert!(lines.get("old").is_err());
        assert_eq!(lines.get("new").map(|line| line.id), Ok(1));
        assert_eq!((lines.len(), old.retired.load(SeqCst)), (1, 1));
    }

    #[test]
    fn a_name_that_changed_hands_stays() {
        let lines = Connections::new();
        lines.put(&line(1, "a"));
        lines.put(&line(2, "a"));
        assert!(lines.remove(1));
        assert_eq!(lines.get("a").map(|line| line.id), Ok(2));
        assert!(!lines.remove(1));
    }

    #[test]
    fn replacing_all_retires_every_old_one() {
        let lines = Connections::new();
        let old = [line(2, "b"), line(1, "a")];
        lines.replace_all(old.clone());
        assert_eq!(lines.all().iter().map(Named::id).collect::<Vec<_>>(), [1, 2]);
        lines.replace_all([line(3, "c")]);
        assert!(old.iter().all(|line| line.retired.load(SeqCst) == 1));
        assert!(lines.get("c").is_ok() && lines.get("a").is_err());
        lines.replace_all([]);
        assert!(lines.is_empty());
    }

    #[test]
    fn changes_at_the_same_time_are_all_kept() {
        let lines = Connections::new();
        std::thread::scope(|scope| {
            for start in 0..4 {
                let lines = &lines;
                scope.spawn(move || (0..50).for_each(|i| lines.put(&line(start * 50 + i, "same"))));
            }
        });
        assert_eq!(lines.len(), 200);
    }
}
