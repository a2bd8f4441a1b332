//! The effect of outgoing connections that stand for themselves: each object becomes one entry of a table.
//!
//! Owns keeping a table of named connections as the database has it. It must not know what is spoken over them.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use zato_connections::{Connections, Named};
use zato_odb::model::Everything;
use zato_odb::{Object, ObjectKind};
use zato_service::{Environment, Error, Outgoing};

use super::{Cluster, Effect, logged};

/// Keeps the connections that are made of objects of one type.
pub(super) struct Table<T, C> {
    pub(super) environment: Environment,
    /// The kind of the objects.
    pub(super) kinds: &'static [ObjectKind],
    /// Where the connections are looked up.
    pub(super) table: fn(&Outgoing) -> &Connections<C>,
    /// Makes a connection of an object.
    pub(super) make: fn(&Outgoing, &T) -> Result<C, Error>,
}

impl<T, C> Table<T, C>
where
    T: Object<Filter = Everything>,
    C: Named,
{
    fn make(&self, object: &T) -> Option<C> {
        logged(object, (self.make)(self.environment.outgoing(), object))
    }

    async fn put(&self, stored: &Cluster, id: i64) -> Result<(), Error> {
        let table = (self.table)(self.environment.outgoing());
        let object = stored.find::<T>(id).await?;
        match object.and_then(|object| self.make(&object)) {
            Some(connection) => table.put(&connection),
            // It is gone, or can't be in effect as it is stored now.
            None => drop(table.remove(id)),
        }
        Ok(())
    }
}

impl<T, C> Effect for Table<T, C>
where
    T: Object<Filter = Everything>,
    C: Named,
{
    fn kinds(&self) -> &'static [ObjectKind] {
        self.kinds
    }

    fn load_all<'a>(&'a self, stored: &'a Cluster) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let objects = stored.list::<T>(&Everything).await?;
            let connections = objects.iter().filter_map(|object| self.make(object));
            (self.table)(self.environment.outgoing()).replace_all(connections);
            Ok(())
        }
        .boxed()
    }

    fn apply<'a>(&'a self, stored: &'a Cluster, _: ObjectKind, id: i64) -> BoxFuture<'a, Result<(), Error>> {
        self.put(stored, id).boxed()
    }
}
