//! Reading objects, alike outside and inside of a transaction.
//!
//! Owns the finders. It must not write.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::entity::{cluster, http_soap, server};
use crate::error::OdbError;
use crate::model::{Cluster, HttpSoap, ObjectKind, Server};
use crate::secret::SecretKey;
use crate::stored::{Row, Selects, Stored};

/// An object of a cluster that is stored in a table of its own. Only types of [`model`](crate::model) are.
pub trait Object: Stored {
    /// What lists of these objects can be narrowed down by. Its default lists everything.
    type Filter: Selects + Default + Send + Sync;

    /// What kind of object it is, in events and errors.
    const KIND: ObjectKind;

    /// Its id; without meaning until it is stored.
    fn id(&self) -> i64;

    /// The cluster it belongs to. A cluster belongs to itself.
    fn cluster_id(&self) -> i64;

    /// Its name.
    fn name(&self) -> &str;
}

/// Objects whose name alone is unique in a cluster.
pub trait NamedPerCluster: Object {}

/// Something that statements can be run on.
pub trait Connected: Sync {
    /// A pool or a transaction.
    type Connection: ConnectionTrait;

    /// Where reading statements are run.
    fn connection(&self) -> &Self::Connection;

    /// What secrets are decrypted with.
    fn secret_key(&self) -> &SecretKey;
}

/// The finders of [`Odb`](crate::Odb), which see what is committed, and of [`Transaction`](crate::Transaction), which see
/// its own changes as well.
///
/// All of them fail with [`OdbError::Unavailable`] if the database is away, and with [`OdbError::Secret`] or
/// [`OdbError::Unreadable`] if what is stored cannot be understood.
pub trait Read: Connected {
    /// The object with an id.
    fn find<T: Object>(&self, id: i64) -> impl Future<Output = Result<Option<T>, OdbError>> + Send {
        one(self, T::ID.eq(id).into())
    }

    /// The object with a name.
    fn find_by_name<T: NamedPerCluster>(
        &self,
        cluster_id: i64,
        name: &str,
    ) -> impl Future<Output = Result<Option<T>, OdbError>> + Send {
        one(self, Condition::all().add(T::CLUSTER_ID.eq(cluster_id)).add(is_text(T::NAME, name)))
    }

    /// The object whose name an object has: the one that makes storing it fail with [`Unique::Name`](crate::Unique), or
    /// the object itself if it is stored already.
    fn find_namesake<T: Object>(
        &self,
        object: &T,
    ) -> impl Future<Output = Result<Option<T>, OdbError>> + Send {
        let condition = object
            .name_scope()
            .add(T::CLUSTER_ID.eq(object.cluster_id()))
            .add(is_text(T::NAME, object.name()));
        one(self, condition)
    }

    /// The names of the objects with these ids. Those that are not stored are left out.
    fn names<T: Object>(
        &self,
        ids: BTreeSet<i64>,
    ) -> impl Future<Output = Result<HashMap<i64, String>, OdbError>> + Send {
        names::<Self, T>(self, ids)
    }

    /// The objects of a cluster that pass a filter, sorted by name, byte by byte.
    fn list<T: Object>(
        &self,
        cluster_id: i64,
        filter: &T::Filter,
    ) -> impl Future<Output = Result<Vec<T>, OdbError>> + Send {
        all(self, filter.condition().add(T::CLUSTER_ID.eq(cluster_id)))
    }

    /// Every cluster, sorted by name.
    fn clusters(&self) -> impl Future<Output = Result<Vec<Cluster>, OdbError>> + Send {
        all(self, Condition::all())
    }

    /// The cluster with a name.
    fn find_cluster(&self, name: &str) -> impl Future<Output = Result<Option<Cluster>, OdbError>> + Send {
        one(self, is_text(cluster::Column::Name, name).into())
    }

    /// The server with a token, by which a starting server finds itself.
    fn find_server_by_token(
        &self,
        token: &str,
    ) -> impl Future<Output = Result<Option<Server>, OdbError>> + Send {
        one(self, is_text(server::Column::Token, token).into())
    }

    /// The channel or outgoing connection whose address an object has: the one that makes storing it fail with
    /// [`Unique::Address`](crate::Unique), or the object itself if it is stored already.
    fn find_http_soap_at(
        &self,
        object: &HttpSoap,
    ) -> impl Future<Output = Result<Option<HttpSoap>, OdbError>> + Send {
        use http_soap::Column;
        let condition = Condition::all()
            .add(Column::ClusterId.eq(object.cluster_id))
            .add(is_text(Column::UrlPath, &object.url_path))
            .add(is_text(Column::Host, &object.host))
            .add(Column::Connection.eq(object.connection.as_str()))
            .add(is_text(Column::SoapAction, &object.soap_action));
        one(self, condition)
    }
}

impl<C: Connected> Read for C {}

/// That a column holds a text. No column holds one with the character U+0000, which PostgreSQL would refuse to look for.
fn is_text(column: impl ColumnTrait, text: &str) -> Expr {
    column.is_in((!text.contains('\0')).then_some(text))
}

async fn one<C: Connected + ?Sized, T: Stored>(
    source: &C,
    condition: Condition,
) -> Result<Option<T>, OdbError> {
    let row =
        T::Entity::find().filter(condition).one(source.connection()).await.map_err(OdbError::from_read)?;
    row.map(|row| T::from_row(row, source.secret_key())).transpose()
}

async fn all<C: Connected + ?Sized, T: Stored>(source: &C, condition: Condition) -> Result<Vec<T>, OdbError> {
    let rows: Vec<Row<T>> = T::Entity::find()
        .filter(condition)
        .order_by_asc(T::NAME)
        .order_by_asc(T::ID)
        .all(source.connection())
        .await
        .map_err(OdbError::from_read)?;
    rows.into_iter().map(|row| T::from_row(row, source.secret_key())).collect()
}

/// How many ids one statement asks for, well within what both databases take.
const IDS_AT_ONCE: usize = 500;

async fn names<C: Connected + ?Sized, T: Stored>(
    source: &C,
    ids: BTreeSet<i64>,
) -> Result<HashMap<i64, String>, OdbError> {
    let ids: Vec<i64> = ids.into_iter().collect();
    let mut names = HashMap::with_capacity(ids.len());
    for some in ids.chunks(IDS_AT_ONCE) {
        let rows: Vec<(i64, String)> = T::Entity::find()
            .select_only()
            .column(T::ID)
            .column(T::NAME)
            .filter(T::ID.is_in(some.iter().copied()))
            .into_tuple()
            .all(source.connection())
            .await
            .map_err(OdbError::from_read)?;
        names.extend(rows);
    }
    Ok(names)
}
