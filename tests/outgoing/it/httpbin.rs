//! httpbin: what it says it got is what was meant, and its replies are read as they are meant.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{TryStreamExt, stream};
use http::Method;
use serde_json::{Value, json};
use zato_outgoing::{
    Body, Call, Config, Connection, Failure, Form, Multipart, Part, Phase, Redirects, Response, Secret,
    Security,
};

use crate::support::peer::Peer;
use crate::support::{chain, cid, connection};

/// The address of the one server of this process.
fn httpbin() -> &'static str {
    static PEER: OnceLock<(Peer, String)> = OnceLock::new();
    let (_, host) = PEER.get_or_init(|| {
        let (peer, address) = Peer::python("httpbin_server.py");
        (peer, format!("http://{address}"))
    });
    host
}

fn at(path: &str) -> Connection {
    configured(path, |_| {})
}

fn configured(path: &str, change: impl FnOnce(&mut Config)) -> Connection {
    connection(httpbin(), path, change)
}

fn secured(path: &str, security: Security) -> Connection {
    configured(path, |config| config.security = Some(security))
}

async fn reply(call: Call) -> Response {
    let response = call.await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(response.status(), 200, "{}", response.text());
    response
}

/// What httpbin says about the request.
async fn said(call: Call) -> Value {
    reply(call).await.json().unwrap()
}

#[tokio::test]
async fn methods() {
    let crm = at("/anything");
    let conn = crm.conn();
    for (method, body, call) in [
        ("GET", "", conn.get(cid(), ())),
        ("POST", "a", conn.post(cid(), "a")),
        ("POST", "b", conn.send(cid(), "b")),
        ("PUT", "c", conn.put(cid(), "c")),
        ("PATCH", "d", conn.patch(cid(), "d")),
        ("DELETE", "", conn.delete(cid(), ())),
        ("DELETE", "e", conn.session().request(cid(), Method::DELETE, "/anything").body("e")),
        ("TRACE", "", conn.session().request(cid(), Method::TRACE, "/anything")),
    ] {
        let said = said(call).await;
        assert_eq!((&said["method"], &said["data"]), (&json!(method), &json!(body)));
    }
    let options = reply(conn.options(cid(), ())).await;
    let allowed = options.header("Allow").unwrap();
    assert!(allowed.contains("PATCH"), "{allowed}");
    let head = reply(at("/get").conn().head(cid(), ())).await;
    assert_eq!(head.text(), "");
    assert_ne!(head.header("Content-Length"), Some("0"));
}

#[tokio::test]
async fn parameters() {
    let params = [("a", "1"), ("a", "2"), ("b", "zażółć & co"), ("c", ""), ("d", "+%/?#[]'~")];
    let said = said(at("/get").conn().get(cid(), params)).await;
    let expected = json!({"a": ["1", "2"], "b": "zażółć & co", "c": "", "d": "+%/?#[]'~"});
    assert_eq!(said["args"], expected);
}

#[tokio::test]
async fn path_parameters() {
    let crm = at("/anything/{customer}/orders/{id}");
    let call = crm.conn().get(cid(), [("id", "7"), ("customer", "ż & co?"), ("page", "2")]);
    let said = said(call).await;
    let url = said["url"].as_str().unwrap();
    assert!(url.ends_with("/anything/ż%20&%20co%3F/orders/7?page=2"), "{url}");
    assert_eq!(said["args"], json!({"page": "2"}));
}

#[tokio::test]
async fn headers() {
    let said = said(at("/headers").conn().get(cid(), ()).header("X-Own", "value")).await;
    let headers = &said["headers"];
    assert_eq!(headers["X-Own"], "value");
    assert_eq!(headers["X-Zato-Cid"], cid().to_string());
    assert_eq!(headers["X-Zato-Component"], "tests");
}

