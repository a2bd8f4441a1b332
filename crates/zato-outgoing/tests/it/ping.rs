//! Pings, as they arrive and as they are reported.

use http::{Response, StatusCode};
use http_body_util::Full;
use zato_outgoing::{Failure, Secret, Security, Transport};

use crate::peer::{Peer, cid, connection};

#[tokio::test]
async fn any_status_is_a_success() {
    let peer = Peer::answering(|_| {
        Response::builder().status(StatusCode::NOT_FOUND).body(Full::from("nothing here")).unwrap()
    })
    .await;
    let report = connection(&peer.host(), "/a", |_| {}).conn().ping(cid()).await.unwrap();
    let lines: Vec<&str> = report.lines().collect();
    let first = format!("2013-04-26T23:41:45.271911 (UTC) HEAD {}/a", peer.host());
    assert_eq!(lines[..2], [&*first, "Code: 404"]);
    let time = lines[2].strip_prefix("Response time: 0:00:0").unwrap();
    assert!(time.chars().all(|character| character.is_ascii_digit() || character == '.'), "{report}");
    assert_eq!(lines.len(), 3);
    assert!(!report.ends_with('\n'));
}

#[tokio::test]
async fn inactive_connections_can_be_pinged_and_placeholders_stay() {
    let peer = Peer::saying("body").await;
    let crm = connection(&peer.host(), "/{id}", |config| {
        config.is_active = false;
        config.ping_method = "GET".to_owned();
    });
    let report = crm.conn().ping(cid()).await.unwrap();
    assert!(report.contains(&format!("GET {}/%7Bid%7D\nCode: 200\n", peer.host())), "{report}");
    assert_eq!(peer.request().uri(), "/%7Bid%7D");
}

#[tokio::test]
async fn a_soap_connection_is_pinged_without_an_envelope() {
    let peer = Peer::saying("").await;
    let crm = connection(&peer.host(), "/", |config| {
        let action = "urn:balance".to_owned();
        config.transport = Transport::Soap { version: zato_soap::Version::V11, action };
        let (username, password) = ("user".to_owned(), Secret::from("secret"));
        config.security = Some(Security::WsSecurity { username, password });
        config.ping_method = "POST".to_owned();
    });
    crm.conn().ping(cid()).await.unwrap();
    let request = peer.request();
    assert_eq!(request.body(), "");
    assert_eq!(request.headers()["SOAPAction"], "urn:balance");
    assert_eq!(request.headers()["X-Zato-CID"], cid().as_str());
    assert!(!request.headers().contains_key("Content-Type"));
}

#[tokio::test]
async fn credentials_go_along() {
    let peer = Peer::saying("").await;
    let crm = connection(&peer.host(), "/", |config| {
        let (username, password) = ("Aladdin".to_owned(), Secret::from("open sesame"));
        config.security = Some(Security::BasicAuth { username, password });
    });
    crm.conn().ping(cid()).await.unwrap();
    assert_eq!(peer.request().headers()["Authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

#[tokio::test]
async fn a_failure_is_an_error() {
    let error = connection("http://host.invalid", "/", |_| {}).conn().ping(cid()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::Resolve { .. }));
}
