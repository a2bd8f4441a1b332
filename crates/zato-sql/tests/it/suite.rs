//! What holds on all engines alike.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::json;
use time::macros::{date, datetime};
use time::{Date, OffsetDateTime};
use zato_sql::{Engine, Error, ParameterError, Value, Violation};

use crate::support::Database;

/// One test for each engine of each function.
macro_rules! suite {
    ($($name:ident)*) => {
        mod postgresql {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Database::of(zato_sql::Engine::PostgreSql)).await;
            })*
        }
        mod mariadb {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Database::of(zato_sql::Engine::MySql)).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::Database::of(zato_sql::Engine::Sqlite)).await;
            })*
        }
    };
}

suite! {
    values_come_back_as_they_went
    values_are_never_part_of_a_statement
    rows_are_read_as_what_is_asked_for
    what_a_database_refuses
    values_that_can_not_be_bound
    transactions
    a_failed_statement_undoes_its_transaction
    large_results_are_streamed
    a_pool_in_use_is_waited_for_so_long
    a_statement_has_so_much_time
    statements_share_few_connections
    without_a_pool_nothing_is_kept
    a_replaced_pool_ends_what_it_has_begun
    pings
}

async fn values_come_back_as_they_went(database: Database) {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Row {
        id: i64,
        truth: bool,
        amount: f64,
        price: String,
        name: String,
        bytes: Vec<u8>,
        day: String,
        at: String,
        empty: Option<i64>,
    }
    let pool = database.pool();
    let (bytes, moment) = match database.config.engine {
        Engine::PostgreSql => ("BYTEA", "TIMESTAMPTZ"),
        Engine::MySql => ("BLOB", "TIMESTAMP"),
        _ => ("BLOB", "TEXT"),
    };
    // SQLite makes numbers of decimal texts unless the column is one.
    let price = if database.config.engine == Engine::Sqlite { "TEXT" } else { "DECIMAL(12,2)" };
    let create = format!(
        "CREATE TABLE t (id BIGINT, truth BOOLEAN, amount DOUBLE PRECISION, price {price}, name VARCHAR(100), \
         bytes {bytes}, day DATE, at {moment}, empty BIGINT)"
    );
    pool.execute(database.sql(&create), ()).await.unwrap();
    let day: Date = date!(2014 - 05 - 04);
    let at: OffsetDateTime = datetime!(2014-05-04 19:01:40 +02:00);
    let values: Vec<Value> = vec![
        i64::MIN.into(),
        true.into(),
        0.1.into(),
        Value::Decimal("12345.60".to_owned()),
        "Zażółć gęślą jaźń 🐘".into(),
        vec![0_u8, 1, 255].into(),
        day.into(),
        at.into(),
        Value::Null,
    ];
    let insert = database.sql("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    assert_eq!(pool.execute(insert, values).await.unwrap().rows_affected, 1);
    let row: Row = pool.query_one("SELECT * FROM t", ()).await.unwrap();
    let expected = Row {
        id: i64::MIN,
        truth: true,
        amount: 0.1,
        price: "12345.60".to_owned(),
        name: "Zażółć gęślą jaźń 🐘".to_owned(),
        bytes: vec![0, 1, 255],
        day: "2014-05-04".to_owned(),
        at: "2014-05-04T17:01:40Z".to_owned(),
        empty: None,
    };
    assert_eq!(row, expected);
}

async fn values_are_never_part_of_a_statement(database: Database) {
    let pool = database.pool();
    pool.execute("CREATE TABLE t (name VARCHAR(200))", ()).await.unwrap();
    for name in ["'; DROP TABLE t; --", "\" OR 1=1", "\\' OR 1=1", "?", "$1", "%s", ""] {
        pool.execute(database.sql("INSERT INTO t VALUES (?)"), (name,)).await.unwrap();
        let found: Vec<String> =
            pool.query(database.sql("SELECT name FROM t WHERE name = ?"), [name]).await.unwrap();
        assert_eq!(found, [name]);
    }
    assert_eq!(pool.query_one::<i64>("SELECT COUNT(*) FROM t", ()).await.unwrap(), 7);
}

async fn rows_are_read_as_what_is_asked_for(database: Database) {
    let pool = database.pool();
    pool.execute("CREATE TABLE t (id INT, name VARCHAR(20))", ()).await.unwrap();
    let inserted =
        pool.execute(database.sql("INSERT INTO t VALUES (?, ?), (?, ?)"), (1, "a", 2, None::<&str>)).await;
    assert_eq!(inserted.unwrap().rows_affected, 2);
    let pairs: Vec<(i32, Option<String>)> =
        pool.query("SELECT id, name FROM t ORDER BY id", ()).await.unwrap();
    assert_eq!(pairs, [(1, Some("a".to_owned())), (2, None)]);
    let documents: Vec<serde_json::Value> =
        pool.query("SELECT id, name FROM t ORDER BY id", ()).await.unwrap();
    assert_eq!(documents, [json!({"id": 1, "name": "a"}), json!({"id": 2, "name": null})]);
    // Sums are decimal numbers on two of the engines.
    assert_eq!(pool.query_one::<i64>("SELECT SUM(id) FROM t", ()).await.unwrap(), 3);
    let none = pool.query_optional::<i64>(database.sql("SELECT id FROM t WHERE id = ?"), [7]).await;
    assert_eq!(none.unwrap(), None);
    let error = pool.query_one::<i64>(database.sql("SELECT id FROM t WHERE id = ?"), [7]).await.unwrap_err();
    assert!(matches!(error, Error::NotOneRow { none: true, .. }), "{error:?}");
    let error = pool.query_optional::<i64>("SELECT id FROM t", ()).await.unwrap_err();
    assert!(matches!(error, Error::NotOneRow { none: false, .. }), "{error:?}");
    let error = pool.query::<(i64, i64)>("SELECT id, name FROM t ORDER BY id", ()).await.unwrap_err();
    let Error::Row { connection, number: 1, source } = error else { panic!("{error:?}") };
    assert_eq!(&*connection, "CRM");
    assert!(source.to_string().contains("column `name`"), "{source}");
}

async fn what_a_database_refuses(database: Database) {
    let pool = database.pool();
    pool.execute("CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL)", ()).await.unwrap();
    let insert = || database.sql("INSERT INTO t VALUES (?, ?)");
    pool.execute(insert(), (1, "a")).await.unwrap();
    let error = pool.execute(insert(), (1, "b")).await.unwrap_err();
    assert_eq!(error.violation(), Some(Violation::Unique), "{error:?}");
    let error = pool.execute(insert(), (2, None::<String>)).await.unwrap_err();
    assert_eq!(error.violation(), Some(Violation::NotNull), "{error:?}");
    let error = pool.execute("SELEKT 1", ()).await.unwrap_err();
    assert!(matches!(&error, Error::Statement { violation: None, code: Some(_), .. }), "{error:?}");
    assert_eq!(error.connection(), "CRM");
    assert!(!error.is_before_sending() && !error.is_timeout() && !error.is_connection());
    // The connection is as good as before.
    assert_eq!(pool.query_one::<i64>("SELECT COUNT(*) FROM t", ()).await.unwrap(), 1);
    assert_eq!(pool.status().size, 1);
}

async fn values_that_can_not_be_bound(database: Database) {
    let pool = database.pool();
    pool.execute("CREATE TABLE t (id INT)", ()).await.unwrap();
    let check = |error: Error, number: usize| {
        assert!(error.is_before_sending());
        match error {
            Error::Parameter { number: found, source, .. } if found == number => source,
            other => panic!("{other:?}"),
        }
    };
    let insert = || database.sql("INSERT INTO t VALUES (?)");
    let source = check(pool.execute(insert(), ()).await.unwrap_err(), 1);
    assert_eq!(source, ParameterError::Count { given: 0, wanted: 1 });
    let source = check(pool.execute(insert(), (1, 2)).await.unwrap_err(), 2);
    assert_eq!(source, ParameterError::Count { given: 2, wanted: 1 });
    let source = check(pool.execute(insert(), [Value::Integer(i128::MAX)]).await.unwrap_err(), 1);
    assert!(matches!(source, ParameterError::Range { .. }), "{source:?}");
    assert_eq!(pool.query_one::<i64>("SELECT COUNT(*) FROM t", ()).await.unwrap(), 0);
}

async fn transactions(database: Database) {
    let pool = database.pool();
    pool.execute("CREATE TABLE t (id INT)", ()).await.unwrap();
    let count = async || pool.query_one::<i64>("SELECT COUNT(*) FROM t", ()).await.unwrap();
    let insert = || database.sql("INSERT INTO t VALUES (?)");

    let mut transaction = pool.begin().await.unwrap();
    transaction.execute(insert(), [1]).await.unwrap();
    assert_eq!(transaction.query_one::<i64>("SELECT COUNT(*) FROM t", ()).await.unwrap(), 1);
    assert_eq!(count().await, 0, "others see nothing of it");
    transaction.commit().await.unwrap();
    assert_eq!(count().await, 1);

    let mut transaction = pool.begin().await.unwrap();
    transaction.execute(insert(), [2]).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(count().await, 1);

    let mut transaction = pool.begin().await.unwrap();
    transaction.execute(insert(), [3]).await.unwrap();
    drop(transaction);
    assert_eq!(count().await, 1);
    // What was dropped left no lock behind.
    pool.execute(insert(), [4]).await.unwrap();
    assert_eq!(count().await, 2);
}

async fn a_failed_statement_undoes_its_transaction(database: Database) {
    let pool = database.pool();
    pool.execute("CREATE TABLE t (id INT PRIMARY KEY)", ()).await.unwrap();
    let insert = || database.sql("INSERT INTO t VALUES (?)");
    let mut transaction = pool.begin().await.unwrap();
    transaction.execute(insert(), [1]).await.unwrap();
    transaction.execute(insert(), [1]).await.unwrap_err();
    let error = transaction.commit().await.unwrap_err();
    assert!(matches!(error, Error::Aborted { .. }), "{error:?}");
    assert_eq!(pool.query_one::<i64>("SELECT COUNT(*) FROM t", ()).await.unwrap(), 0);
}

/// Numbers up to a limit, without a table.
const NUMBERS: &str = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000) SELECT n FROM numbers";

