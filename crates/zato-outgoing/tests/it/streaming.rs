//! Replies read piece by piece.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;
use zato_outgoing::Failure;

use crate::peer::{Peer, cid, connection, read_request, reply, until_closed};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A peer that replies to each request with `a` and then, as a piece of its own, `b`.
async fn in_two_pieces() -> Peer {
    Peer::scripted(|_, mut stream| async move {
        while !reply(&mut stream, &format!("{CHUNKED}1\r\na\r\n")).await.is_empty() {
            stream.write_all(b"1\r\nb\r\n0\r\n\r\n").await.unwrap();
        }
    })
    .await
}

#[tokio::test]
async fn pieces_come_as_they_are_asked_for() {
    let peer = in_two_pieces().await;
    let crm = connection(&peer.host(), "/", |_| {});
    let mut response = crm.conn().get(cid(), ()).prefetch(false).await.unwrap();
    assert_eq!(response.text(), "");
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.unwrap() {
        body.extend_from_slice(&piece);
    }
    assert_eq!(body, b"ab");
    assert!(response.chunk().await.unwrap().is_none());
    assert_eq!(crm.idle_connections(), 1);
}

#[tokio::test]
async fn the_rest_can_be_read_at_once() {
    let peer = in_two_pieces().await;
    let crm = connection(&peer.host(), "/", |_| {});
    let mut response = crm.conn().get(cid(), ()).prefetch(false).await.unwrap();
    assert_eq!(response.read().await.unwrap(), "ab");
    assert_eq!(response.text(), "ab");
    let response = crm.conn().get(cid(), ()).prefetch(false).await.unwrap();
    assert_eq!(response.into_bytes(2).await.unwrap(), "ab");
}

/// What has been read is not lost with a future that is dropped.
#[tokio::test]
async fn reading_goes_on_after_the_caller_gave_up() {
    let proceed = Arc::new(Notify::new());
    let held = Arc::clone(&proceed);
    let peer = Peer::scripted(move |_, mut stream| {
        let held = Arc::clone(&held);
        async move {
            while !reply(&mut stream, &format!("{CHUNKED}1\r\na\r\n")).await.is_empty() {
                held.notified().await;
                stream.write_all(b"1\r\nb\r\n0\r\n\r\n").await.unwrap();
            }
        }
    })
    .await;
    let crm = connection(&peer.host(), "/", |_| {});
    for by_pieces in [false, true] {
        let mut response = crm.conn().get(cid(), ()).prefetch(false).await.unwrap();
        // The first piece is there with the head or soon after, the second one is not.
        while tokio::time::timeout(Duration::from_millis(20), response.read()).await.is_err() {
            proceed.notify_one();
            if by_pieces {
                break;
            }
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.unwrap() {
            body.extend_from_slice(&piece);
        }
        assert_eq!(body, b"ab");
    }
}

#[tokio::test]
async fn a_body_that_broke_off_is_never_whole() {
    let peer = Peer::scripted(|_, mut stream| async move {
        reply(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").await;
    })
    .await;
    let crm = connection(&peer.host(), "/", |_| {});
    let mut response = crm.conn().get(cid(), ()).prefetch(false).await.unwrap();
    for _ in 0..2 {
        let error = response.read().await.unwrap_err();
        assert!(matches!(error.kind(), Failure::CutOff(_)), "{error:?}");
    }
}

/// The other side says how much is to come, and this side does not make room for what has not.
#[tokio::test]
async fn an_announced_length_is_not_believed() {
    let peer = Peer::scripted(|_, mut stream| async move {
        reply(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\n\r\nabc").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.write_all(b"def").await.unwrap();
    })
    .await;
    let crm = connection(&peer.host(), "/", |config| config.response_limit = usize::MAX);
    let error = crm.conn().get(cid(), ()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::CutOff(_)), "{error:?}");
}

#[tokio::test]
async fn the_rest_may_be_too_large() {
    let peer = in_two_pieces().await;
    let crm = connection(&peer.host(), "/", |config| config.response_limit = 1);
    let mut response = crm.conn().get(cid(), ()).prefetch(false).await.unwrap();
    let error = response.read().await.unwrap_err();
    assert!(matches!(error.kind(), Failure::TooLarge { limit: 1 }));
    assert_eq!(crm.idle_connections(), 0);
    let response = crm.conn().get(cid(), ()).prefetch(false).await.unwrap();
    assert!(response.into_bytes(1).await.is_err());
}

#[tokio::test]
async fn a_reply_is_a_stream() {
    let peer = in_two_pieces().await;
    let crm = connection(&peer.host(), "/", |_| {});
    let streamed = crm.conn().get(cid(), ()).prefetch(false).await.unwrap();
    assert_eq!(streamed.into_stream().try_collect::<Vec<_>>().await.unwrap().concat(), b"ab");
    let buffered = crm.conn().get(cid(), ()).await.unwrap();
    assert_eq!(buffered.into_stream().try_collect::<Vec<_>>().await.unwrap(), ["ab"]);
}

#[tokio::test]
async fn the_other_side_is_held_up_by_a_caller_who_does_not_read() {
    const PIECE: usize = 64 * 1024;
    let (report, mut written) = tokio::sync::watch::channel(0_usize);
    let peer = Peer::scripted(move |_, mut stream| {
        let report = report.clone();
        async move {
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n").await.unwrap();
            while report.borrow().checked_mul(PIECE).is_some_and(|sent| sent < 64 * 1024 * 1024) {
                stream.write_all(&[b'x'; PIECE]).await.unwrap();
                report.send_modify(|count| *count += 1);
            }
            until_closed(&mut stream).await;
        }
    })
    .await;
    let crm = connection(&peer.host(), "/", |_| {});
    let response = crm.conn().get(cid(), ()).prefetch(false).await.unwrap();
    // The peer writes until the buffers in between are full; then nothing moves any more.
    while tokio::time::timeout(Duration::from_millis(100), written.changed()).await.is_ok() {}
    let held = *written.borrow() * PIECE;
    assert!(held < 32 * 1024 * 1024, "{held} bytes were taken without anybody reading them");
    assert_eq!(response.into_bytes(usize::MAX).await.unwrap().len(), 64 * 1024 * 1024);
}

#[tokio::test]
async fn a_dropped_reply_closes_its_connection() {
    let (report, closed) = tokio::sync::oneshot::channel();
    let report = std::sync::Mutex::new(Some(report));
    let peer = Peer::scripted(move |_, mut stream| {
        let report = report.lock().unwrap().take();
        async move {
            reply(&mut stream, &format!("{CHUNKED}1\r\na\r\n")).await;
            until_closed(&mut stream).await;
            report.unwrap().send(()).unwrap();
        }
    })
    .await;
    let crm = connection(&peer.host(), "/", |_| {});
    drop(crm.conn().get(cid(), ()).prefetch(false).await.unwrap());
    closed.await.unwrap();
    assert_eq!(crm.idle_connections(), 0);
}

#[tokio::test]
async fn each_wait_for_a_piece_has_the_time_out() {
    let peer = Peer::scripted(|_, mut stream| async move {
        reply(&mut stream, &format!("{CHUNKED}1\r\na\r\n")).await;
        until_closed(&mut stream).await;
    })
    .await;
    let crm = connection(&peer.host(), "/", |_| {});
    let call = crm.conn().get(cid(), ()).prefetch(false).timeout(Duration::from_millis(300));
    let mut response = call.await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "a");
    let error = response.chunk().await.unwrap_err();
    assert_eq!(error.to_string(), "`CRM`: timed out while reading the reply");
    assert!(response.chunk().await.unwrap().is_none());
}
