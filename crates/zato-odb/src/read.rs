//! Reading objects, alike outside and inside of a transaction.
//!
//! Owns the finders. It must not write.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
};

use crate::error::OdbError;
use crate::fold::contains;
use crate::model::http_soap::http_soap;
use crate::model::platform::{cluster, server};
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

    /// Its name, empty if objects of this kind have none.
    fn name(&self) -> &str;
}

/// Objects whose name alone is unique in a cluster.
pub trait NamedPerCluster: Object {}

/// Which part of a list to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// How many objects to leave out at the beginning.
    pub offset: u64,
    /// How many objects to read at most.
    pub limit: u64,
    /// Words, separated by white space, that all have to be in the name. Upper and lower case are the same. Names of objects
    /// without a name contain no word.
    pub name_contains: Option<String>,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The objects of this part, in the order of the list.
    pub items: Vec<T>,
    /// How many objects the whole list has.
    pub total: u64,
}

/// Something that statements can be run on.
pub trait Connected: Sync {
    /// A pool or a transaction.
    type Connection: ConnectionTrait;

    /// Where reading statements are run.
    fn connection(&self) -> &Self::Connection;

    /// What secrets are decrypted with.
    fn secret_key(&self) -> &SecretKey;

    /// Which of the two databases runs them.
    fn backend(&self) -> DbBackend {
        self.connection().get_database_backend()
    }
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
        one(self, of_cluster::<T>(cluster_id).add(is_named::<T>(name)))
    }

    /// The object whose name an object has: the one that makes storing it fail with [`Unique::Name`](crate::Unique), or
    /// the object itself if it is stored already.
    fn find_namesake<T: Object>(
        &self,
        object: &T,
    ) -> impl Future<Output = Result<Option<T>, OdbError>> + Send {
        let condition =
            object.name_scope().add(T::CLUSTER_ID.eq(object.cluster_id())).add(is_named::<T>(object.name()));
        one(self, condition)
    }

    /// The names of the objects with these ids. Those that are not stored or have none are left out.
    fn names<T: Object>(
        &self,
        ids: BTreeSet<i64>,
    ) -> impl Future<Output = Result<HashMap<i64, String>, OdbError>> + Send {
        names::<Self, T>(self, ids)
    }

    /// The objects of a cluster that pass a filter, sorted by name, byte by byte. Objects without a name are sorted by
    /// their ids.
    fn list<T: Object>(
        &self,
        cluster_id: i64,
        filter: &T::Filter,
    ) -> impl Future<Output = Result<Vec<T>, OdbError>> + Send {
        all(self, of_cluster::<T>(cluster_id).add(filter.condition(self.backend())))
    }

    /// A part of [`list`](Self::list), and how many objects the whole list has.
    fn page<T: Object>(
        &self,
        cluster_id: i64,
        filter: &T::Filter,
        request: &PageRequest,
    ) -> impl Future<Output = Result<Page<T>, OdbError>> + Send {
        let condition = of_cluster::<T>(cluster_id).add(filter.condition(self.backend()));
        let condition = named_by::<T>(self.backend(), condition, request.name_contains.as_deref());
        let (offset, limit) = (request.offset, request.limit);
        async move {
            let total = how_many::<_, T>(self, condition.clone()).await?;
            let rows = sorted::<T>(condition).offset(offset).limit(limit);
            Ok(Page { items: objects(self, rows).await?, total })
        }
    }

    /// At most `limit` of the objects of a cluster that pass a filter and have all of some words in their names, as in
    /// [`page`](Self::page), from the one after the name and id `last` on. Reading a list this way neither repeats nor leaves out an object,
    /// whatever is created or deleted in the meantime.
    fn following<T: Object>(
        &self,
        cluster_id: i64,
        filter: &T::Filter,
        name_contains: Option<&str>,
        last: Option<(&str, i64)>,
        limit: u64,
    ) -> impl Future<Output = Result<Vec<T>, OdbError>> + Send {
        let condition = of_cluster::<T>(cluster_id).add(filter.condition(self.backend()));
        let condition = named_by::<T>(self.backend(), condition, name_contains);
        let condition = condition.add_option(last.map(is_after::<T>));
        async move { objects(self, sorted::<T>(condition).limit(limit)).await }
    }

    /// How many objects of a cluster pass a filter.
    fn count<T: Object>(
        &self,
        cluster_id: i64,
        filter: &T::Filter,
    ) -> impl Future<Output = Result<u64, OdbError>> + Send {
        how_many::<_, T>(self, of_cluster::<T>(cluster_id).add(filter.condition(self.backend())))
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
pub(crate) fn is_text(column: impl ColumnTrait, text: &str) -> Expr {
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
    objects(source, sorted::<T>(condition)).await
}

async fn objects<C: Connected + ?Sized, T: Stored>(
    source: &C,
    rows: Select<T::Entity>,
) -> Result<Vec<T>, OdbError> {
    let rows: Vec<Row<T>> = rows.all(source.connection()).await.map_err(OdbError::from_read)?;
    rows.into_iter().map(|row| T::from_row(row, source.secret_key())).collect()
}

/// How many ids one statement asks for, well within what both databases take.
const IDS_AT_ONCE: usize = 500;

async fn names<C: Connected + ?Sized, T: Stored>(
    source: &C,
    ids: BTreeSet<i64>,
) -> Result<HashMap<i64, String>, OdbError> {
    let Some(name) = T::NAME else { return Ok(HashMap::new()) };
    let ids: Vec<i64> = ids.into_iter().collect();
    let mut names = HashMap::with_capacity(ids.len());
    for some in ids.chunks(IDS_AT_ONCE) {
        let rows: Vec<(i64, String)> = T::Entity::find()
            .select_only()
            .column(T::ID)
            .column(name)
            .filter(T::ID.is_in(some.iter().copied()))
            .into_tuple()
            .all(source.connection())
            .await
            .map_err(OdbError::from_read)?;
        names.extend(rows);
    }
    Ok(names)
}

async fn how_many<C: Connected + ?Sized, T: Stored>(
    source: &C,
    condition: Condition,
) -> Result<u64, OdbError> {
    let count = T::Entity::find().select_only().column_as(T::ID.count(), "count").filter(condition);
    let count: Option<i64> =
        count.into_tuple().one(source.connection()).await.map_err(OdbError::from_read)?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

fn of_cluster<T: Stored>(cluster_id: i64) -> Condition {
    Condition::all().add(T::CLUSTER_ID.eq(cluster_id))
}

/// The index on cluster and name has the objects in this order already.
fn sorted<T: Stored>(condition: Condition) -> Select<T::Entity> {
    let rows = T::Entity::find().filter(condition);
    let rows = match T::NAME {
        Some(name) => rows.order_by_asc(name),
        None => rows,
    };
    rows.order_by_asc(T::ID)
}

fn is_named<T: Stored>(name: &str) -> Expr {
    T::NAME.map_or_else(nothing::<T>, |column| is_text(column, name))
}

fn named_by<T: Stored>(backend: DbBackend, condition: Condition, words: Option<&str>) -> Condition {
    let words: BTreeSet<&str> = words.unwrap_or_default().split_whitespace().collect();
    words.into_iter().fold(condition, |condition, word| condition.add(has_word::<T>(backend, word)))
}

/// That an object comes after another one in the order of lists.
fn is_after<T: Stored>((last_name, last_id): (&str, i64)) -> Condition {
    let is_later = T::ID.gt(last_id);
    match T::NAME {
        None => Condition::all().add(is_later),
        Some(name) => Condition::any()
            .add(name.gt(last_name))
            .add(Condition::all().add(name.eq(last_name)).add(is_later)),
    }
}

/// That the name of an object contains a word, in any case.
fn has_word<T: Stored>(backend: DbBackend, word: &str) -> Expr {
    match T::NAME.filter(|_| !word.contains('\0')) {
        Some(column) => contains(backend, column.into_expr(), word),
        None => nothing::<T>(),
    }
}

/// What no object is.
fn nothing<T: Stored>() -> Expr {
    T::ID.is_in::<i64, _>([])
}
