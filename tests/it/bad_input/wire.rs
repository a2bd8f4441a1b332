//! Requests whose bytes are wrong, or that do not go on: HTTP itself is the subject.

use std::thread;

use super::{is_logged, still_works};
use crate::support::http::{basic_auth, is_cid};
use crate::support::raw::Raw;
use crate::support::{Launch, Server, shell};

const PING: &str = "POST /zato/ping HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{}";

#[track_caller]
fn pings(connection: &mut Raw) {
    let reply = connection.send(PING).reply().expect("the connection is usable");
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// After an error that HTTP can recover from, the next request on the same connection is answered.
#[test]
fn the_connection_stays_usable_after_an_error() {
    let server = Launch::new().flag("--max-body-bytes", "1000").start();
    let auth = basic_auth("pubapi", server.password("pubapi"));
    let mut connection = Raw::open(server.address());
    pings(&mut connection);
    for (request, status) in [
        ("POST /zato/ping HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\n{".to_owned(), 400),
        ("POST /zato/json/zato.ping HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}".to_owned(), 401),
        ("POST /no/such HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}".to_owned(), 404),
        ("DELETE /zato/health HTTP/1.1\r\nHost: t\r\n\r\n".to_owned(), 405),
        ("TRACE /no/such HTTP/1.1\r\nHost: t\r\n\r\n".to_owned(), 404),
        (
            format!(
                "POST /zato/json/zato.http-soap.ping HTTP/1.1\r\nHost: t\r\nAuthorization: {auth}\r\n\
                 Content-Length: 11\r\n\r\n{{\"id\":9999}}"
            ),
            404,
        ),
        (
            format!(
                "POST /zato/soap HTTP/1.1\r\nHost: t\r\nAuthorization: {auth}\r\nSOAPAction: zato.ping\r\nContent-Length: 3\r\n\r\n<a>"
            ),
            500,
        ),
    ] {
        let reply = connection.send(&request).reply().unwrap_or_else(|| panic!("closed after {request}"));
        assert_eq!(reply.status, status, "{request}\n{}", reply.text());
        assert!(is_cid(reply.header("X-Zato-CID")), "{reply:?}");
        is_logged(&server, reply.header("X-Zato-CID"));
        pings(&mut connection);
    }
}

#[test]
fn requests_can_be_pipelined() {
    let server = Server::start();
    let mut connection = Raw::open(server.address());
    connection.send(PING.repeat(20));
    let cids: Vec<_> = (0..20)
        .map(|_| {
            let reply = connection.reply().unwrap();
            assert_eq!(reply.status, 200);
            assert!(reply.text().contains(reply.header("X-Zato-CID")));
            reply.header("X-Zato-CID").to_owned()
        })
        .collect();
    // Answered in order, each under its own id.
    assert!(cids.is_sorted_by(|first, second| first < second), "{cids:?}");
}

/// Two opinions about where a request ends are how requests are smuggled past proxies.
#[test]
fn ambiguous_lengths_are_refused() {
    let server = Server::start();
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n";
    for headers in [
        "Content-Length: 2\r\nContent-Length: 30\r\n",
        "Content-Length: 2, 30\r\n",
        "Content-Length: +2\r\n",
        "Content-Length: -2\r\n",
        "Content-Length: 0x2\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Content-Length: two\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Content-Length : 2\r\n",
        " Content-Length: 2\r\n",
    ] {
        let mut connection = Raw::open(server.address());
        connection
            .send(format!("POST /zato/ping HTTP/1.1\r\nHost: t\r\n{headers}\r\n{{}}{smuggled}"))
            .finish();
        let status = connection.reply().map(|reply| reply.status);
        assert!(matches!(status, None | Some(400 | 501)), "{headers:?}: {status:?}");
        let rest = connection.rest();
        assert!(rest.is_empty(), "{headers:?}: a second reply {}", String::from_utf8_lossy(&rest));
    }
    // A length beside chunks is either refused or ignored, but never believed.
    let mut connection = Raw::open(server.address());
    let both =
        "POST /zato/ping HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
    connection.send(format!("{both}0\r\n\r\n{smuggled}")).finish();
    let first = connection.reply().map(|reply| reply.status);
    assert!(matches!(first, None | Some(200 | 400)), "{first:?}");
    let second = connection.reply().map(|reply| reply.status);
    assert!(matches!(second, None | Some(404)), "{second:?}");
    still_works(&server);
}

#[test]
fn chunks_are_read_and_counted() {
    let server = Launch::new().flag("--max-body-bytes", "100").start();
    let head = "POST /zato/ping HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut connection = Raw::open(server.address());
    connection.send(format!("{head}1\r\n{{\r\n1;extension=1\r\n}}\r\n0\r\nTrailer: 1\r\n\r\n"));
    assert_eq!(connection.reply().unwrap().status, 200);
    pings(&mut connection);

    // No length is announced here, so the limit is met on the way.
    let chunk = format!("40\r\n{}\r\n", " ".repeat(64));
    let mut connection = Raw::open(server.address());
    let reply = connection.send(format!("{head}{}", chunk.repeat(3))).reply().unwrap();
    assert_eq!(reply.status, 413, "{}", reply.text());
    is_logged(&server, reply.header("X-Zato-CID"));

    for broken in ["zz\r\n{}\r\n0\r\n\r\n", "2\r\n{}XX0\r\n\r\n", "-1\r\n", "ffffffffffffffff\r\n{}\r\n"] {
        let mut connection = Raw::open(server.address());
        connection.send(format!("{head}{broken}")).finish();
        let status = connection.reply().map(|reply| reply.status);
        assert!(matches!(status, None | Some(400 | 413)), "{broken:?}: {status:?}");
    }
    still_works(&server);
}

/// A caller that asks before it sends a large body is spared sending it, as curl is.
#[test]
fn an_oversized_body_need_not_be_sent() {
    let server = Launch::new().flag("--max-body-bytes", "100").start();
    let mut connection = Raw::open(server.address());
    let head =
        "POST /zato/ping HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 1000000000\r\n\r\n";
    let reply = connection.send(head).reply().unwrap();
    assert_eq!(reply.status, 413, "{}", reply.text());
    let body = " ".repeat(3_000_000);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), body).unwrap();
    let curl = format!(
        "curl -sS -o /dev/null -w '%{{http_code}}' --data-binary @{} {}",
        file.path().display(),
        server.url("/zato/ping")
    );
    assert_eq!(shell::bash(&std::env::temp_dir(), &curl), "413");
    still_works(&server);
}

