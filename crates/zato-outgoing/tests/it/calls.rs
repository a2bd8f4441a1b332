//! Requests as they arrive at the other side, and replies as they arrive at the caller.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;
use zato_outgoing::{Config, Failure, FailureKind, Secret, Security};

use crate::peer::{COMPONENT, Peer, chain, cid, connection, reply, until_closed};

fn basic_auth(config: &mut Config) {
    let (username, password) = ("Aladdin".to_owned(), Secret::from("open sesame"));
    config.security = Some(Security::BasicAuth { username, password });
}

/// What a call looks like on the wire, byte by byte.
#[tokio::test]
async fn a_request_is_exact() {
    let wire = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&wire);
    let peer = Peer::scripted(move |_, mut stream| {
        let seen = Arc::clone(&seen);
        async move {
            let request = reply(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
            *seen.lock().unwrap() = request;
            until_closed(&mut stream).await;
        }
    })
    .await;
    let crm = connection(&peer.host(), "/profiles", basic_auth);
    crm.conn().post(cid(), json!({"cust_id": 1, "name": "Foo Bar"})).await.unwrap();

    let wire = wire.lock().unwrap().clone();
    let (head, body) = wire.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines.remove(0), "POST /profiles HTTP/1.1");
    lines.sort_unstable();
    let agent = concat!("User-Agent: zato-outgoing/", env!("CARGO_PKG_VERSION"));
    let expected = [
        "Accept-Encoding: gzip, deflate, br, zstd",
        "Accept: */*",
        "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "Content-Length: 30",
        "Content-Type: application/json",
        &format!("Host: {}", peer.address),
        agent,
        "X-Zato-Cid: K21353002988419985838198535608",
        &format!("X-Zato-Component: {COMPONENT}"),
        "X-Zato-Msg-Ts: 2013-04-26T23:41:45.271911",
    ];
    assert_eq!(lines, expected);
    assert_eq!(body, r#"{"cust_id":1,"name":"Foo Bar"}"#);
}

#[tokio::test]
async fn every_verb() {
    let peer = Peer::answering(|request| {
        Response::builder().header("method", request.method().as_str()).body(Full::from("reply")).unwrap()
    })
    .await;
    let crm = connection(&peer.host(), "/", |_| {});
    let conn = crm.conn();
    let calls = [
        ("GET", conn.get(cid(), ())),
        ("POST", conn.post(cid(), "a")),
        ("POST", conn.send(cid(), "a")),
        ("PUT", conn.put(cid(), "a")),
        ("PATCH", conn.patch(cid(), "a")),
        ("DELETE", conn.delete(cid(), ())),
        ("OPTIONS", conn.options(cid(), ())),
        ("HEAD", conn.head(cid(), ())),
        ("PROPFIND", conn.session().request(cid(), Method::from_bytes(b"PROPFIND").unwrap(), "/")),
    ];
    for (method, call) in calls {
        let response = call.await.unwrap();
        assert_eq!(response.header("Method"), Some(method));
        assert_eq!(response.text(), if method == "HEAD" { "" } else { "reply" }, "{method}");
    }
}

#[tokio::test]
async fn parameters_fill_the_path_and_become_the_query_string() {
    let peer = Peer::saying("").await;
    let cases = connection(&peer.host(), "/customers/{id}/cases", |_| {});
    let response = cases.conn().get(cid(), [("type", "a b"), ("id", "1/2"), ("type", "&")]).await.unwrap();
    assert_eq!(peer.request().uri(), "/customers/1%2F2/cases?type=a+b&type=%26");
    assert!(response.url().to_string().starts_with(&peer.host()));
}

