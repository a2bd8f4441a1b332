//! Connections that are used again, and what ends them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
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

/// A stream of `count` pieces of 64 KiB, each of which takes a moment.
fn pieces(count: usize) -> Body {
    let pieces = stream::iter(0..count).then(async |_| {
        tokio::task::yield_now().await;
        Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 64 * 1024]))
    });
    Body::streamed(pieces, Some(count as u64 * 64 * 1024))
}

/// A peer that replies as soon as it has a request's head, and then reads the whole of its first request before it looks for the
/// next one. It says how much that was.
async fn hasty(status: &'static str, body: usize) -> (Peer, tokio::sync::mpsc::UnboundedReceiver<usize>) {
    let (report, read) = tokio::sync::mpsc::unbounded_channel();
    let peer = Peer::scripted(move |number, mut stream| {
        let report = report.clone();
        async move {
            if number == 0 {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let reply = format!("HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\nearly");
                stream.write_all(reply.as_bytes()).await.unwrap();
                let mut count = 0;
                let mut buffer = vec![0; 64 * 1024];
                while count < body {
                    match stream.read(&mut buffer).await {
                        Ok(0) | Err(_) => break,
                        Ok(more) => count += more,
                    }
                }
                report.send(count).unwrap();
            }
            reply(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext").await;
            until_closed(&mut stream).await;
        }
    })
    .await;
    (peer, read)
}

/// Whoever accepts a request while it is still being sent gets all of it, and the connection is used again then.
#[tokio::test]
async fn a_request_is_sent_to_its_end_after_an_early_reply() {
    const PIECES: usize = 200;
    const LENGTH: usize = PIECES * 64 * 1024;
    for body in [Body::from(Bytes::from(vec![b'x'; LENGTH])), pieces(PIECES)] {
        let (peer, mut read) = hasty("202 Accepted", LENGTH).await;
        let crm = connection(&peer.host(), "/", |config| config.pool_size = 1);
        assert_eq!(crm.conn().post(cid(), body).await.unwrap().text(), "early");
        assert_eq!(read.recv().await, Some(LENGTH));
        assert_eq!(crm.conn().post(cid(), "a").await.unwrap().text(), "next");
        assert_eq!((peer.connections(), crm.idle_connections()), (1, 1));
    }
}

/// The other side keeps the connection, but does not want the rest of the request: the next one must not wait for its end.
#[tokio::test]
async fn a_refused_request_is_not_sent_to_its_end() {
    let (peer, _) = hasty("413 Content Too Large", usize::MAX).await;
    let crm = connection(&peer.host(), "/", |config| config.pool_size = 1);
    let body = Body::streamed(stream::pending::<Result<Bytes, std::io::Error>>(), None);
    assert_eq!(crm.conn().post(cid(), body).await.unwrap().text(), "early");
    assert_eq!(crm.idle_connections(), 0);
    assert_eq!(crm.conn().post(cid(), "a").await.unwrap().text(), "next");
    assert_eq!((peer.connections(), crm.idle_connections()), (2, 1));
}

/// A request that does not end by itself ends with its call's time.
#[tokio::test]
async fn a_request_does_not_outlive_its_call_for_long() {
    let (peer, mut read) = hasty("202 Accepted", usize::MAX).await;
    let crm = connection(&peer.host(), "/", |config| config.pool_size = 1);
    let body = Body::streamed(stream::pending::<Result<Bytes, std::io::Error>>(), None);
    let call = crm.conn().post(cid(), body).timeout(Duration::from_millis(600));
    assert_eq!(call.await.unwrap().text(), "early");
    // Its connection counts as used until then.
    assert_eq!(crm.conn().post(cid(), "a").await.unwrap().text(), "next");
    assert_eq!((read.recv().await, peer.connections()), (Some(0), 2));
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
