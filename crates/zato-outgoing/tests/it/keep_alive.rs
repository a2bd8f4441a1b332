//! Connections that are used again, and what ends them.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use zato_outgoing::{Body, Config, Outgoing};

use crate::peer::{Peer, cid, connection, environment, reply, until_closed};

#[tokio::test]
async fn calls_one_after_the_other_use_one_connection() {
    let peer = Peer::saying("reply").await;
    let crm = connection(&peer.host(), "/", |_| {});
    for _ in 0..5 {
        crm.conn().post(cid(), "a").await.unwrap();
        crm.conn().head(cid(), ()).await.unwrap();
    }
    assert_eq!((peer.connections(), peer.requests(), crm.idle_connections()), (1, 10, 1));
}

#[tokio::test]
async fn calls_at_once_use_no_more_connections_than_allowed() {
    let peer = Peer::saying("reply").await;
    let crm = connection(&peer.host(), "/", |config| config.pool_size = 4);
    let calls: Vec<_> = (0..50).map(|_| tokio::spawn(crm.conn().post(cid(), "a").into_future())).collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().text(), "reply");
    }
    assert!(peer.connections() <= 4, "{}", peer.connections());
    assert_eq!(peer.requests(), 50);
}

/// The other side closes a kept connection between two calls. Neither call sees anything of it.
#[tokio::test]
async fn a_stale_connection_is_not_an_error() {
    let closed = Arc::new(Notify::new());
    let signal = Arc::clone(&closed);
    let peer = Peer::scripted(move |number, mut stream| {
        let signal = Arc::clone(&signal);
        async move {
            reply(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na").await;
            if number == 0 {
                drop(stream);
                signal.notify_one();
            } else {
                until_closed(&mut stream).await;
            }
        }
    })
    .await;
    let crm = connection(&peer.host(), "/", |_| {});
    crm.conn().post(cid(), "a").await.unwrap();
    closed.notified().await;
    crm.conn().post(cid(), "b").await.unwrap();
    assert_eq!(peer.connections(), 2);
}

#[tokio::test]
async fn a_connection_which_the_reply_closes_is_not_kept() {
    let peer = Peer::scripted(|_, mut stream| async move {
        reply(&mut stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na").await;
        until_closed(&mut stream).await;
    })
    .await;
    let crm = connection(&peer.host(), "/", |_| {});
    crm.conn().post(cid(), "a").await.unwrap();
    crm.conn().post(cid(), "b").await.unwrap();
    assert_eq!(peer.connections(), 2);
}

#[tokio::test]
async fn replacing_a_connection_closes_what_it_kept_and_finishes_its_calls() {
    let gone = Arc::new(Notify::new());
    let signal = Arc::clone(&gone);
    let peer = Peer::scripted(move |_, mut stream| {
        let signal = Arc::clone(&signal);
        async move {
            reply(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na").await;
            until_closed(&mut stream).await;
            signal.notify_one();
        }
    })
    .await;
    let outgoing = Outgoing::new(environment());
    outgoing.replace(Config::new(1, "CRM", peer.host(), "/old")).unwrap();
    let old = outgoing.plain_http("CRM").unwrap();
    old.conn().get(cid(), ()).await.unwrap();
    assert_eq!(old.idle_connections(), 1);

    outgoing.replace(Config::new(1, "CRM", peer.host(), "/new")).unwrap();
    gone.notified().await;
    assert_eq!(old.idle_connections(), 0);
    // Whoever still holds the old one can go on with it, but it keeps no connections any more.
    old.conn().get(cid(), ()).await.unwrap();
    assert_eq!(old.idle_connections(), 0);
    let new = outgoing.plain_http("CRM").unwrap();
    assert_eq!(new.conn().get(cid(), ()).await.unwrap().url().path(), "/new");
}

/// The other side has replied and keeps the connection, but the request is not over: the next one must not wait for its end.
#[tokio::test]
async fn a_connection_that_still_sends_a_request_is_not_kept() {
    let peer = Peer::scripted(|number, mut stream| async move {
        if number == 0 {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly").await.unwrap();
        } else {
            reply(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext").await;
        }
        until_closed(&mut stream).await;
    })
    .await;
    let crm = connection(&peer.host(), "/", |config| config.pool_size = 1);
    let body = Body::streamed(stream::pending::<Result<Bytes, std::io::Error>>(), None);
    assert_eq!(crm.conn().post(cid(), body).await.unwrap().text(), "early");
    assert_eq!(crm.idle_connections(), 0);
    assert_eq!(crm.conn().post(cid(), "a").await.unwrap().text(), "next");
    assert_eq!((peer.connections(), crm.idle_connections()), (2, 1));
}

/// Nobody calls, and still a connection which the other side closes does not stay open.
#[tokio::test]
async fn the_end_of_an_unused_connection_is_noticed() {
    let close = Arc::new(Notify::new());
    let signal = Arc::clone(&close);
    let peer = Peer::scripted(move |_, mut stream| {
        let signal = Arc::clone(&signal);
        async move {
            reply(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na").await;
            signal.notified().await;
        }
    })
    .await;
    let crm = connection(&peer.host(), "/", |_| {});
    crm.conn().post(cid(), "a").await.unwrap();
    assert_eq!(crm.idle_connections(), 1);
    close.notify_one();
    while crm.idle_connections() > 0 {
        tokio::task::yield_now().await;
    }
}
