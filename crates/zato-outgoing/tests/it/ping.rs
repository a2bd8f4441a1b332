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
    let names: Vec<&str> = lines[3..].iter().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(names, ["Queue", "DNS", "Connect", "First byte", "Protocol"]);
    assert!(report.ends_with("\nProtocol: HTTP/1.1"), "{report}");
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
async fn each_request_has_a_line() {
    let peer = Peer::answering(|request| match request.uri().path() {
        "/old" => Response::builder().status(302).header("Location", "/new").body(Full::from("")).unwrap(),
        _ => Response::new(Full::from("new")),
    })
    .await;
    let crm = connection(&peer.host(), "/old", |config| config.ping_method = "POST".to_owned());
    let report = crm.conn().ping(cid()).await.unwrap();
    let requests = report.lines().take(2).map(|line| line.split_once("(UTC) ").unwrap().1);
    let expected = [format!("POST {}/old", peer.host()), format!("GET {}/new", peer.host())];
    assert_eq!(requests.collect::<Vec<_>>(), expected);
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
async fn redirects_are_lines() {
    let peer = Peer::answering(|request| match request.uri().path() {
        "/a" => Response::builder().status(302).header("Location", "/b").body(Full::default()).unwrap(),
        _ => Response::new(Full::default()),
    })
    .await;
    let crm = connection(&peer.host(), "/a", |config| config.ping_method = "GET".to_owned());
    let report = crm.conn().ping(cid()).await.unwrap();
    let lines: Vec<&str> = report.lines().collect();
    assert!(lines[0].ends_with("/a") && lines[1].ends_with("/b"), "{report}");
    assert_eq!(lines[2], "Code: 200");
}

#[tokio::test]
async fn a_failure_names_its_phase() {
    let error = connection("http://host.invalid", "/a", |_| {}).conn().ping(cid()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::Resolve { .. }));
    let text = "`CRM`: the ping failed while resolving the host name: \
                the host name `host.invalid` could not be resolved";
    assert_eq!(error.to_string(), text);
    let report: Vec<&str> = error.report().unwrap().lines().collect();
    let first = "2013-04-26T23:41:45.271911 (UTC) HEAD http://host.invalid/a";
    assert_eq!(report[..2], [first, "Failed while: resolving the host name"]);
    assert!(
        report[2].starts_with("Reason: the host name `host.invalid` could not be resolved: "),
        "{report:?}"
    );
    assert!(report[3].starts_with("Response time: 0:00:0"), "{report:?}");

    let call = connection("http://host.invalid", "/a", |_| {});
    assert_eq!(call.conn().get(cid(), ()).await.unwrap_err().report(), None);
}
