//! Requests that a proxy before the server could read differently: whoever sends one wants a second request to pass unseen.

use super::{is_logged, still_works};
use crate::support::Server;
use crate::support::raw::Raw;

/// What is hidden behind each request.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n";

/// What the server makes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Refused with this status, and nothing more is read from the connection.
    Ends(u16),
    /// Answered, and nothing more is read from the connection.
    AnswersAndEnds,
    /// Answered: it can be read in one way only, so that what follows it is a request of its own.
    Answers,
}

#[track_caller]
fn check(server: &Server, request: &str, verdict: Verdict) {
    let shown = request.escape_debug();
    let mut connection = Raw::open(server.address());
    connection.send(format!("{request}{SMUGGLED}"));
    let first = connection.reply().map(|reply| reply.status);
    let second = match verdict {
        Verdict::Answers => connection.reply().map(|reply| reply.status),
        _ => None,
    };
    // Whoever answered waits for more; whoever refused has said all.
    connection.finish();
    let rest = connection.rest();
    assert!(rest.is_empty(), "{shown}: {}", String::from_utf8_lossy(&rest));
    println!("{verdict:?}: {shown}");
    let expected = match verdict {
        Verdict::Ends(status) => (Some(status), None),
        Verdict::AnswersAndEnds => (Some(200), None),
        Verdict::Answers => (Some(200), Some(404)),
    };
    assert_eq!((first, second), expected, "{shown}");
}

/// A call of a service that takes an empty object.
fn post(headers: &str, body: &str) -> String {
    format!("POST /zato/ping HTTP/1.1\r\nHost: t\r\n{headers}\r\n{body}")
}

#[test]
fn two_opinions_about_the_length() {
    let server = Server::start();
    let check = |headers: &str, body: &str, verdict| check(&server, &post(headers, body), verdict);
    // RFC 9112, section 6.3: the chunks count, and the connection ends.
    check("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", Verdict::AnswersAndEnds);
    check("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n", Verdict::AnswersAndEnds);
    check("Content-Length: 2\r\nContent-Length: 2\r\n", "{}", Verdict::Answers);
    for headers in [
        "Content-Length: 2\r\nContent-Length: 30\r\n",
        "Content-Length: 2, 2\r\n",
        "Content-Length: 2, 30\r\n",
        "Content-Length: +2\r\n",
        "Content-Length: -2\r\n",
        "Content-Length: 0x2\r\n",
        "Content-Length: 2.0\r\n",
        "Content-Length:\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Transfer-Encoding: identity\r\nContent-Length: 2\r\n",
        "Transfer-Encoding: \x0bchunked\r\nContent-Length: 2\r\n",
        "Transfer-Encoding: \"chunked\"\r\nContent-Length: 2\r\n",
        "Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    ] {
        check(headers, "{}", Verdict::Ends(400));
    }
    for headers in [
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ] {
        check(headers, "0\r\n\r\n", Verdict::Ends(501));
    }
    check("Host: other\r\nContent-Length: 2\r\n", "{}", Verdict::Ends(400));
    still_works(&server);
    assert_eq!(server.log_lines(&["/smuggled"]).len(), 1, "that of the one request that may be followed");
}

#[test]
fn odd_lines() {
    let server = Server::start();
    let check = |headers: &str, verdict| check(&server, &post(headers, "{}"), verdict);
    for headers in [
        "Content-Length : 2\r\n",
        " Content-Length: 2\r\n",
        "Content-Length:\r\n 2\r\n",
        "X-Folded: a\r\n b\r\nContent-Length: 2\r\n",
        "X-Folded: a\r\n\tb\r\nContent-Length: 2\r\n",
        "Transfer-Encoding:\r\n chunked\r\nContent-Length: 2\r\n",
        "X-Bare: a\rContent-Length: 2\r\n",
        "X-Null: a\0b\r\nContent-Length: 2\r\n",
        "X Space: a\r\nContent-Length: 2\r\n",
        ": a\r\nContent-Length: 2\r\n",
    ] {
        check(headers, Verdict::Ends(400));
    }
    // RFC 9112, section 2.2, lets a line end in a line feed alone, and says of nothing else that it ends there.
    check("X-Line: a\nContent-Length: 2\r\n", Verdict::Answers);
    self::check(&server, "POST /zato/ping HTTP/1.1\nHost: t\nContent-Length: 2\n\n{}", Verdict::Answers);
    // Version 1.0 has no chunks.
    let old = "POST /zato/ping HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    self::check(&server, old, Verdict::Ends(400));
    still_works(&server);
}

