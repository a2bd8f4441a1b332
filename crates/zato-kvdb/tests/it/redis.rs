//! Redis: the suite, and what comes with a server of its own.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{env, fs};

use futures_util::FutureExt;
use tokio::net::TcpListener;
use zato_kvdb::test_util::RedisServer;
use zato_kvdb::{
    Administration, Command as KvdbCommand, Comparison, Expiry, Kvdb, KvdbError, Lifetime, Redis,
    RedisLocation, Reply, Selection, Write,
};

use crate::suite::{self, Subject};

const TLS_URL: &str = "ZATO_KVDB_TLS_URL";

fn open(url: &str) -> Kvdb {
    Kvdb::new(Redis::new(&RedisLocation::parse(url).unwrap()).unwrap())
}

/// Lets time go by for a server whose clock can't be turned: every key gets a time to live that is shorter by that much.
async fn pass(kvdb: Kvdb, time: Duration) {
    for key in kvdb.keys("").await.unwrap() {
        if let Lifetime::Expires(left) = kvdb.lifetime(&key).await.unwrap() {
            let left = left.saturating_sub(time).as_millis().try_into().unwrap();
            let expire = Write::Expire(key, Expiry::In(left), Selection::Any, Comparison::Any);
            kvdb.run(KvdbCommand::Write(expire)).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_passes_the_suite() {
    let server = RedisServer::start(&["--databases", "100"]);
    let database = AtomicU32::new(0);
    suite::run(async || {
        let kvdb = open(&server.url(database.fetch_add(1, Ordering::Relaxed)));
        let passing = kvdb.clone();
        Subject { kvdb, pass: Box::new(move |time| pass(passing.clone(), time).boxed()) }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_comes_back_is_found() {
    let mut server = RedisServer::start(&[]);
    let kvdb = open(&server.url(0));
    for _ in 0..3 {
        kvdb.set("key", b"1", None).await.unwrap();
        server.kill();
        for result in [kvdb.get("key").await.map(drop), kvdb.increment("key", 1).await.map(drop)] {
            assert!(matches!(result, Err(KvdbError::Unavailable(_))), "{result:?}");
        }
        server.restart();
        assert_eq!(kvdb.get("key").await.unwrap(), None);
        // A server that goes and comes while nobody looks.
        server.restart();
        assert_eq!(kvdb.get("key").await.unwrap(), None);
    }
}

#[tokio::test]
async fn many_callers_share_one_attempt_to_connect() {
    let mut server = RedisServer::start(&[]);
    let kvdb = open(&server.url(0));
    server.kill();
    let failing: Vec<_> = (0..50)
        .map(|_| {
            tokio::spawn({
                let kvdb = kvdb.clone();
                async move { kvdb.get("key").await }
            })
        })
        .collect();
    for attempt in failing {
        assert!(matches!(attempt.await.unwrap(), Err(KvdbError::Unavailable(_))));
    }
    server.restart();
    let counting: Vec<_> = (0..50)
        .map(|_| {
            tokio::spawn({
                let kvdb = kvdb.clone();
                async move { kvdb.increment("count", 1).await.unwrap() }
            })
        })
        .collect();
    for count in counting {
        count.await.unwrap();
    }
    assert_eq!(kvdb.get("count").await.unwrap().as_deref(), Some(b"50".as_slice()));
    let info =
        kvdb.run(KvdbCommand::Administration(Administration::Info(vec!["stats".to_owned()]))).await.unwrap();
    let Reply::Value(info) = info else { panic!("{info:?}") };
    let info = String::from_utf8(info).unwrap();
    assert!(info.contains("total_connections_received:1\r\n"), "{info}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let kvdb = open(&format!("redis://{}", silent.local_addr().unwrap()));
    let begun = tokio::time::Instant::now();
    let result = kvdb.get("key").await;
    assert!(matches!(result, Err(KvdbError::Unavailable(_))), "{result:?}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn passwords_are_used_and_not_shown() {
    let server = RedisServer::start(&["--requirepass", "s3cr3t"]);
    let location = |password: &str| format!("redis://:{password}@127.0.0.1:{}/3", server.port());
    let kvdb = open(&location("s3cr3t"));
    kvdb.set("key", b"1", None).await.unwrap();
    assert!(!format!("{kvdb:?} {:?}", RedisLocation::parse(&location("s3cr3t"))).contains("s3cr3t"));
    for url in [location("wr0ng"), server.url(3)] {
        let error = open(&url).get("key").await.unwrap_err();
        assert!(matches!(error, KvdbError::Unavailable(_) | KvdbError::Refused(_)), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("wr0ng"), "{error:?}");
    }
}

/// Runs in a process of its own, because the certificates that are trusted are given by its environment.
#[tokio::test]
#[ignore = "the test below runs it with a server"]
async fn use_tls() {
    let kvdb = open(&env::var(TLS_URL).unwrap());
    kvdb.set("key", b"secret", None).await.unwrap();
    assert_eq!(kvdb.get("key").await.unwrap().as_deref(), Some(b"secret".as_slice()));
}

#[test]
fn tls_is_spoken_with_those_who_are_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    fs::write(&certificate, signed.cert.pem()).unwrap();
    fs::write(&key, signed.signing_key.serialize_pem()).unwrap();
    let [certificate, key] = [&certificate, &key].map(|path| path.to_str().unwrap());
    let server = RedisServer::start_tls(&[
        "--tls-cert-file",
        certificate,
        "--tls-key-file",
        key,
        "--tls-ca-cert-file",
        certificate,
        "--tls-auth-clients",
        "no",
    ]);
    let talk = |trusted: &str| {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", "redis::use_tls", "--ignored"])
            .env(TLS_URL, format!("rediss://localhost:{}/0", server.port()))
            .env("SSL_CERT_FILE", trusted)
            .output()
            .unwrap()
    };
    let trusting = talk(certificate);
    assert!(trusting.status.success(), "{}", String::from_utf8_lossy(&trusting.stdout));
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other_certificate = folder.path().join("other.pem");
    fs::write(&other_certificate, other.cert.pem()).unwrap();
    let distrusting = talk(other_certificate.to_str().unwrap());
    let said = String::from_utf8_lossy(&distrusting.stdout);
    assert!(!distrusting.status.success() && said.contains("Unavailable"), "{said}");
}

#[tokio::test]
async fn what_others_stored_is_read_as_far_as_it_is_text() {
    let server = RedisServer::start(&[]);
    let kvdb = open(&server.url(0));
    let client = ::redis::Client::open(server.url(0)).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    for command in
        [::redis::cmd("SET").arg(b"\xff").arg(1), ::redis::cmd("HSET").arg("hash").arg(b"\xff").arg(1)]
    {
        command.exec_async(&mut connection).await.unwrap();
    }
    assert_eq!(kvdb.keys("").await.unwrap(), ["hash"]);
    assert!(matches!(kvdb.hash_get_all("hash").await, Err(KvdbError::NotText)));
    assert_eq!(kvdb.hash_len("hash").await.unwrap(), 1);
}
