//! Bytes that are no text, in every position of a request where there could be text.

use serde_json::json;

use super::{is_logged, still_works};
use crate::support::Server;
use crate::support::api::{json_channel, soap_channel, with};
use crate::support::envelope::SOAP;
use crate::support::raw::Raw;

/// What no text has: a byte that never occurs in UTF-8, a null byte written in two bytes, half of a surrogate pair, the
/// beginning of a character without its end, and a null byte, which is UTF-8 and which neither format allows.
const BYTES: [&[u8]; 5] = [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xe2\x82", b"\0"];

/// A place in a request, marked by `@`, and the status that it gets with any of these bytes there.
type Place = (&'static str, u16);

/// A request with bytes in place of each `@`.
fn request(path: &str, headers: &str, body: &str, bytes: &[u8]) -> Vec<u8> {
    let fill = |text: &str| text.as_bytes().split(|byte| *byte == b'@').collect::<Vec<_>>().join(bytes);
    let body = fill(body);
    let head = format!("POST {path} HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n", body.len());
    [head.as_bytes(), &fill(headers), b"\r\n", &body].concat()
}

/// The same call of a channel of each format, each of which wants input.
fn server() -> Server {
    let server = Server::start();
    let api = server.api();
    let service = "zato.service.get-by-name";
    api.create_http(&json_channel("JSON", "/json", service));
    api.create_http(&with(&json_channel("XML", "/xml", service), &json!({"data_format": "xml"})));
    api.create_http(&soap_channel("SOAP", "/soap", "urn:call", service));
    api.create_http(&json_channel("Path", "/path/{name}/{cluster_id}", service));
    api.create_http(&with(&json_channel("Raw", "/raw", "zato.helpers.echo"), &json!({"data_format": null})));
    let basic = api.create_user("user", "password-of-user");
    let guarded = json_channel("Guarded", "/guarded", "zato.ping");
    api.create_http(&with(&guarded, &json!({"security_id": basic})));
    server
}

#[track_caller]
fn check(server: &Server, what: &str, request: &[u8], status: u16) {
    let mut connection = Raw::open(server.address());
    let reply = connection.send(request).reply().unwrap_or_else(|| panic!("no reply to {what}"));
    assert_eq!(reply.status, status, "{what}: {}", reply.text());
    str::from_utf8(&reply.body).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(!reply.body.contains(&0), "{what}: {reply:?}");
    // What the listener can't read as HTTP has no correlation id.
    if !reply.header("X-Zato-CID").is_empty() && status >= 400 {
        is_logged(server, reply.header("X-Zato-CID"));
    }
}

#[track_caller]
fn check_bodies(server: &Server, path: &str, headers: &str, places: &[Place]) {
    for (body, status) in places {
        for bytes in BYTES {
            check(server, &format!("{path} {body} {bytes:?}"), &request(path, headers, body, bytes), *status);
        }
    }
}

#[test]
fn json() {
    check_bodies(
        &server(),
        "/json",
        "",
        &[
            ("@", 400),
            ("@{\"cluster_id\": 1, \"name\": \"zato.ping\"}", 400),
            ("{\"cluster_id\": 1, \"name\": \"zato.ping\"}@", 400),
            ("{\"cluster_id\": 1, \"name\": \"zato.@ping\"}", 400),
            ("{\"cluster_id\": 1, \"na@me\": \"zato.ping\"}", 400),
            ("{\"cluster_id\": 1, \"name\": \"zato.ping\", \"other\": [\"@\"]}", 400),
            ("{\"cluster_id\": @1, \"name\": \"zato.ping\"}", 400),
            ("{\"cluster_id\": 1, @\"name\": \"zato.ping\"}", 400),
        ],
    );
}

/// The places of XML, in a message that would be answered without the bytes there.
const XML: [&str; 12] = [
    "@<zato_service_get_by_name_request/>",
    "<zato_service_get_by_name_request/>@",
    "<zato_service_get_by_name_request><name>zato.@ping</name></zato_service_get_by_name_request>",
    "<zato_service_get_by_name_request><name a='@'>zato.ping</name></zato_service_get_by_name_request>",
    "<zato_service_get_by_name_request><name @='a'>zato.ping</name></zato_service_get_by_name_request>",
    "<zato_service_get_by_name_request><na@me>zato.ping</na@me></zato_service_get_by_name_request>",
    "<zato_service_get_by_name_request xmlns='urn:@'/>",
    "<zato_service_get_by_name_request xmlns:@='urn:a'/>",
    "<zato_service_get_by_name_request><!-- @ --></zato_service_get_by_name_request>",
    "<zato_service_get_by_name_request><?pi @?></zato_service_get_by_name_request>",
    "<zato_service_get_by_name_request><![CDATA[@]]></zato_service_get_by_name_request>",
    "<zato_service_get_by_name_request>@</zato_service_get_by_name_request>",
];

#[test]
fn xml() {
    let server = server();
    check_bodies(&server, "/xml", "", &XML.map(|body| (body, 400)));
    check_bodies(&server, "/xml", "", &[("@", 400)]);
    for bytes in BYTES {
        // What is in UTF-8 may name an encoding, which nobody knows.
        let status = if bytes == b"\0" { 415 } else { 400 };
        let body = "<?xml version='1.0' encoding='@'?><a/>";
        check(&server, &format!("encoding {bytes:?}"), &request("/xml", "", body, bytes), status);
    }
}

#[test]
fn soap() {
    let server = server();
    let headers = "SOAPAction: urn:call\r\n";
    for body in XML {
        let body = format!(
            "<s:Envelope xmlns:s='{SOAP}'><s:Header>@</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        );
        for bytes in BYTES {
            check(&server, &format!("{body} {bytes:?}"), &request("/soap", headers, &body, bytes), 500);
        }
    }
    // An action is compared as bytes, and there is none like this. No header can have a null byte.
    for bytes in BYTES {
        let status = if bytes == b"\0" { 400 } else { 404 };
        check(
            &server,
            &format!("action {bytes:?}"),
            &request("/soap", "SOAPAction: @\r\n", "", bytes),
            status,
        );
    }
}

/// A header may have any bytes but control characters; what they stand for decides.
#[test]
fn headers() {
    let server = server();
    for (path, headers, status) in [
        ("/json", "X-Any: a@b\r\n", 400),
        ("/json", "X-Zato-CID: @\r\n", 400),
        ("/json", "User-Agent: @\r\nX-Forwarded-For: @\r\nForwarded: for=@\r\nCookie: @\r\n", 400),
        ("/raw", "X-Any: a@b\r\n", 200),
        ("/raw", "Accept: @\r\nOrigin: @\r\nAccept-Encoding: @\r\n", 200),
        ("/guarded", "Authorization: @\r\n", 401),
        ("/guarded", "Authorization: Basic @\r\n", 401),
        ("/guarded", "Authorization: Basic dXNlcjo@\r\n", 401),
    ] {
        for bytes in BYTES {
            let status = if bytes == b"\0" { 400 } else { status };
            // JSON channels want an object: their own refusal shows that the headers were no obstacle.
            let request = request(path, headers, "[]", bytes);
            check(&server, &format!("{path} {headers:?} {bytes:?}"), &request, status);
        }
    }
    // User name and password may be any bytes, which are those of nobody.
    for credentials in ["dXNlcjr/", "/zpwYXNz", "dXNlcgA6cGFzcw==", "AA==", "wIA6"] {
        let headers = format!("Authorization: Basic {credentials}\r\n");
        check(&server, credentials, &request("/guarded", &headers, "", b""), 401);
    }
    // A name of a header is made of tokens.
    for bytes in BYTES {
        check(&server, "a name", &request("/raw", "X-@: a\r\n", "", bytes), 400);
    }
    still_works(&server);
}

#[test]
fn paths_and_parameters() {
    let server = server();
    for encoded in ["%FF", "%C0%80", "%ED%A0%80", "%E2%82", "%00"] {
        for path in [
            format!("/path/{encoded}/1"),
            format!("/path/zato.ping/{encoded}"),
            format!("/json{encoded}"),
            format!("/{encoded}json"),
            format!("{encoded}/json"),
        ] {
            let status = if path.starts_with('/') { 404 } else { 400 };
            check(&server, &path, &request(&path, "", "", b""), status);
        }
        // What is no text in a query is replaced, so that it is nobody's name.
        let path = format!("/json?cluster_id=1&name={encoded}");
        check(&server, &path, &request(&path, "", "", b""), 404);
        let path = format!("/json?cluster_id=1&name=zato.ping&{encoded}={encoded}");
        check(&server, &path, &request(&path, "", "", b""), 200);
    }
    // As they are, such bytes are no part of a path.
    for bytes in BYTES {
        let head = [b"GET /json".as_slice(), bytes, b" HTTP/1.1\r\nHost: t\r\n\r\n"].concat();
        let mut connection = Raw::open(server.address());
        let status = connection.send(head).reply().map(|reply| reply.status);
        assert!(matches!(status, Some(400 | 404)), "{bytes:?}: {status:?}");
    }
    still_works(&server);
}

/// Slashes and dots are compared after they are decoded, once, and mean nothing beyond themselves.
#[test]
fn encoded_slashes_and_dots() {
    let server = server();
    server.api().create_http(&json_channel("Guard", "/a/b", "zato.ping"));
    server.api().create_http(&json_channel("Odd", "/a/%2F", "zato.ping"));
    for (path, status) in [
        ("/a/b", 200),
        ("/a%2Fb", 200),
        ("/a%2fb", 200),
        ("/%61/%62", 200),
        ("/a%252Fb", 404),
        ("/a//b", 404),
        ("//a/b", 404),
        ("/a/./b", 404),
        ("/a/x/../b", 404),
        ("/a/%2e%2e/a/b", 404),
        ("/..%2fa/b", 404),
        ("/..%2f..%2f..%2fetc%2fpasswd", 404),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/a%5Cb", 404),
        ("/a/b%2F", 404),
        ("/a/b%3Fx=1", 404),
        ("/a/b%23", 404),
        ("/a/%252F", 200),
        ("/a/%2F", 404),
        ("/a/%2", 404),
        ("/a/%zz", 404),
        ("/zato%2Fping", 200),
        ("/zato/%2e/ping", 404),
    ] {
        check(&server, path, &request(path, "", "", b""), status);
    }
}
