//! Replies that lead somewhere else, set cookies or are compressed.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::TryStreamExt;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, COOKIE, LOCATION, SET_COOKIE};
use http::{Request, Response};
use http_body_util::Full;
use hyper::ext::ReasonPhrase;
use serde_json::json;
use zato_outgoing::{Body, Failure, Redirects, Secret, Security, Transport};

use crate::peer::{Peer, cid, connection, reply, until_closed};

fn found(location: &str) -> Response<Full<Bytes>> {
    Response::builder().status(302).header(LOCATION, location).body(Full::from("moved")).unwrap()
}

/// A peer whose `/old` leads to `/new`, which answers with the method and the body it got.
async fn moved(status: u16) -> Peer {
    Peer::answering(move |request| match request.uri().path() {
        "/old" => {
            let mut response = found("/new");
            *response.status_mut() = status.try_into().unwrap();
            response
        }
        _ => {
            let body = String::from_utf8(request.body().to_vec()).unwrap();
            Response::new(Full::from(format!("{} {body}", request.method())))
        }
    })
    .await
}

#[tokio::test]
async fn a_redirect_is_followed_on_the_same_connection() {
    let peer = moved(302).await;
    let crm = connection(&peer.host(), "/old", |_| {});
    let response = crm.conn().post(cid(), json!(1)).await.unwrap();
    assert_eq!(response.text(), "GET ");
    assert_eq!(response.url().path(), "/new");
    let [hop] = response.history() else { panic!("{:?}", response.history()) };
    assert_eq!((hop.method.as_str(), hop.url.path(), hop.status.as_u16()), ("POST", "/old", 302));
    assert_eq!((peer.connections(), peer.requests()), (1, 2));
}

#[tokio::test]
async fn an_empty_location_leads_nowhere() {
    let peer = Peer::answering(|_| found("")).await;
    let crm = connection(&peer.host(), "/", |_| {});
    assert_eq!(crm.conn().get(cid(), ()).await.unwrap().status(), 302);
    assert_eq!(peer.requests(), 1);
}

/// hyper tells the phrase of a status only if it is not the usual one.
#[tokio::test]
async fn the_reason_phrase_is_that_of_the_last_reply() {
    let peer = Peer::answering(|request| {
        if request.uri().path() != "/old" {
            return Response::new(Full::from("new"));
        }
        let mut response = found("/new");
        response.extensions_mut().insert(ReasonPhrase::from_static(b"Moved Temporarily"));
        response
    })
    .await;
    let crm = connection(&peer.host(), "/old", |_| {});
    let response = crm.conn().get(cid(), ()).await.unwrap();
    assert_eq!((response.status().as_u16(), response.reason()), (200, "OK"));
    let response = crm.conn().get(cid(), ()).redirects(Redirects::HandOut).await.unwrap();
    assert_eq!((response.status().as_u16(), response.reason()), (302, "Moved Temporarily"));
}

#[tokio::test]
async fn the_body_goes_along_where_it_is_asked_for() {
    let peer = moved(307).await;
    let crm = connection(&peer.host(), "/old", |_| {});
    assert_eq!(crm.conn().put(cid(), "body").await.unwrap().text(), "PUT body");
    let stream = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from("body"))]);
    let response = crm.conn().put(cid(), Body::streamed(stream, None)).await.unwrap();
    assert_eq!((response.status().as_u16(), response.history().len()), (307, 0));
}