#[test]
fn malformed_heads_are_refused() {
    let server = Server::start();
    for head in [
        "nonsense\r\n\r\n",
        "GET\r\n\r\n",
        "GET /zato/ping\r\n\r\n",
        "GET /zato/ping HTTP/9.9\r\nHost: t\r\n\r\n",
        "GET /zato ping HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /zato/ping HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /zato/ping HTTP/1.1\r\nBad Name: 1\r\n\r\n",
        "GET /zato/ping HTTP/1.1\r\nHost: a\0b\r\n\r\n",
        "G\u{e9}T /zato/ping HTTP/1.1\r\nHost: t\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03\x03",
    ] {
        let mut connection = Raw::open(server.address());
        connection.send(head).finish();
        let status = connection.reply().map(|reply| reply.status);
        assert!(matches!(status, None | Some(400 | 505)), "{head:?}: {status:?}");
    }
    still_works(&server);
}

#[test]
fn oversized_heads_are_refused() {
    let server = Server::start();
    let many: String = (0..5000).map(|number| format!("X-Header-{number}: value\r\n")).collect();
    for head in [
        format!("GET /{} HTTP/1.1\r\nHost: t\r\n\r\n", "a".repeat(2_000_000)),
        format!("GET /zato/ping HTTP/1.1\r\nHost: t\r\nX-Long: {}\r\n\r\n", "a".repeat(2_000_000)),
        format!("GET /zato/ping HTTP/1.1\r\nHost: t\r\n{many}\r\n"),
    ] {
        let mut connection = Raw::open(server.address());
        connection.send(&head).finish();
        let status = connection.reply().map(|reply| reply.status);
        assert!(matches!(status, None | Some(400 | 414 | 431)), "{}: {status:?}", &head[..40]);
    }
    still_works(&server);
}

/// Callers that vanish in the middle leave nothing behind.
#[test]
fn half_requests_are_forgotten() {
    let server = Server::start();
    let auth = basic_auth("pubapi", server.password("pubapi"));
    let whole = format!(
        "POST /zato/json/zato.security.basic-auth.delete HTTP/1.1\r\nHost: t\r\nAuthorization: {auth}\r\n\
         Content-Length: 10\r\n\r\n{{\"id\": 1}} "
    );
    for length in (0..whole.len()).step_by(7) {
        Raw::open(server.address()).send(&whole.as_bytes()[..length]);
        let mut finished = Raw::open(server.address());
        finished.send(&whole.as_bytes()[..length]).finish();
        let status = finished.reply().map(|reply| reply.status);
        assert!(matches!(status, None | Some(400 | 408)), "{length}: {status:?}");
    }
    server.api().call("zato.ping", &serde_json::json!({})).ok();
}