#[tokio::test]
async fn bodies() {
    let crm = at("/post");
    let json = json!({"name": "Zażółć", "list": [1, 2.5, null, true]});
    assert_eq!(said(crm.conn().post(cid(), json.clone())).await["json"], json);
    let text = said(crm.conn().post(cid(), "zażółć")).await;
    assert_eq!((&text["data"], &text["json"]), (&json!("zażółć"), &Value::Null));
    let binary = said(crm.conn().post(cid(), &[0, 0xff, 0xfe])).await;
    assert_eq!(binary["data"], "data:application/octet-stream;base64,AP/+");
    let large = "x".repeat(3 * 1024 * 1024);
    assert_eq!(said(crm.conn().post(cid(), &large)).await["data"].as_str().unwrap(), large);
}

#[tokio::test]
async fn forms() {
    let fields = [("name", "Foo & Bar = ż"), ("type", "1"), ("type", "2"), ("empty", "")];
    let said = said(at("/post").conn().post(cid(), Form(fields))).await;
    assert_eq!(said["form"], json!({"name": "Foo & Bar = ż", "type": ["1", "2"], "empty": ""}));
    assert_eq!(said["headers"]["Content-Type"], "application/x-www-form-urlencoded");
}

#[tokio::test]
async fn files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.txt");
    std::fs::write(&path, "line\r\n".repeat(50_000)).unwrap();
    let form = Multipart::new()
        .text("title", "March & April")
        .part("report", Part::file(&path).await.unwrap().media_type("text/plain"))
        .part("zażółć \"1\"", Part::bytes("short").file_name("a \"b\".txt"));
    let said = said(at("/post").conn().post(cid(), form)).await;
    assert_eq!(said["form"], json!({"title": "March & April"}));
    assert_eq!(said["files"]["report"].as_str().unwrap().len(), 300_000);
    assert_eq!(said["files"].as_object().unwrap().len(), 2);
    assert!(said["headers"].get("Content-Length").is_some());
}

#[tokio::test]
async fn streams_up() {
    for (length, header) in [(Some(6), "Content-Length"), (None, "Transfer-Encoding")] {
        let pieces = ["ab", "cd", "ef"].map(|piece| Ok::<_, std::io::Error>(Bytes::from(piece)));
        let body = Body::streamed(stream::iter(pieces), length);
        let said = said(at("/anything").conn().post(cid(), body)).await;
        assert_eq!(said["data"], "abcdef", "{header}");
    }
}

#[tokio::test]
async fn streams_down() {
    let crm = at("/stream-bytes/100000");
    let call = crm.conn().get(cid(), [("chunk_size", "1000"), ("seed", "1")]).prefetch(false);
    let pieces: Vec<Bytes> = reply(call).await.into_stream().try_collect().await.unwrap();
    assert!(pieces.len() > 1, "one piece only");
    let whole = reply(crm.conn().get(cid(), [("seed", 1)])).await;
    assert_eq!(whole.bytes(), &pieces.concat());

    let lines = reply(at("/stream/5").conn().get(cid(), ())).await;
    let ids =
        lines.text().lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone()).collect();
    assert_eq!(Value::Array(ids), json!([0, 1, 2, 3, 4]));
}

#[tokio::test]
async fn a_slow_reply_is_read_as_it_comes() {
    let crm = at("/drip");
    // On a machine that is very busy, all of it may be there before anybody looks.
    let mut tries = 0..20;
    loop {
        let params = [("numbytes", "4"), ("duration", "1"), ("delay", "0")];
        let mut response = reply(crm.conn().get(cid(), params).prefetch(false)).await;
        let first = response.chunk().await.unwrap().unwrap();
        assert_eq!(first.len() + response.into_bytes(10).await.unwrap().len(), 4);
        if first.len() < 4 {
            return;
        }
        assert!(tries.next().is_some(), "the first byte comes with the last");
    }
}

#[tokio::test]
async fn a_reply_that_takes_too_long() {
    let error = at("/delay/3").conn().get(cid(), ()).timeout(Duration::from_millis(200)).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::TimedOut { phase: Phase::FirstByte }), "{error:?}");
    assert!(error.elapsed() < Duration::from_secs(2), "{error:?}");
}

