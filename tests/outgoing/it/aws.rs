//! AWS signatures, which botocore computes anew for each request: for whatever is sent, both come to the same.

use std::sync::OnceLock;

use bytes::Bytes;
use futures_util::stream;
use http::Method;
use serde_json::json;
use zato_outgoing::{AwsCredentials, Body, Call, Connection, Form, Secret, Security};

use crate::support::peer::Peer;
use crate::support::{chain, cid, connection};

/// The address of the one server of this process.
fn host() -> &'static str {
    static PEER: OnceLock<(Peer, String)> = OnceLock::new();
    let (_, host) = PEER.get_or_init(|| {
        let (peer, address) = Peer::python("aws_server.py");
        (peer, format!("http://{address}"))
    });
    host
}

fn lasting(service: &str) -> AwsCredentials {
    AwsCredentials::new("AKIDLASTING", "s3cret/+key", "eu-central-1", service)
}

fn temporary(service: &str) -> AwsCredentials {
    let mut credentials = AwsCredentials::new("ASIATEMPORARY", "0ther s3cret", "us-east-1", service);
    credentials.session_token = Some(Secret::from("a/session+token=="));
    credentials
}

fn with(credentials: AwsCredentials) -> Connection {
    connection(host(), "/", |config| config.security = Some(Security::Aws(credentials)))
}

/// What the server says of a call: how its body was signed.
async fn said(name: &str, call: Call) -> String {
    let response = call.await.unwrap_or_else(|error| panic!("{name}: {}", chain(&error)));
    assert_eq!(response.status(), 200, "{name}: {}", response.text());
    response.text().into_owned()
}

/// Checks a call, which `make` makes, with each of the services whose signatures differ, and with each kind of credentials.
async fn check(name: &str, make: impl Fn(&Connection) -> Call) {
    for service in ["execute-api", "s3"] {
        for credentials in [lasting(service), temporary(service)] {
            let name = format!("{name}, {service}, {}", credentials.access_key_id);
            let signed = said(&name, make(&with(credentials))).await;
            assert_eq!(signed, "signed", "{name}");
        }
    }
}

fn request(connection: &Connection, method: Method, path: &str) -> Call {
    connection.conn().session().request(cid(), method, path)
}

#[tokio::test]
async fn methods() {
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        check(method.as_str(), |connection| request(connection, method.clone(), "/a")).await;
    }
    // Its reply has no body which could say more.
    let response = with(lasting("s3")).conn().head(cid(), ()).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn paths() {
    for path in [
        "/",
        "/a",
        "/a/",
        "/a/b/c",
        "//",
        "/a//b///c",
        "/./a",
        "/a/./b/../c",
        "/a/../../b/..",
        "/a%20b",
        "/a b",
        "/a%2Fb",
        "/a%252Fb",
        "/a%2fb%c4%85",
        "/zażółć/漢字",
        "/%ff%00",
        "/a-b_c.d~e",
        "/a!$&'()*+,;=:@b",
        "/a\"<>^`{|}b",
    ] {
        check(path, |connection| request(connection, Method::GET, path)).await;
    }
}

#[tokio::test]
async fn queries() {
    for query in [
        "acl",
        "acl&lifecycle",
        "b=2&a=1&a=0&B=3",
        "a=&b",
        "a=b=c",
        "a+b=c+d",
        "a%20b=c%2Bd",
        "a=%2f%c4%85",
        "a=zażółć",
        "a=-_.~!*'();:@$,/?[]",
        "Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
    ] {
        check(query, |connection| request(connection, Method::GET, &format!("/a?{query}"))).await;
    }
    let params = [("b c", "&=?#/+%"), ("a", "zażółć"), ("a", "\r\n"), ("", "1"), ("z", "")];
    check("parameters", |connection| connection.conn().get(cid(), params)).await;
}

#[tokio::test]
async fn bodies() {
    check("text", |connection| connection.conn().post(cid(), "zażółć")).await;
    check("JSON", |connection| connection.conn().put(cid(), json!({"a": [1, null, "ż"]}))).await;
    check("a form", |connection| connection.conn().post(cid(), Form([("a b", "c&d")]))).await;
    check("bytes", |connection| connection.conn().patch(cid(), vec![0, 0xff, 0xfe])).await;
    check("a large body", |connection| connection.conn().post(cid(), "x".repeat(1 << 20))).await;
}

#[tokio::test]
async fn headers() {
    check("those of AWS", |connection| {
        let call = connection.conn().put(cid(), "a");
        call.header("x-amz-meta-b", "  two   spaces ").header("X-Amz-Acl", "private").header("X-Own", "1")
    })
    .await;
    check("repeated ones", |connection| {
        connection.conn().get(cid(), ()).header("x-amz-meta-a", "1").header("x-amz-meta-a", "2")
    })
    .await;
    check("a media type", |connection| {
        connection.conn().post(cid(), "<a/>").header("Content-Type", "application/xml; charset=utf-8")
    })
    .await;
}

/// A stream is not read before it is sent, which the request says.
#[tokio::test]
async fn streams() {
    for service in ["s3", "execute-api"] {
        for length in [None, Some(4)] {
            let pieces = ["ab", "cd"].map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)));
            let body = Body::streamed(stream::iter(pieces), length);
            let call = with(temporary(service)).conn().put(cid(), body);
            assert_eq!(said(service, call).await, "UNSIGNED-PAYLOAD");
        }
    }
}

/// The server does see what is wrong.
#[tokio::test]
async fn wrong_credentials() {
    let mut forgotten = temporary("s3");
    forgotten.session_token = None;
    let wrong = AwsCredentials::new("AKIDLASTING", "another", "eu-central-1", "s3");
    for credentials in [wrong, forgotten] {
        assert_eq!(with(credentials).conn().get(cid(), ()).await.unwrap().status(), 403);
    }
    let unsigned = connection(host(), "/", |_| {}).conn().get(cid(), ()).await.unwrap();
    assert_eq!(unsigned.text(), "there is no signature");
}