#[test]
fn whom_a_request_is_for() {
    let server = Server::start();
    let with = |version: &str, headers: &str| {
        format!("POST /zato/ping HTTP/{version}\r\n{headers}Content-Length: 2\r\n\r\n{{}}")
    };
    for headers in
        ["Host: t\r\n", "Host:\r\n", "Host: t:80\r\n", "host: \t[::1]:17010 \r\n", "Host: my_host\r\n"]
    {
        check(&server, &with("1.1", headers), Verdict::Answers);
    }
    for headers in [
        "",
        "X-Host: t\r\n",
        "Host: t\r\nHost: t\r\n",
        "Host: t\r\nhost: other\r\n",
        "Host: t, other\r\n\tHost: t\r\n",
        "Host: a b\r\n",
        "Host: http://t\r\n",
        "Host: t/path\r\n",
        "Host: user@t\r\n",
        "Host: t:port\r\n",
        "Host: [::1\r\n",
        "Host: \u{17c}\r\n",
    ] {
        check(&server, &with("1.1", headers), Verdict::Ends(400));
    }
    // The whole URL in the first line does not stand in for it (RFC 9112, section 3.2.2).
    let absolute = with("1.1", "").replace(" /zato", " http://t/zato");
    check(&server, &absolute, Verdict::Ends(400));
    // Version 1.0 knows no such header, but whoever sends one has to mean a host.
    check(&server, &with("1.0", ""), Verdict::AnswersAndEnds);
    check(&server, &with("1.0", "Host: t\r\n"), Verdict::AnswersAndEnds);
    check(&server, &with("1.0", "Host: t\r\nHost: t\r\n"), Verdict::Ends(400));
    check(&server, &with("1.0", "Host: a b\r\n"), Verdict::Ends(400));

    let mut connection = Raw::open(server.address());
    let reply = connection.send(with("1.1", "")).reply().unwrap();
    assert!(reply.text().contains("HTTP/1.1 requires: send one"), "{}", reply.text());
    assert_eq!(reply.header("Connection"), "close");
    is_logged(&server, reply.header("X-Zato-CID"));
    still_works(&server);
}

#[test]
fn odd_chunks() {
    let server = Server::start();
    let check = |body: &str, verdict| check(&server, &post("Transfer-Encoding: chunked\r\n", body), verdict);
    for body in ["2\r\n{}\r\n0\r\n\r\n", "002\r\n{}\r\n0\r\n\r\n", "2;a=\"b\"\r\n{}\r\n0\r\n\r\n"] {
        check(body, Verdict::Answers);
    }
    // A length in the trailer is no length.
    check("2\r\n{}\r\n0\r\nContent-Length: 50\r\n\r\n", Verdict::Answers);
    for body in [
        "0x2\r\n{}\r\n0\r\n\r\n",
        "+2\r\n{}\r\n0\r\n\r\n",
        "-2\r\n{}\r\n0\r\n\r\n",
        "1_0\r\n{}\r\n0\r\n\r\n",
        " 2\r\n{}\r\n0\r\n\r\n",
        "\r\n{}\r\n0\r\n\r\n",
        "two\r\n{}\r\n0\r\n\r\n",
        "2\n{}\r\n0\r\n\r\n",
        "2\r\n{}\n0\r\n\r\n",
        "2\r\n{}0\r\n\r\n",
        "2\r\n{}XX\r\n0\r\n\r\n",
        "2\r\n{}\r\n0\n\n",
        "2;a\nb\r\n{}\r\n0\r\n\r\n",
        "ffffffffffffffff0\r\n{}\r\n0\r\n\r\n",
    ] {
        check(body, Verdict::Ends(400));
    }
    still_works(&server);
}