#[tokio::test]
async fn redirects_can_be_handed_out() {
    let peer = moved(302).await;
    let crm = connection(&peer.host(), "/old", |_| {});
    assert_eq!(crm.conn().head(cid(), ()).await.unwrap().status(), 302);
    let response = crm.conn().get(cid(), ()).redirects(Redirects::HandOut).await.unwrap();
    assert_eq!((response.status().as_u16(), response.text().as_ref()), (302, "moved"));
    let none = connection(&peer.host(), "/old", |config| config.max_redirects = 0);
    assert_eq!(none.conn().get(cid(), ()).await.unwrap().status(), 302);
    assert_eq!(crm.conn().head(cid(), ()).redirects(Redirects::Follow).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_loop_is_an_error() {
    let peer = Peer::answering(|_| found("/")).await;
    let crm = connection(&peer.host(), "/", |config| config.max_redirects = 3);
    let error = crm.conn().get(cid(), ()).await.unwrap_err();
    assert_eq!(error.to_string(), "`CRM`: there were more than 3 redirects");
    assert!(error.may_have_been_sent());
    assert_eq!(peer.requests(), 4);
}

#[tokio::test]
async fn a_streamed_reply_is_that_of_the_last_hop() {
    let peer = moved(302).await;
    let crm = connection(&peer.host(), "/old", |_| {});
    let response = crm.conn().get(cid(), ()).prefetch(false).await.unwrap();
    assert_eq!(response.into_stream().try_collect::<Vec<_>>().await.unwrap().concat(), b"GET ");
    assert_eq!(crm.idle_connections(), 1);
}

#[tokio::test]
async fn credentials_are_not_sent_to_another_port() {
    let other = Peer::saying("other").await;
    let location = format!("{}/there", other.host());
    let peer = Peer::answering(move |_| found(&location)).await;
    let crm = connection(&peer.host(), "/", |config| {
        let (username, password) = ("user".to_owned(), Secret::from("secret"));
        config.security = Some(Security::BasicAuth { username, password });
    });
    assert_eq!(crm.conn().get(cid(), ()).await.unwrap().text(), "other");
    assert!(peer.request().headers().contains_key(AUTHORIZATION));
    assert!(!other.request().headers().contains_key(AUTHORIZATION));
    let own =
        connection(&peer.host(), "/", |_| {}).conn().get(cid(), ()).header("Authorization", "Bearer own");
    assert_eq!(own.await.unwrap().text(), "other");
    assert!(!other.last_request().headers().contains_key(AUTHORIZATION));
    assert_eq!(other.last_request().headers()["Host"], other.address.to_string());
}

#[tokio::test]
async fn an_envelope_without_its_body_is_not_sent() {
    let peer = moved(302).await;
    let crm = connection(&peer.host(), "/old", |config| {
        config.transport = Transport::Soap { version: zato_soap::Version::V11, action: "a".to_owned() };
    });
    assert_eq!(crm.conn().send(cid(), "<a/>").await.unwrap().text(), "GET ");
}

#[tokio::test]
async fn cookies_are_kept_and_sent_back() {
    let peer = Peer::answering(|request| {
        let sent = request.headers().get(COOKIE).map(|value| value.to_str().unwrap().to_owned());
        let mut response = match request.uri().path() {
            "/login" => found("/"),
            _ => Response::new(Full::from(sent.unwrap_or_default())),
        };
        if request.uri().path() == "/login" {
            response.headers_mut().insert(SET_COOKIE, "session=1; Path=/".parse().unwrap());
        }
        response
    })
    .await;
    let crm = connection(&peer.host(), "/login", |_| {});
    assert_eq!(crm.conn().get(cid(), ()).await.unwrap().text(), "session=1");
    let session = crm.conn().session();
    assert_eq!(session.request(cid(), http::Method::GET, "/").await.unwrap().text(), "session=1");
    let own = session.request(cid(), http::Method::GET, "/").header("Cookie", "own=1");
    assert_eq!(own.await.unwrap().text(), "own=1");
    let forgetful = connection(&peer.host(), "/login", |config| config.keep_cookies = false);
    assert_eq!(forgetful.conn().get(cid(), ()).await.unwrap().text(), "");
}

/// "reply", compressed.
const GZIP: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03+J-\xc8\xa9\x04\x00\xe0\xc6\xa8\xfd\x05\x00\x00\x00";

/// A peer that replies with `GZIP` and writes down what was accepted.
async fn compressing(accepted: Arc<Mutex<Vec<String>>>) -> Peer {
    Peer::answering(move |request: &Request<Bytes>| {
        let accepts = request.headers().get(ACCEPT_ENCODING).map_or("", |value| value.to_str().unwrap());
        accepted.lock().unwrap().push(accepts.to_owned());
        Response::builder().header(CONTENT_ENCODING, "gzip").body(Full::from(GZIP)).unwrap()
    })
    .await
}

#[tokio::test]
async fn replies_are_decompressed() {
    let accepted: Arc<Mutex<Vec<String>>> = Arc::default();
    let peer = compressing(Arc::clone(&accepted)).await;
    let crm = connection(&peer.host(), "/", |_| {});
    let response = crm.conn().get(cid(), ()).await.unwrap();
    assert_eq!(response.text(), "reply");
    assert_eq!(response.header("Content-Encoding"), None);
    let streamed = crm.conn().get(cid(), ()).header("Accept-Encoding", "gzip").prefetch(false);
    assert_eq!(streamed.await.unwrap().into_bytes(100).await.unwrap(), "reply");
    let raw = connection(&peer.host(), "/", |config| config.decompress = false);
    assert_eq!(raw.conn().get(cid(), ()).await.unwrap().bytes(), GZIP);
    assert_eq!(*accepted.lock().unwrap(), ["gzip, deflate, br, zstd", "gzip", ""]);
}

#[tokio::test]
async fn the_limit_is_on_what_comes_out() {
    let peer = compressing(Arc::default()).await;
    let crm = connection(&peer.host(), "/", |config| config.response_limit = 4);
    let error = crm.conn().get(cid(), ()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::TooLarge { limit: 4 }), "{error:?}");
}

#[tokio::test]
async fn a_reply_that_is_not_compressed_as_it_says() {
    let peer = Peer::scripted(|_, mut stream| async move {
        let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n";
        reply(&mut stream, &format!("{head}reply")).await;
        until_closed(&mut stream).await;
    })
    .await;
    let error = connection(&peer.host(), "/", |_| {}).conn().get(cid(), ()).await.unwrap_err();
    assert_eq!(error.to_string(), "`CRM`: the reply could not be decompressed");
}
