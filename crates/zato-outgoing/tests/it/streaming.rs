//! Replies read piece by piece.

use std::time::Duration;

use futures_util::TryStreamExt;
use tokio::io::AsyncWriteExt;
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