#[tokio::test]
async fn a_missing_path_parameter_is_named_and_nothing_is_sent() {
    let peer = Peer::saying("").await;
    let cases = connection(&peer.host(), "/customers/{id}", |_| {});
    let error = cases.conn().get(cid(), [("name", "x")]).await.unwrap_err();
    assert_eq!(error.to_string(), "`CRM`: there is no value for the path parameter `id`");
    assert!(!error.may_have_been_sent());
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn the_callers_headers_win() {
    let peer = Peer::saying("").await;
    let crm = connection(&peer.host(), "/", basic_auth);
    let call = crm
        .conn()
        .post(cid(), json!(1))
        .header("X-Zato-CID", "own")
        .header("content-type", "application/merge-patch+json")
        .header("Authorization", "Bearer own")
        .header("X-Extra", "1")
        .header("X-Extra", "2");
    call.await.unwrap();
    let request = peer.request();
    let headers = request.headers();
    assert_eq!(headers["X-Zato-CID"], "own");
    assert_eq!(headers["Content-Type"], "application/merge-patch+json");
    assert_eq!(headers["Authorization"], "Bearer own");
    assert_eq!(headers.get_all("X-Extra").iter().collect::<Vec<_>>(), ["1", "2"]);
}

#[tokio::test]
async fn text_has_no_content_type_of_its_own() {
    let peer = Peer::saying("").await;
    connection(&peer.host(), "/", |_| {}).conn().post(cid(), "é").await.unwrap();
    assert!(!peer.request().headers().contains_key("Content-Type"));
    assert_eq!(peer.request().body(), "é");
}

#[tokio::test]
async fn an_invalid_header_is_an_error_before_anything_is_sent() {
    let peer = Peer::saying("").await;
    let crm = connection(&peer.host(), "/", |_| {});
    let error = crm.conn().get(cid(), ()).header("X-Extra", "a\r\nb").await.unwrap_err();
    assert_eq!(error.to_string(), "`CRM`: the header value of the request is invalid");
    let error = crm.conn().get(cid(), ()).header("X Extra", "a").await.unwrap_err();
    assert_eq!(error.to_string(), "`CRM`: the header name of the request is invalid");
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn the_length_is_that_of_the_body_whatever_the_caller_says() {
    let peer = Peer::saying("").await;
    let crm = connection(&peer.host(), "/", |_| {});
    let call =
        crm.conn().post(cid(), "12345").header("Content-Length", 2).header("Transfer-Encoding", "chunked");
    call.await.unwrap();
    assert_eq!(peer.request().headers()["Content-Length"], "5");
    assert!(!peer.request().headers().contains_key("Transfer-Encoding"));
    assert_eq!(peer.request().body(), "12345");
}

#[tokio::test]
async fn tunnels_are_refused() {
    let crm = connection("http://localhost", "/", |_| {});
    let error = crm.conn().session().request(cid(), Method::CONNECT, "/").await.unwrap_err();
    assert_eq!(error.to_string(), "`CRM`: the method of the request is invalid");
}

#[tokio::test]
async fn the_longest_times_are_no_problem() {
    let peer = Peer::saying("reply").await;
    let crm = connection(&peer.host(), "/", |config| {
        config.timeout = Duration::MAX;
        config.idle_timeout = Duration::MAX;
        config.pool_size = usize::MAX;
    });
    assert_eq!(crm.conn().get(cid(), ()).await.unwrap().text(), "reply");
    assert_eq!(crm.idle_connections(), 1);
}

#[tokio::test]
async fn a_response_has_it_all() {
    let peer = Peer::scripted(|_, mut stream| async move {
        let head =
            "HTTP/1.1 203 Maybe\r\nContent-Type: text/plain; charset=iso-8859-2\r\nContent-Length: 4\r\n\r\n";
        let _request = crate::peer::read_request(&mut stream).await;
        let reply = [head.as_bytes(), b"\"\xb1\xe6\""].concat();
        tokio::io::AsyncWriteExt::write_all(&mut stream, &reply).await.unwrap();
        until_closed(&mut stream).await;
    })
    .await;
    let response = connection(&peer.host(), "/", |_| {}).conn().get(cid(), ()).await.unwrap();
    assert_eq!(response.status(), StatusCode::NON_AUTHORITATIVE_INFORMATION);
    assert_eq!(response.reason(), "Maybe");
    assert_eq!(response.header("content-TYPE"), Some("text/plain; charset=iso-8859-2"));
    assert_eq!(response.header("X-None"), None);
    assert_eq!(response.headers().len(), 2);
    assert_eq!(response.bytes().len(), 4);
    assert_eq!(response.text(), "\"ąć\"");
    assert_eq!(response.json::<String>().unwrap(), "ąć");
    assert!(response.elapsed() > Duration::ZERO);
}

#[tokio::test]
async fn json_may_begin_with_a_byte_order_mark() {
    let bodies: [&'static [u8]; 3] = [b"\xef\xbb\xbf[1]", b"\xff\xfe[\x001\0]\0", b"[1]"];
    let types = ["application/json", "application/json; charset=iso-8859-2"];
    for (body, content_type) in bodies.into_iter().flat_map(|body| types.map(|name| (body, name))) {
        let peer = Peer::answering(move |_| {
            Response::builder().header("Content-Type", content_type).body(Full::from(body)).unwrap()
        })
        .await;
        let response = connection(&peer.host(), "/", |_| {}).conn().get(cid(), ()).await.unwrap();
        assert_eq!(response.json::<Vec<u8>>().unwrap(), [1], "{body:?} {content_type}");
    }
}

#[tokio::test]
async fn an_error_status_is_an_error_only_if_asked() {
    let peer = Peer::answering(|_| {
        Response::builder().status(StatusCode::CONFLICT).body(Full::from("not JSON")).unwrap()
    })
    .await;
    let response = connection(&peer.host(), "/", |_| {}).conn().get(cid(), ()).await.unwrap();
    assert_eq!((response.status().as_u16(), response.reason()), (409, "Conflict"));
    let error = response.json::<serde_json::Value>().unwrap_err();
    assert!(matches!(error.kind(), Failure::DecodeBody(_)));
    assert_eq!(chain(&error), "`CRM`: the reply is not the expected JSON: expected ident at line 1 column 2");
    let error = response.raise_for_status().unwrap_err();
    assert_eq!(error.to_string(), "`CRM`: the reply's status is 409 Conflict");
    assert_eq!(error.connection(), "CRM");
    assert_eq!(error.cid(), cid());
    assert!(error.may_have_been_sent());
}

#[tokio::test]
async fn an_inactive_connection_says_so() {
    let peer = Peer::saying("").await;
    let crm = connection(&peer.host(), "/", |config| config.is_active = false);
    let error = crm.conn().post(cid(), "a").await.unwrap_err();
    assert_eq!(error.to_string(), "`CRM` is inactive");
    assert!(matches!(error.kind(), Failure::Inactive));
    assert!(crm.conn().session().request(cid(), Method::GET, "/").await.is_err());
    assert_eq!(peer.connections(), 0);
    let metrics = crm.metrics();
    assert_eq!((metrics.calls, metrics.in_flight), (2, 0));
    assert!(metrics.failures().any(|counted| counted == (FailureKind::Invalid, 2)));
}

#[tokio::test]
async fn credentials_can_be_used_but_not_shown() {
    let crm = connection("http://localhost", "/", basic_auth);
    let auth = crm.conn().auth().unwrap();
    assert_eq!((auth.username(), auth.password().expose()), ("Aladdin", "open sesame"));
    for shown in [format!("{auth:?}"), format!("{crm:?}"), format!("{:?}", crm.conn().get(cid(), ()))] {
        assert!(!shown.contains("sesame"), "{shown}");
    }
    assert!(connection("http://localhost", "/", |_| {}).conn().auth().is_none());
}

#[tokio::test]
async fn a_session_goes_anywhere_but_takes_credentials_home_only() {
    let (home, elsewhere) = (Peer::saying("home").await, Peer::saying("elsewhere").await);
    let crm = connection(&home.host(), "/profiles", basic_auth);
    let session = crm.conn().session();

    let response = session.request(cid(), Method::GET, "/a b?c={d}").params([("e", "f")]).await.unwrap();
    assert_eq!(response.text(), "home");
    assert_eq!(home.request().uri(), "/a%20b?c=%7Bd%7D&e=f");
    assert!(home.request().headers().contains_key("Authorization"));

    let url = format!("{}/x", elsewhere.host());
    let response = session.request(cid(), Method::POST, url).json(&[1, 2]).await.unwrap();
    assert_eq!(response.text(), "elsewhere");
    let request = elsewhere.request();
    assert_eq!((request.uri().to_string(), &request.body()[..]), ("/x".to_owned(), &b"[1,2]"[..]));
    assert!(!request.headers().contains_key("Authorization"));
    assert!(request.headers().contains_key("X-Zato-CID"));
}

#[tokio::test]
async fn a_path_may_have_a_url_in_its_query() {
    let peer = Peer::saying("home").await;
    let crm = connection(&peer.host(), "/profiles", |_| {});
    crm.conn().session().request(cid(), Method::GET, "/login?next=http://example.com/a").await.unwrap();
    assert_eq!(peer.request().uri(), "/login?next=http://example.com/a");
}

#[tokio::test]
async fn fragments_are_not_sent() {
    let peer = Peer::saying("home").await;
    let session = connection(&peer.host(), "/profiles", |_| {});
    let session = session.conn().session();
    session.request(cid(), Method::GET, "/a?b=c#d").await.unwrap();
    assert_eq!(peer.last_request().uri(), "/a?b=c");
    session.request(cid(), Method::GET, format!("{}/x#?y", peer.host())).await.unwrap();
    assert_eq!(peer.last_request().uri(), "/x");
}

#[tokio::test]
async fn a_url_with_a_password_is_refused() {
    let crm = connection("http://localhost", "/", |_| {});
    let call = crm.conn().session().request(cid(), Method::GET, "http://user:s3cret@localhost/");
    assert!(!format!("{call:?}").contains("s3cret"));
    let error = call.await.unwrap_err();
    assert!(chain(&error).contains("use an Authorization header"), "{}", chain(&error));
    assert!(!format!("{error:?} {}", chain(&error)).contains("s3cret"), "{error:?}");
}

#[tokio::test]
async fn a_header_may_go_on_in_the_next_line() {
    let peer = Peer::scripted(|_, mut stream| async move {
        reply(&mut stream, "HTTP/1.1 200 OK\r\nX-A: b\r\n  c\r\nContent-Length: 0\r\n\r\n").await;
    })
    .await;
    let crm = connection(&peer.host(), "/", |_| {});
    let response = crm.conn().get(cid(), ()).await.unwrap();
    let value: Vec<_> = response.header("X-A").unwrap().split_whitespace().collect();
    assert_eq!(value, ["b", "c"]);
}

#[tokio::test]
async fn xml_in_other_encodings() {
    let check = async |content_type: &'static str, body: &'static [u8]| {
        let peer = Peer::answering(move |_| {
            let reply = Response::builder().header("Content-Type", content_type);
            reply.body(Full::from(body)).unwrap()
        })
        .await;
        let crm = connection(&peer.host(), "/", |_| {});
        let response = crm.conn().get(cid(), ()).await.unwrap();
        let text = response.xml(|document| document.root_element().text().map(str::to_owned));
        assert_eq!(text.unwrap().as_deref(), Some("\u{e9}"), "{content_type}");
    };
    let latin1 = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>";
    check("text/xml; charset=ISO-8859-1", latin1).await;
    check("text/xml", latin1).await;
    check("text/xml; charset=ISO-8859-1", b"<a>\xe9</a>").await;
    check("text/xml", b"\xff\xfe<\0a\0>\0\xe9\0<\0/\0a\0>\0").await;
    check("text/xml", b"<?xml version=\"1.0\" encoding=\"utf-8\"?><a>\xc3\xa9</a>").await;
    check("text/xml", b"<a>\xc3\xa9</a>").await;
    let other = b"<?xml version=\"1.0\" encoding=\"utf-16\"?><a>\xc3\xa9</a>";
    check("text/xml; charset=utf-8", other).await;
}

#[tokio::test]
async fn a_path_parameter_does_not_lead_to_another_path() {
    let crm = connection("http://localhost", "/customers/{id}/cases", |_| {});
    let error = crm.conn().delete(cid(), [("id", "..")]).await.unwrap_err();
    assert_eq!(error.to_string(), "`CRM`: the path parameter of the request is invalid");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "the value of the path parameter `id` would lead to another path");
}

#[tokio::test]
async fn a_session_refuses_what_is_no_url() {
    let crm = connection("http://localhost", "/", |_| {});
    for url in ["ftp://localhost/", "http://", "http://a b/", "http://localhost:70000/", "path"] {
        let error = crm.conn().session().request(cid(), Method::GET, url).await.unwrap_err();
        assert_eq!(error.to_string(), "`CRM`: the URL of the request is invalid", "{url}");
    }
}

#[tokio::test]
async fn a_reply_over_the_limit_is_an_error() {
    let peer = Peer::saying("12345678").await;
    let crm = connection(&peer.host(), "/", |config| config.response_limit = 7);
    let error = crm.conn().get(cid(), ()).await.unwrap_err();
    assert_eq!(error.to_string(), "`CRM`: the reply is larger than 7 bytes");
    assert!(error.may_have_been_sent());
}
