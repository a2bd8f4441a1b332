//! An HTTP/2 server by hyper-h2 which misbehaves, and nginx, which ends its connections: what was not looked at is sent again, and
//! everything else has its error and ends in time.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use http::Method;
use zato_outgoing::{CallError, Config, Connection, Failure, Phase, Retry, Verify};

use crate::faults::check_nothing_left;
use crate::nginx;
use crate::support::certificates::Authority;
use crate::support::peer::Peer;
use crate::support::{chain, cid, connection};

/// For calls which wait for nothing but its end.
const SHORT: Duration = Duration::from_millis(500);

/// For calls which must not wait for its end.
const LONG: Duration = Duration::from_secs(60);

struct Server {
    _peer: Peer,
    host: String,
    authority: String,
}

fn to(path: &str, change: impl FnOnce(&mut Config)) -> Connection {
    static PEER: OnceLock<Server> = OnceLock::new();
    let server = PEER.get_or_init(|| {
        let authority = Authority::new();
        let certified = authority.server("localhost");
        let pem = certified.certificate + &certified.key;
        let (peer, address) = Peer::python_with("h2_server.py", &[("server.pem", &pem)]);
        let host = format!("https://localhost:{}", address.port());
        Server { _peer: peer, host, authority: authority.pem() }
    });
    connection(&server.host, path, |config| {
        config.tls.verify = Verify::CaBundle(Arc::from(server.authority.as_bytes()));
        config.timeout = LONG;
        change(config);
    })
}

/// What the server says: the method and the number of its connection.
async fn text(connection: &Connection, method: Method, path: &str) -> String {
    let call = connection.conn().session().request(cid(), method, path);
    let response = call.await.unwrap_or_else(|error| panic!("{path}: {}", chain(&error)));
    assert_eq!(response.status(), 200);
    response.text().into_owned()
}

/// A request which the server says not to have looked at is sent again on another connection, whatever its method.
#[tokio::test]
async fn requests_which_were_not_looked_at() {
    for action in ["refused", "unseen", "unseen-reset"] {
        for method in [Method::POST, Method::GET] {
            let crm = to("/", |_| {});
            let first = text(&crm, Method::GET, "/ok").await;
            let again = text(&crm, method.clone(), &format!("/{action}/{method}/kept")).await;
            assert!(again.starts_with(method.as_str()), "{action}: {again}");
            assert_ne!(again.split(' ').nth(1), first.split(' ').nth(1), "{action}: the same connection");
            check_nothing_left(crm, None).await;
        }
    }
}

/// On a new connection it is an error, so that nothing goes round in circles; one after which the call can be made again.
#[tokio::test]
async fn a_new_connection_that_refuses() {
    for action in ["refused", "unseen", "unseen-reset"] {
        let crm = to(&format!("/{action}/new"), |_| {});
        let error = crm.conn().post(cid(), "body").await.unwrap_err();
        assert!(matches!(error.kind(), Failure::NotSent(_)), "{action}: {error:?}");
        assert!(!error.may_have_been_sent(), "{action}");
        check_nothing_left(crm, None).await;

        let crm = to(&format!("/{action}/retried"), |config| config.retry = Some(Retry::default()));
        assert_eq!(crm.conn().post(cid(), "body").await.unwrap().attempts(), 2, "{action}");
        check_nothing_left(crm, None).await;
    }
}

/// The server says after each reply that it was the last one on this connection.
#[tokio::test]
async fn connections_which_the_server_ends_after_a_reply() {
    let crm = to("/last", |_| {});
    for _ in 0..20 {
        assert!(crm.conn().post(cid(), "body").await.is_ok());
    }
    check_nothing_left(crm, None).await;
}