async fn large_results_are_streamed(database: Database) {
    let pool = database.pool_with(1, "");
    let is_mariadb = database.config.engine == Engine::MySql;
    let rows = pool.stream::<i64>(NUMBERS, ());
    // MariaDB ends recursions by itself after 1000 rounds unless its settings say otherwise.
    let limit: i64 = if is_mariadb { 1_001 } else { 100_000 };
    let (count, sum) =
        rows.fold((0, 0), |(count, sum), row| async move { (count + 1, sum + row.unwrap()) }).await;
    assert_eq!((count, sum), (limit, limit * (limit + 1) / 2));

    // The only connection comes free when nobody reads any longer.
    let mut rows = pool.stream::<i64>(NUMBERS, ());
    assert_eq!(rows.next().await.unwrap().unwrap(), 1);
    drop(rows);
    assert_eq!(pool.query_one::<i64>("SELECT 1", ()).await.unwrap(), 1);

    let errors: Vec<_> = pool.stream::<i64>("SELEKT 1", ()).collect().await;
    assert!(matches!(&errors[..], [Err(Error::Statement { .. })]), "{errors:?}");
}

async fn a_pool_in_use_is_waited_for_so_long(database: Database) {
    let pool = database.pool_with(1, "pool_timeout=1.5");
    let transaction = pool.begin().await.unwrap();
    let error = pool.execute("SELECT 1", ()).await.unwrap_err();
    assert!(
        matches!(error, Error::Exhausted { size: 1, after, .. } if after == Duration::from_millis(1500)),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        "all 1 connections of the outgoing SQL connection `CRM` were in use for 1.5 s"
    );
    transaction.rollback().await.unwrap();
    pool.execute("SELECT 1", ()).await.unwrap();
    // One more is allowed beyond the pool's size.
    let pool = database.pool_with(1, "pool_timeout=1.5;max_overflow=1");
    let _transaction = pool.begin().await.unwrap();
    pool.execute("SELECT 1", ()).await.unwrap();
}

