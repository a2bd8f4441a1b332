//! An empty database of either kind, and what most cases start with.

use std::sync::Arc;

use tempfile::TempDir;
use zato_odb::model::{
    Cluster, Connection, HttpSoap, SecurityDefinition, SecurityKind, Server, Service, Transport,
};
use zato_odb::{Action, Change, Object, Odb, OdbConfig, OdbError, Read, SecretKey, test_util};

/// Makes a test on SQLite and one on PostgreSQL of each case.
macro_rules! on_both {
    ($($case:ident,)+) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(crate::fixture::Fixture::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(crate::fixture::Fixture::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both;

/// An empty database.
pub(crate) struct Fixture {
    pub(crate) config: OdbConfig,
    pub(crate) folder: TempDir,
}

impl Fixture {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = OdbConfig::sqlite(folder.path().join("odb.sqlite3"), new_key());
        Self { config, folder }
    }

    pub(crate) async fn postgres() -> Self {
        let url = test_util::postgres::create_database().await;
        Self { config: OdbConfig::postgres(url, new_key()), folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) async fn open(&self) -> Odb {
        Odb::open(&self.config).await.unwrap()
    }

    /// The database with one cluster in it.
    pub(crate) async fn open_with_cluster(&self) -> (Odb, i64) {
        let odb = self.open().await;
        let cluster = insert(&odb, &Cluster::new("main")).await.unwrap();
        (odb, cluster.id)
    }
}

pub(crate) fn new_key() -> Arc<SecretKey> {
    Arc::new(SecretKey::generate().unwrap())
}

/// Inserts in a transaction of its own.
pub(crate) async fn insert<T: Object>(odb: &Odb, object: &T) -> Result<T, OdbError> {
    let mut transaction = odb.begin().await?;
    let stored = transaction.insert(object).await?;
    transaction.commit().await?;
    Ok(stored)
}

/// Updates in a transaction of its own.
pub(crate) async fn update<T: Object>(odb: &Odb, object: &T) -> Result<(), OdbError> {
    let mut transaction = odb.begin().await?;
    transaction.update(object).await?;
    transaction.commit().await?;
    Ok(())
}

/// Deletes in a transaction of its own.
pub(crate) async fn delete<T: Object>(odb: &Odb, id: i64) -> Result<(), OdbError> {
    let mut transaction = odb.begin().await?;
    transaction.delete::<T>(id).await?;
    transaction.commit().await?;
    Ok(())
}

pub(crate) fn server(cluster_id: i64, name: &str) -> Server {
    Server::new(cluster_id, name, format!("token of {name}"))
}

pub(crate) fn service(cluster_id: i64, name: &str) -> Service {
    Service::new(cluster_id, name, "crate::Service")
}

pub(crate) fn basic_auth(cluster_id: i64, name: &str) -> SecurityDefinition {
    let kind = SecurityKind::BasicAuth { realm: String::new() };
    SecurityDefinition::new(cluster_id, name, format!("user of {name}"), kind)
}

pub(crate) fn ws_security(cluster_id: i64, name: &str) -> SecurityDefinition {
    let kind = SecurityKind::WsSecurity {
        password_type: "clear_text".to_owned(),
        reject_empty_nonce_creat: true,
        reject_stale_tokens: None,
        reject_expiry_limit: 3600,
        nonce_freshness_time: None,
    };
    SecurityDefinition::new(cluster_id, name, format!("user of {name}"), kind)
}

pub(crate) fn channel(cluster_id: i64, name: &str, url_path: &str) -> HttpSoap {
    HttpSoap::new(cluster_id, Connection::Channel, Transport::PlainHttp, name, url_path)
}

pub(crate) fn created<T: Object>(object: &T) -> Change<'_> {
    Change {
        cluster_id: object.cluster_id(),
        object: T::KIND,
        object_id: object.id(),
        action: Action::Created,
        name: object.name(),
        cid: "K1",
        actor: "tester",
    }
}

pub(crate) async fn names<T: Object>(source: &impl Read, cluster_id: i64, filter: &T::Filter) -> Vec<String> {
    let objects: Vec<T> = source.list(cluster_id, filter).await.unwrap();
    objects.iter().map(|object| object.name().to_owned()).collect()
}
