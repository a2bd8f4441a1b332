//! Calls that fail, and what their errors say.

use std::time::Duration;

use http::Method;
use tokio::io::AsyncWriteExt;
use zato_outgoing::{CallError, Failure, Phase};
use zato_test_port::Port;

use crate::peer::{Peer, chain, cid, connection, read_request, reply, until_closed};

/// Short, because these calls wait for nothing else than its end; not so short that a busy machine is late with what has to
/// happen before.
const SHORT: Duration = Duration::from_millis(600);

#[track_caller]
fn check(error: &CallError, may_have_been_sent: bool, text: &str) {
    assert_eq!(error.to_string(), format!("`CRM`: {text}"));
    assert_eq!(error.may_have_been_sent(), may_have_been_sent, "{error:?}");
    assert_eq!(error.cid(), cid());
    assert!(error.elapsed() > Duration::ZERO);
}

#[tokio::test]
async fn refused() {
    let port = Port::reserve();
    let host = format!("http://{}", port.address());
    let error = connection(&host, "/", |_| {}).conn().post(cid(), "a").await.unwrap_err();
    check(&error, false, "the connection was refused");
    assert!(matches!(error.kind(), Failure::Refused(_)));
    assert!(chain(&error).contains("(os error"), "{}", chain(&error));
}

#[tokio::test]
async fn an_unknown_host() {
    let error = connection("http://host.invalid", "/", |_| {}).conn().get(cid(), ()).await.unwrap_err();
    check(&error, false, "the host name `host.invalid` could not be resolved");
    assert!(matches!(error.kind(), Failure::Resolve { .. }));
}

#[tokio::test]
async fn closed_without_a_reply() {
    let peer = Peer::scripted(|_, mut stream| async move {
        read_request(&mut stream).await;
    })
    .await;
    let error = connection(&peer.host(), "/", |_| {}).conn().get(cid(), ()).await.unwrap_err();
    check(&error, true, "the request was sent but no reply came");
    assert!(matches!(error.kind(), Failure::NoReply(_)));
}

#[tokio::test]
async fn not_http() {
    let peer = Peer::scripted(|_, mut stream| async move {
        reply(&mut stream, "220 mail.example.com ESMTP\r\n").await;
        until_closed(&mut stream).await;
    })
    .await;
    let error = connection(&peer.host(), "/", |_| {}).conn().get(cid(), ()).await.unwrap_err();
    check(&error, true, "the reply is not valid HTTP");
    assert!(matches!(error.kind(), Failure::InvalidReply(_)));
}

/// What nobody needs may be wrong, unless it makes uncertain where the reply ends.
#[tokio::test]
async fn headers_that_are_slightly_wrong() {
    let call = async |headers: &'static str| {
        let peer = Peer::scripted(move |_, mut stream| async move {
            reply(&mut stream, &format!("HTTP/1.1 200 OK\r\nX-A: a\r\n{headers}\r\n\r\nok")).await;
            until_closed(&mut stream).await;
        })
        .await;
        connection(&peer.host(), "/", |_| {}).conn().get(cid(), ()).await
    };
    for headers in [
        "Foo Bar: x\r\nContent-Length: 2",
        "Content-Length: 2\r\nFoo",
        "X-B : b\r\nContent-Length: 2",
        "X-B: a\u{1}b\r\nContent-Length: 2",
        ": b\r\nContent-Length : 2",
    ] {
        let response = call(headers).await.unwrap();
        assert_eq!((response.text().as_ref(), response.header("X-A")), ("ok", Some("a")), "{headers}");
    }
    for headers in ["Content-Length: 2\r\nContent-Length: 3", "Content-Length: two", "Content-Length: -2"] {
        let error = call(headers).await.unwrap_err();
        assert!(matches!(error.kind(), Failure::InvalidReply(_)), "{headers} {error:?}");
    }
}

#[tokio::test]
async fn cut_off() {
    for part in ["Content-Length: 10\r\n\r\n12345", "Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"] {
        let peer = Peer::scripted(move |_, mut stream| async move {
            reply(&mut stream, &format!("HTTP/1.1 200 OK\r\n{part}")).await;
        })
        .await;
        let error = connection(&peer.host(), "/", |_| {}).conn().get(cid(), ()).await.unwrap_err();
        check(&error, true, "the reply was cut off");
        assert!(matches!(error.kind(), Failure::CutOff(_)));
    }
}

#[tokio::test]
async fn no_reply_in_time() {
    let peer = Peer::scripted(|_, mut stream| async move {
        until_closed(&mut stream).await;
    })
    .await;
    let crm = connection(&peer.host(), "/", |config| config.timeout = SHORT);
    let error = crm.conn().get(cid(), [("secret", "value")]).await.unwrap_err();
    check(&error, true, "timed out while waiting for the reply");
    assert!(error.is_timeout());
    assert!(error.elapsed() >= SHORT);
    assert!(error.timing().phase(Phase::FirstByte) > Duration::ZERO);
    assert!(!format!("{error:?}").contains("value"));
}

#[tokio::test]
async fn no_whole_reply_in_time() {
    let peer = Peer::scripted(|_, mut stream| async move {
        reply(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345").await;
        until_closed(&mut stream).await;
    })
    .await;
    let crm = connection(&peer.host(), "/", |_| {});
    let error = crm.conn().get(cid(), ()).timeout(SHORT).await.unwrap_err();
    check(&error, true, "timed out while reading the reply");
}

#[tokio::test]
async fn no_free_connection_in_time() {
    let peer = Peer::scripted(|_, mut stream| async move {
        until_closed(&mut stream).await;
    })
    .await;
    let crm = connection(&peer.host(), "/", |config| config.pool_size = 1);
    let blocking = tokio::spawn(crm.conn().get(cid(), ()).into_future());
    while peer.connections() == 0 {
        tokio::task::yield_now().await;
    }
    let error = crm.conn().session().request(cid(), Method::PUT, "/").timeout(SHORT).await.unwrap_err();
    check(&error, false, "timed out while waiting for a free connection");
    assert_eq!(peer.connections(), 1);

    // Ending the first call makes room.
    blocking.abort();
    assert!(blocking.await.unwrap_err().is_cancelled());
    let error = crm.conn().get(cid(), ()).timeout(SHORT).await.unwrap_err();
    check(&error, true, "timed out while waiting for the reply");
}

#[tokio::test]
async fn tls_with_a_server_that_speaks_none() {
    let peer = Peer::scripted(|_, mut stream| async move {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        until_closed(&mut stream).await;
    })
    .await;
    let host = format!("https://{}", peer.address);
    let crm = connection(&host, "/", |config| config.tls.verify = zato_outgoing::Verify::Nothing);
    let error = crm.conn().get(cid(), ()).await.unwrap_err();
    check(&error, false, "TLS could not be established");
    assert!(matches!(error.kind(), Failure::Tls(_)));
}