#[tokio::test]
async fn statuses() {
    for status in [200, 201, 204, 304, 400, 404, 409, 418, 429, 500, 502, 503] {
        let response = at(&format!("/status/{status}")).conn().put(cid(), "a").await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.raise_for_status().is_err(), status >= 400, "{status}");
    }
}

#[track_caller]
fn check_landing(response: &Response, path: &str, statuses: &[u16]) {
    assert!(response.url().path().starts_with(path), "{}", response.url());
    let history: Vec<u16> = response.history().iter().map(|hop| hop.status.as_u16()).collect();
    assert_eq!(history, statuses);
}

#[tokio::test]
async fn redirects() {
    for path in ["/redirect/3", "/relative-redirect/3", "/absolute-redirect/3"] {
        let response = reply(at(path).conn().get(cid(), ())).await;
        check_landing(&response, "/get", &[302, 302, 302]);
    }
    for (status, method) in [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")] {
        let crm = at("/redirect-to");
        let params = [("url", "/anything".to_owned()), ("status_code", status.to_string())];
        let response = reply(crm.conn().post(cid(), "body").params(params)).await;
        check_landing(&response, "/anything", &[status]);
        let said: Value = response.json().unwrap();
        assert_eq!(said["method"], method, "{status}");
        assert_eq!(said["data"], if method == "POST" { "body" } else { "" }, "{status}");
    }
}

#[tokio::test]
async fn redirects_have_an_end() {
    let error = at("/redirect/31").conn().get(cid(), ()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::TooManyRedirects { limit: 30 }), "{error:?}");
    check_landing(&reply(at("/redirect/30").conn().get(cid(), ())).await, "/get", &[302; 30]);
}

#[tokio::test]
async fn redirects_are_handed_out_if_asked() {
    let crm = at("/redirect/1");
    for call in [crm.conn().head(cid(), ()), crm.conn().get(cid(), ()).redirects(Redirects::HandOut)] {
        let response = call.await.unwrap();
        assert_eq!((response.status().as_u16(), response.header("Location")), (302, Some("/get")));
        check_landing(&response, "/redirect/1", &[]);
    }
    let followed = reply(crm.conn().head(cid(), ()).redirects(Redirects::Follow)).await;
    check_landing(&followed, "/get", &[302]);
}

#[tokio::test]
async fn cookies() {
    let crm = at("/cookies");
    let session = crm.conn().session();
    let request = |path: &'static str| session.request(cid(), Method::GET, path);
    let set = said(request("/cookies/set?a=1&b=2")).await;
    assert_eq!(set["cookies"], json!({"a": "1", "b": "2"}));
    assert_eq!(said(crm.conn().get(cid(), ())).await["cookies"], json!({"a": "1", "b": "2"}));
    assert_eq!(said(request("/cookies/delete?a")).await["cookies"], json!({"b": "2"}));
    // Another connection has cookies of its own.
    assert_eq!(said(at("/cookies").conn().get(cid(), ())).await["cookies"], json!({}));
    let without = configured("/cookies", |config| config.keep_cookies = false);
    let set = without.conn().session().request(cid(), Method::GET, "/cookies/set?a=1");
    assert_eq!(said(set).await["cookies"], json!({}));
}

#[tokio::test]
async fn compression() {
    for (path, key) in [("/gzip", "gzipped"), ("/deflate", "deflated"), ("/brotli", "brotli")] {
        let crm = at(path);
        assert_eq!(said(crm.conn().get(cid(), ())).await[key], true);
        let mut streamed = reply(crm.conn().get(cid(), ()).prefetch(false)).await;
        let said: Value = serde_json::from_slice(streamed.read().await.unwrap()).unwrap();
        assert_eq!(said[key], true);
        let raw = reply(configured(path, |config| config.decompress = false).conn().get(cid(), ())).await;
        assert!(raw.header("Content-Encoding").is_some());
        assert!(raw.json::<Value>().is_err(), "{path}");
    }
}