async fn a_statement_has_so_much_time(database: Database) {
    let pool = database.pool_with(1, "statement_timeout=3");
    let slow = match database.config.engine {
        Engine::PostgreSql => "SELECT pg_sleep(60)",
        Engine::MySql => "SELECT SLEEP(60)",
        _ => "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n",
    };
    let error = pool.query::<i64>(slow, ()).await.unwrap_err();
    assert!(error.is_timeout() && !error.is_before_sending(), "{error:?}");
    // The connection that is still busy is not used again.
    assert_eq!(pool.query_one::<i64>("SELECT 1", ()).await.unwrap(), 1);
}

async fn statements_share_few_connections(database: Database) {
    let pool = database.pool();
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let (pool, sql) = (pool.clone(), database.sql("SELECT CAST(? AS INTEGER)"));
            let sql =
                if database.config.engine == Engine::MySql { database.sql("SELECT ? + 0") } else { sql };
            tokio::spawn(
                async move { assert_eq!(pool.query_one::<i64>(sql, [number]).await.unwrap(), number) },
            )
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let status = pool.status();
    assert!(status.size <= 5 && status.idle == status.size && status.waiting == 0, "{status:?}");
}

async fn without_a_pool_nothing_is_kept(database: Database) {
    let pool = database.pool_with(0, "");
    pool.execute("CREATE TABLE t (id INT)", ()).await.unwrap();
    let mut first = pool.begin().await.unwrap();
    first.execute(database.sql("INSERT INTO t VALUES (?)"), [1]).await.unwrap();
    assert_eq!(pool.query_one::<i64>("SELECT COUNT(*) FROM t", ()).await.unwrap(), 0);
    first.commit().await.unwrap();
    assert_eq!(pool.query_one::<i64>("SELECT COUNT(*) FROM t", ()).await.unwrap(), 1);
    assert_eq!(pool.status().size, 0);
}

async fn a_replaced_pool_ends_what_it_has_begun(database: Database) {
    let connections = zato_connections::Connections::new();
    connections.put(&database.pool());
    let pool = connections.get("CRM").unwrap();
    pool.execute("CREATE TABLE t (id INT)", ()).await.unwrap();
    let mut transaction = pool.begin().await.unwrap();
    transaction.execute(database.sql("INSERT INTO t VALUES (?)"), [1]).await.unwrap();
    drop(pool);

    connections.put(&database.pool());
    transaction.commit().await.unwrap();
    let pool = connections.get("CRM").unwrap();
    assert_eq!(pool.query_one::<i64>("SELECT COUNT(*) FROM t", ()).await.unwrap(), 1);
}

async fn pings(database: Database) {
    let pool = Arc::new(database.pool());
    let first = pool.ping().await.unwrap();
    assert!(first > Duration::ZERO && first < Duration::from_secs(10));
    pool.ping().await.unwrap();
    assert_eq!(pool.status().size, 1);
}
