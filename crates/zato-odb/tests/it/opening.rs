//! Opening a database: the first time, again, together, and in vain.

use std::error::Error;

use sea_orm::sqlx::{Connection, PgConnection};
use zato_odb::model::Cluster;
use zato_odb::{Location, Odb, OdbConfig, OdbError, Read};

use crate::fixture::{Fixture, insert, new_key, on_both};

on_both! {
    servers_may_start_together,
    another_key_is_refused,
    a_ping_is_answered,
}

async fn servers_may_start_together(fixture: Fixture) {
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let config = fixture.config.clone();
            tokio::spawn(async move { Odb::open(&config).await })
        })
        .collect();
    let mut servers = Vec::new();
    for start in starts {
        servers.push(start.await.unwrap().unwrap());
    }
    insert(&servers[0], &Cluster::new("main")).await.unwrap();
    for server in servers {
        assert_eq!(server.clusters().await.unwrap().len(), 1);
    }
}

async fn another_key_is_refused(fixture: Fixture) {
    drop(fixture.open().await);
    let mut config = fixture.config.clone();
    config.secret_key = new_key();
    let result = Odb::open(&config).await;
    assert!(matches!(result, Err(OdbError::WrongSecretKey)), "{result:?}");
    fixture.open().await;
}

async fn a_ping_is_answered(fixture: Fixture) {
    fixture.open().await.ping().await.unwrap();
}

#[tokio::test]
async fn a_lost_connection_is_replaced() {
    let fixture = Fixture::postgres().await;
    let odb = fixture.open().await;
    odb.ping().await.unwrap();
    let Location::Postgres(url) = &fixture.config.location else { panic!("it is not PostgreSQL") };
    let mut other = PgConnection::connect(url.expose()).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let cut = sea_orm::sqlx::query(cut).execute(&mut other).await.unwrap();
    assert!(cut.rows_affected() > 0);
    insert(&odb, &Cluster::new("main")).await.unwrap();
    assert_eq!(odb.clusters().await.unwrap().len(), 1);
}

async fn check_in_vain(config: &OdbConfig, is_expected: fn(&OdbError) -> bool) {
    let error = Odb::open(config).await.unwrap_err();
    assert!(is_expected(&error), "{error:?}");
    let mut texts = format!("{config:?} {error:?} {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        texts.push_str(&format!(" {cause}"));
        source = cause.source();
    }
    assert!(!texts.contains("hunter2"), "{texts}");
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let unavailable: fn(&OdbError) -> bool = |error| matches!(error, OdbError::Unavailable(_));
    let sqlite = OdbConfig::sqlite(folder.path().join("no-such-folder/odb.sqlite3"), new_key());
    check_in_vain(&sqlite, unavailable).await;
    let url = format!("postgres://user:hunter2@localhost/db?host={}", folder.path().display());
    check_in_vain(&OdbConfig::postgres(url, new_key()), unavailable).await;
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    let invalid: fn(&OdbError) -> bool = |error| matches!(error, OdbError::InvalidAddress { .. });
    for url in ["mysql://user:hunter2@localhost/db", "postgres://user:hunter2@local host:port/db", "hunter2"]
    {
        check_in_vain(&OdbConfig::postgres(url, new_key()), invalid).await;
    }
}
