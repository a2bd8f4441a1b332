//! Bodies of requests, as they arrive.

use std::io;

use bytes::Bytes;
use futures_util::stream::iter;
use http::Response;
use http_body_util::Full;
use zato_outgoing::{Body, Failure, Multipart, Part, Retry};

use crate::peer::{Peer, chain, cid, connection, read_request};

fn pieces(pieces: &'static [&'static str]) -> impl futures_util::Stream<Item = io::Result<Bytes>> + use<> {
    iter(pieces.iter().map(|piece| Ok(Bytes::from(*piece))))
}

#[tokio::test]
async fn forms() {
    let peer = Peer::saying("").await;
    let crm = connection(&peer.host(), "/", |_| {});
    crm.conn().post(cid(), ()).form([("a b", "1"), ("a b", "é")]).await.unwrap();
    let request = peer.request();
    assert_eq!(request.headers()["Content-Type"], "application/x-www-form-urlencoded");
    assert_eq!(request.body(), "a+b=1&a+b=%C3%A9");
}

#[tokio::test]
async fn forms_with_files() {
    let peer = Peer::saying("").await;
    let crm = connection(&peer.host(), "/", |_| {});
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let form = Multipart::new().text("title", "x").part("file", Part::file(&path).await.unwrap());
    crm.conn().post(cid(), ()).multipart(form).await.unwrap();
    let request = peer.request();
    let media_type = request.headers()["Content-Type"].to_str().unwrap().to_owned();
    let boundary = media_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    assert_eq!(request.headers()["Content-Length"], request.body().len().to_string());
    let text = std::str::from_utf8(request.body()).unwrap();
    let file = text.split(boundary).nth(2).unwrap();
    let content = std::fs::read_to_string(&path).unwrap();
    assert!(file.contains("; filename=\"README.md\"\r\n\r\n") && file.contains(&content));
}

#[tokio::test]
async fn streams() {
    let peer = Peer::answering(|request| {
        let header = |name: &str| request.headers().get(name).map_or("-", |value| value.to_str().unwrap());
        let text = format!("{} {}", header("Content-Length"), header("Transfer-Encoding"));
        Response::new(Full::from(format!("{text} {}", String::from_utf8_lossy(request.body()))))
    })
    .await;
    let crm = connection(&peer.host(), "/", |_| {});
    for (length, expected) in [(Some(3), "3 - abc"), (None, "- chunked abc")] {
        let body = || Body::streamed(pieces(&["a", "bc"]), length);
        assert_eq!(crm.conn().put(cid(), body()).await.unwrap().text(), expected);
        assert_eq!(crm.conn().get(cid(), ()).body(body()).await.unwrap().text(), expected);
    }
}

#[tokio::test]
async fn a_stream_that_fails_ends_the_call() {
    let peer = Peer::scripted(|_, mut stream| async move {
        read_request(&mut stream).await;
    })
    .await;
    // It is not sent again, because what was read of it is gone.
    let crm = connection(&peer.host(), "/", |config| config.retry = Some(Retry::default()));
    let failing = iter([Ok(Bytes::from("a")), Err(io::Error::other("the disk is gone"))]);
    let error = crm.conn().put(cid(), Body::streamed(failing, None)).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::RequestBody(_)), "{error:?}");
    assert!(chain(&error).ends_with("the disk is gone"), "{}", chain(&error));
    assert!(error.may_have_been_sent());
    assert_eq!((error.attempts(), crm.idle_connections()), (1, 0));

    let error = crm.conn().put(cid(), Body::streamed(pieces(&["abc"]), Some(2))).await.unwrap_err();
    let expected = "`CRM`: the body of the request could not be read to its end";
    assert_eq!(error.to_string(), expected);
}