#[tokio::test]
async fn charsets() {
    let text = reply(at("/encoding/utf8").conn().get(cid(), ())).await;
    assert!(text.text().contains("∮ E⋅da = Q"), "{}", text.text());
    let xml = reply(at("/xml").conn().get(cid(), ())).await;
    assert!(xml.text().contains("<slideshow"));
}

fn password() -> Secret {
    Secret::from("p@ss:wörd")
}

#[tokio::test]
async fn basic_auth() {
    let security = || Security::BasicAuth { username: "user".to_owned(), password: password() };
    for path in ["/basic-auth/user/p@ss:wörd", "/hidden-basic-auth/user/p@ss:wörd"] {
        assert_eq!(said(secured(path, security()).conn().get(cid(), ())).await["authenticated"], true);
    }
    let refused = secured("/basic-auth/user/other", security()).conn().get(cid(), ()).await.unwrap();
    assert_eq!(refused.status(), 401);
}

#[tokio::test]
async fn bearer_tokens() {
    let security = Security::Bearer { token: Secret::from("t0ken") };
    let said = said(secured("/bearer", security).conn().get(cid(), ())).await;
    assert_eq!((&said["authenticated"], &said["token"]), (&json!(true), &json!("t0ken")));
    assert_eq!(at("/bearer").conn().get(cid(), ()).await.unwrap().status(), 401);
}

#[tokio::test]
async fn digest_auth() {
    for algorithm in ["MD5", "SHA-256"] {
        for protection in ["auth", "auth-int"] {
            let path = format!("/digest-auth/{protection}/user/secret/{algorithm}");
            let digest = |password| Security::Digest { username: "user".to_owned(), password };
            let right = secured(&path, digest(Secret::from("secret")));
            for call in 0..3 {
                assert_eq!(said(right.conn().get(cid(), ())).await["authenticated"], true, "{path} {call}");
            }
            let wrong = secured(&path, digest(Secret::from("other")));
            assert_eq!(wrong.conn().get(cid(), ()).await.unwrap().status(), 401, "{path}");
        }
    }
}

#[tokio::test]
async fn credentials_stay_with_their_host() {
    let security = Security::BasicAuth { username: "user".to_owned(), password: password() };
    let other = httpbin().replace("127.0.0.1", "localhost");
    let crm = secured("/redirect-to", security);
    for (url, expected) in [("/headers".to_owned(), true), (format!("{other}/headers"), false)] {
        let said = said(crm.conn().get(cid(), [("url", &url)])).await;
        assert_eq!(said["headers"].get("Authorization").is_some(), expected, "{url}");
    }
}

#[tokio::test]
async fn one_connection_serves_calls_of_every_kind() {
    let crm = configured("/anything", |config| config.pool_size = 1);
    for _ in 0..3 {
        reply(crm.conn().get(cid(), ())).await;
        reply(crm.conn().post(cid(), Form([("a", "b")]))).await;
        reply(crm.conn().session().request(cid(), Method::GET, "/gzip")).await;
        reply(crm.conn().session().request(cid(), Method::GET, "/redirect/2")).await;
    }
    assert_eq!(crm.idle_connections(), 1);
}

#[tokio::test]
async fn many_calls_at_once() {
    let crm = configured("/anything", |config| config.pool_size = 8);
    let calls: Vec<_> = (0..64)
        .map(|number| tokio::spawn(crm.conn().post(cid(), json!({"number": number})).into_future()))
        .collect();
    for (number, call) in calls.into_iter().enumerate() {
        let said: Value = call.await.unwrap().unwrap().json().unwrap();
        assert_eq!(said["json"], json!({"number": number}));
    }
    assert!(crm.idle_connections() <= 8);
}

#[tokio::test]
async fn pings() {
    let report = at("/status/503").conn().ping(cid()).await.unwrap();
    assert!(report.contains("HEAD ") && report.contains("\nCode: 503\nResponse time: 0:00:0"), "{report}");
}
