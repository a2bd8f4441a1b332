//! What only servers can show: who is let in, what happens when they go away, and what they know of a connection.

use futures_util::StreamExt;
use zato_connections::Secret;
use zato_sql::{Config, Engine, Error, Extra, Pool, Sql};
use zato_test_port::Port;

use crate::support::{Database, PASSWORD, Server, chain};

const ENGINES: [Engine; 2] = [Engine::PostgreSql, Engine::MySql];

fn with_password(config: &Config, password: &str) -> Pool {
    let mut config = config.clone();
    config.password = Some(Secret::from(password));
    Pool::new(&config).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_refused_and_not_told() {
    for engine in ENGINES {
        let database = Database::of(engine);
        let wrong = "wrong-password-5be0";
        let pool = with_password(&database.config, wrong);
        let error = pool.ping().await.unwrap_err();
        assert!(matches!(error, Error::LoginRefused { .. }), "{error:?}");
        assert!(error.is_before_sending() && error.is_connection());
        for text in
            [chain(&error), format!("{error:?}"), format!("{pool:?}"), format!("{:?}", database.config)]
        {
            assert!(!text.contains(wrong) && !text.contains(PASSWORD), "{text}");
        }
        assert!(chain(&error).contains("`CRM`"), "{}", chain(&error));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_password_counts_for_new_pools() {
    for engine in ENGINES {
        let server = Server::shared(engine);
        let mut config = server.database();
        config.username = format!("changing_{engine}");
        let (create, change) = match engine {
            Engine::PostgreSql => (
                "CREATE ROLE changing_postgresql LOGIN PASSWORD 'first'",
                "ALTER ROLE changing_postgresql PASSWORD 'second'",
            ),
            _ => (
                "CREATE USER changing_mysql IDENTIFIED BY 'first'",
                "ALTER USER changing_mysql IDENTIFIED BY 'second'",
            ),
        };
        server.administer(create);
        if engine == Engine::MySql {
            server.administer("GRANT ALL ON *.* TO changing_mysql");
        }
        let first = with_password(&config, "first");
        first.ping().await.unwrap();
        server.administer(change);
        // Connections that were let in stay.
        first.ping().await.unwrap();
        with_password(&config, "second").ping().await.unwrap();
        let error = with_password(&config, "first").ping().await.unwrap_err();
        assert!(matches!(error, Error::LoginRefused { .. }), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_found_missing_at_once() {
    for engine in ENGINES {
        let port = Port::reserve();
        let mut config = Database::of(engine).config;
        config.port = port.number();
        let error = Pool::new(&config).unwrap().ping().await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");

        // This one accepts and says nothing.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        config.port = listener.local_addr().unwrap().port();
        config.extra = Extra::parse("connect_timeout=0.2").unwrap();
        let error = Pool::new(&config).unwrap().ping().await.unwrap_err();
        assert!(matches!(error, Error::ConnectTimeout { .. }), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_may_be_killed_in_the_middle() {
    for engine in ENGINES {
        let server = Server::own(engine);
        let config = server.database();
        let pool = Pool::new(&config).unwrap();
        pool.execute("CREATE TABLE t (id INT)", ()).await.unwrap();
        pool.execute("INSERT INTO t VALUES (1)", ()).await.unwrap();

        // One statement runs, one connection rests, one transaction is open, one stream is half read.
        let (slow, under_way) = if engine == Engine::PostgreSql {
            ("SELECT 1 FROM pg_sleep(600)", "SELECT COUNT(*) FROM pg_stat_activity WHERE query = $1")
        } else {
            ("SELECT SLEEP(600)", "SELECT COUNT(*) FROM information_schema.processlist WHERE info = ?")
        };
        let running = tokio::spawn({
            let pool = pool.clone();
            async move { pool.query::<i64>(slow, ()).await }
        });
        let mut transaction = pool.begin().await.unwrap();
        transaction.execute("INSERT INTO t VALUES (2)", ()).await.unwrap();
        let (one, two) = tokio::join!(pool.ping(), pool.ping());
        one.and(two).unwrap();
        let mut rows = pool.stream::<i64>("SELECT a.n FROM (SELECT 1 AS n UNION ALL SELECT 2) a", ());
        assert_eq!(rows.next().await.unwrap().unwrap(), 1);
        while pool.query_one::<i64>(under_way, [slow]).await.unwrap() == 0 {
            tokio::task::yield_now().await;
        }
        server.kill();

        let error = running.await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Lost { .. }), "{error:?}");
        let error = transaction.commit().await.unwrap_err();
        assert!(matches!(error, Error::Lost { .. }), "{error:?}");
        let error = pool.ping().await.unwrap_err();
        assert!(error.is_connection(), "{error:?}");

        server.restart();
        // The first statement works again, whatever connections the pool still had.
        let count = pool.query_one::<i64>("SELECT COUNT(*) FROM t", ()).await.unwrap();
        assert_eq!(count, 1, "what was not committed is gone, what was is there");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_broken_connection_puts_the_others_in_doubt() {
    for engine in ENGINES {
        let database = Database::of(engine);
        let (pool, administrator) = (database.pool(), database.pool_with(1, ""));
        let (id, end, is_there) = if engine == Engine::PostgreSql {
            (
                "SELECT CAST(pg_backend_pid() AS BIGINT)",
                "SELECT pg_terminate_backend(?)",
                "SELECT COUNT(*) FROM pg_stat_activity WHERE pid = ?",
            )
        } else {
            (
                "SELECT CAST(CONNECTION_ID() AS SIGNED)",
                "KILL ?",
                "SELECT COUNT(*) FROM information_schema.processlist WHERE id = ?",
            )
        };
        let mut sessions = Vec::new();
        let mut transactions = Vec::new();
        for _ in 0..4 {
            let mut transaction = pool.begin().await.unwrap();
            sessions.push(transaction.query_one::<i64>(id, ()).await.unwrap());
            transactions.push(transaction);
        }
        let last = transactions.pop().unwrap();
        for transaction in transactions {
            transaction.commit().await.unwrap();
        }
        for session in sessions {
            administrator.execute(database.sql(end), [session]).await.unwrap();
            while administrator.query_one::<i64>(database.sql(is_there), [session]).await.unwrap() > 0 {
                tokio::task::yield_now().await;
            }
        }
        let error = last.commit().await.unwrap_err();
        assert!(matches!(error, Error::Lost { .. }), "{error:?}");
        // All the others are gone too, and were used only a moment ago.
        let (one, two, three) = tokio::join!(pool.ping(), pool.ping(), pool.ping());
        one.and(two).and(three).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_carry_the_name_of_the_program() {
    let database = Database::of(Engine::PostgreSql);
    let mut config = database.config.clone();
    config.application_name = Some("parallel/esb1/esb1.example.com/21358/main".to_owned());
    let shown = "SELECT current_setting('application_name')";
    let name: String = Pool::new(&config).unwrap().query_one(shown, ()).await.unwrap();
    assert_eq!(name, "parallel/esb1/esb1.example.com/21358/main");
    config.extra = Extra::parse("application_name=orders").unwrap();
    let name: String = Pool::new(&config).unwrap().query_one(shown, ()).await.unwrap();
    assert_eq!(name, "orders");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_pool_takes_its_leave() {
    let database = Database::of(Engine::PostgreSql);
    let watcher = database.pool_with(1, "");
    let pool = Pool::new(&database.config).unwrap();
    let (one, two) = tokio::join!(pool.ping(), pool.ping());
    one.and(two).unwrap();
    let count = async || {
        let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()";
        watcher.query_one::<i64>(sql, ()).await.unwrap()
    };
    assert!(count().await > 1);
    drop(pool);
    while count().await > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_of_postgresql() {
    let pool = Database::of(Engine::PostgreSql).pool();
    pool.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')", ()).await.unwrap();
    pool.execute(
        "CREATE TABLE t (small SMALLINT, real REAL, number NUMERIC, document JSONB, id UUID, mood mood, at TIMESTAMP)",
        (),
    )
    .await
    .unwrap();
    let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let document = serde_json::json!({"a": [1, null]});
    pool.execute(
        "INSERT INTO t VALUES ($1, $2, $3, $4, $5, $6, $7)",
        (
            7,
            1.5,
            "123456789012345678901234567890.5",
            document.clone(),
            id,
            "happy",
            time::macros::datetime!(2014-05-04 19:01:40.5),
        ),
    )
    .await
    .unwrap();
    let row: serde_json::Value = pool.query_one("SELECT * FROM t", ()).await.unwrap();
    let expected = serde_json::json!({
        "small": 7, "real": 1.5, "number": "123456789012345678901234567890.5", "document": document, "id": id,
        "mood": "happy", "at": "2014-05-04T19:01:40.5",
    });
    assert_eq!(row, expected);

    let error = pool.execute("UPDATE t SET small = $1", [100_000]).await.unwrap_err();
    assert!(chain(&error).contains("out of the range of INT2"), "{}", chain(&error));
    let error = pool.execute("UPDATE t SET id = $1", ["x"]).await.unwrap_err();
    assert!(chain(&error).contains("can't be sent as UUID"), "{}", chain(&error));
    let error = pool.query::<String>("SELECT interval '1 day' AS pause", ()).await.unwrap_err();
    assert!(chain(&error).contains("column `pause`") && chain(&error).contains("cast"), "{}", chain(&error));
    let error = pool.execute("UPDATE t SET mood = $1", ["angry"]).await.unwrap_err();
    assert!(matches!(error, Error::Statement { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_of_mariadb() {
    let pool = Database::of(Engine::MySql).pool();
    pool.execute(
        "CREATE TABLE t (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, tiny TINYINT, large BIGINT UNSIGNED, \
         number DECIMAL(30,1), mood ENUM('sad', 'happy'), at DATETIME(3), pause TIME, year YEAR, bits BIT(3))",
        (),
    )
    .await
    .unwrap();
    let done = pool
        .execute(
            "INSERT INTO t (tiny, large, number, mood, at, pause, year, bits) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (-7, u64::MAX, "12345678901234567890123456789.5", "happy", time::macros::datetime!(2014-05-04 19:01:40.5), "100:00:00", 2014, 5),
        )
        .await
        .unwrap();
    assert_eq!(done.last_insert_id, Some(1));
    let row: serde_json::Value = pool.query_one("SELECT * FROM t", ()).await.unwrap();
    let expected = serde_json::json!({
        "id": 1, "tiny": -7, "large": u64::MAX, "number": "12345678901234567890123456789.5", "mood": "happy",
        "at": "2014-05-04T19:01:40.5", "pause": "100:00:00", "year": 2014, "bits": 5,
    });
    assert_eq!(row, expected);
}

#[tokio::test]
async fn a_file_is_only_read_if_the_definition_says_so() {
    let database = Database::of(Engine::Sqlite);
    let error = database.pool_with(1, "read_only=true").ping().await.unwrap_err();
    assert!(matches!(error, Error::LoginRefused { .. } | Error::Unreachable { .. }), "{error:?}");
    database.pool().execute(Sql::composed("CREATE TABLE t (id INT)"), ()).await.unwrap();
    let pool = database.pool_with(1, "read_only=true");
    assert_eq!(pool.query_one::<i64>("SELECT COUNT(*) FROM t", ()).await.unwrap(), 0);
    let error = pool.execute("INSERT INTO t VALUES (1)", ()).await.unwrap_err();
    assert!(matches!(error, Error::Statement { .. }), "{error:?}");
}