/// Slow is not wrong: a request may come byte by byte.
#[test]
fn slow_callers_are_heard() {
    let server = Server::start();
    let mut connection = Raw::open(server.address());
    for byte in PING.as_bytes() {
        connection.send([*byte]);
    }
    assert_eq!(connection.reply().unwrap().status, 200);
    pings(&mut connection);
}

/// A caller that sends nothing, or slowly, must not keep others waiting.
#[test]
fn idle_connections_block_nobody() {
    let server = Server::start();
    let idle: Vec<_> = (0..300)
        .map(|number| {
            let mut connection = Raw::open(server.address());
            if number % 2 == 0 {
                connection.send("POST /zato/ping HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n{");
            }
            connection
        })
        .collect();
    still_works(&server);
    drop(idle);
    still_works(&server);
}

#[test]
fn many_callers_are_served_at_once() {
    let server = Server::start();
    thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                let mut connection = Raw::open(server.address());
                for _ in 0..20 {
                    pings(&mut connection);
                }
            });
        }
    });
}

#[test]
fn ordinary_variants_of_http_are_understood() {
    let server = Server::start();
    let mut connection = Raw::open(server.address());
    for request in [
        "post /zato/ping HTTP/1.1\r\nhost: t\r\ncontent-length: 0\r\n\r\n",
        "GET http://test/zato/ping HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET /zato/ping?x=%20&y HTTP/1.1\r\nHost:test\r\nX-Odd:\t v \r\n\r\n",
        "GET /zato/ping HTTP/1.1\r\nHost: t\r\nAccept: application/x-nothing\r\nExpect: nothing\r\n\r\n",
    ] {
        let reply = connection.send(request).reply().unwrap_or_else(|| panic!("closed after {request}"));
        assert_eq!(reply.status, 200, "{request}\n{}", reply.text());
    }
    // The first line asks the server to speak up before the body is sent.
    connection
        .send("POST /zato/ping HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_eq!(connection.reply().unwrap().status, 100);
    assert_eq!(connection.send("{}").reply().unwrap().status, 200);
    assert_eq!(
        connection.send("OPTIONS /zato/ping HTTP/1.1\r\nHost: t\r\n\r\n").reply().unwrap().status,
        200
    );

    let mut old = Raw::open(server.address());
    let reply = old.send("GET /zato/ping HTTP/1.0\r\n\r\n").reply().unwrap();
    assert_eq!(reply.status, 200);
    assert!(old.rest().is_empty());
    let mut closing = Raw::open(server.address());
    let reply =
        closing.send("GET /zato/ping HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").reply().unwrap();
    assert_eq!(reply.status, 200);
    assert!(closing.rest().is_empty());
}

/// HTTP/2 without TLS, with a real client: curl.
#[test]
fn http_2_with_prior_knowledge_is_understood() {
    let server = Server::start();
    // One request a connection: curl 7.88 can't reuse one that began with prior knowledge.
    let curl = format!(
        "curl -sS --http2-prior-knowledge -w '%{{http_version}} %{{http_code}}' -u pubapi:{} -d '{{}}' {u}/zato/json/zato.ping",
        server.password("pubapi"),
        u = server.url("")
    );
    let output = shell::bash(&std::env::temp_dir(), &curl);
    assert_eq!(output.matches("2 200").count(), 1, "{output}");
    assert_eq!(output.matches("\"pong\":\"zato\"").count(), 1, "{output}");
}

/// An id from outside is logged beside the call's own, and can't forge log lines.
#[test]
fn a_callers_correlation_id_is_never_the_calls_own() {
    let server = Launch::new().flag("--log", "debug").start();
    let given = "K00000000000000000000000012345";
    for name in ["X-Zato-CID", "X_Zato_CID"] {
        let reply = server.request("GET", "/no/such").header(name, given).send().status(404);
        assert_ne!(reply.cid(), given);
        is_logged(&server, reply.cid());
        assert_eq!(server.log_lines(&[reply.cid(), given]).len(), 1, "{name}\n{}", server.log());
    }
    let mut connection = Raw::open(server.address());
    connection.send("GET /no/such HTTP/1.1\r\nHost: t\r\nX-Zato-CID: \x1b[31mred\t\u{e9}\r\n\r\n");
    let reply = connection.reply().unwrap();
    is_logged(&server, reply.header("X-Zato-CID"));
    assert!(!server.log().contains("\x1b[31mred"), "{}", server.log());
}