/// nginx ends each connection after a few requests, while others are under way. No call sees anything of it.
#[tokio::test]
async fn connections_which_nginx_ends() {
    let crm = nginx::secure("turnover", |config| config.timeout = LONG);
    for _ in 0..20 {
        let calls: Vec<_> =
            (0..20).map(|_| tokio::spawn(crm.conn().post(cid(), "body").into_future())).collect();
        for call in calls {
            let response = call.await.unwrap().unwrap_or_else(|error| panic!("{}", chain(&error)));
            assert!(response.text().starts_with("HTTP/2.0"), "{}", response.text());
        }
    }
    check_nothing_left(crm, None).await;
}

async fn failure(path: &str, timeout: Duration) -> CallError {
    let crm = to(path, |_| {});
    // The connection is there, so that all of the time is that of the call.
    text(&crm, Method::GET, "/ok").await;
    let begun = Instant::now();
    let error = match crm.conn().post(cid(), "body").timeout(timeout).await {
        Ok(response) => panic!("{path}: a reply with status {}", response.status()),
        Err(error) => error,
    };
    assert!(begun.elapsed() < LONG / 2, "{path}: {:?}", begun.elapsed());
    assert!(error.may_have_been_sent(), "{path}");
    check_nothing_left(crm, None).await;
    error
}

#[tokio::test]
async fn streams_and_connections_which_break() {
    for path in ["/reset", "/close", "/garbage", "/huge-head"] {
        let error = failure(path, LONG).await;
        assert!(matches!(error.kind(), Failure::NoReply(_)), "{path}: {error:?}");
    }
    for path in ["/reset-body", "/close-body", "/short"] {
        let error = failure(path, LONG).await;
        assert!(matches!(error.kind(), Failure::CutOff(_)), "{path}: {error:?}");
    }
}

#[tokio::test]
async fn replies_which_do_not_come() {
    for (path, phase) in [("/silent", Phase::FirstByte), ("/half", Phase::Body)] {
        let mut error = failure(path, SHORT).await;
        // On a machine that is very busy, the head may come late.
        for factor in [4, 16] {
            if error.phase() != phase {
                error = failure(path, SHORT * factor).await;
            }
        }
        assert!(
            matches!(error.kind(), Failure::TimedOut { phase: own } if *own == phase),
            "{path}: {error:?}"
        );
    }
}

/// Those of other calls on the same connection are not touched by a call that ends early.
#[tokio::test]
async fn a_call_that_ends_takes_no_other_along() {
    let crm = to("/ok", |_| {});
    let first = text(&crm, Method::GET, "/ok").await;
    for path in ["/silent", "/reset", "/half", "/reset-body"] {
        let call = crm.conn().session().request(cid(), Method::GET, path);
        assert!(call.timeout(SHORT).await.is_err(), "{path}");
        assert_eq!(text(&crm, Method::GET, "/ok").await, first, "{path}");
    }
    let cancelled = tokio::spawn(crm.conn().session().request(cid(), Method::GET, "/silent").into_future());
    tokio::task::yield_now().await;
    cancelled.abort();
    assert!(cancelled.await.unwrap_err().is_cancelled());
    assert_eq!(text(&crm, Method::GET, "/ok").await, first);
    check_nothing_left(crm, None).await;
}

/// A caller who does not read holds up the server, and nobody else on the same connection.
#[tokio::test]
async fn a_reply_that_nobody_reads() {
    let crm = to("/ok", |config| config.pool_size = 2);
    let first = text(&crm, Method::GET, "/ok").await;
    let call = crm.conn().session().request(cid(), Method::GET, "/endless").prefetch(false);
    let mut endless = call.await.unwrap();
    let begun = Instant::now();
    let held = loop {
        let held = text(&crm, Method::GET, "/stuck").await;
        if !held.is_empty() {
            break held.parse::<usize>().unwrap();
        }
        assert!(begun.elapsed() < LONG, "the server sends for ever");
    };
    assert!(held < 8 * 1024 * 1024, "{held} bytes were taken without anybody reading them");
    assert_eq!(text(&crm, Method::GET, "/ok").await, first);
    let mut read = 0;
    while read < 2 * held {
        read += endless.chunk().await.unwrap().unwrap().len();
    }
    drop(endless);
    check_nothing_left(crm, None).await;
}
