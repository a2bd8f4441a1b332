//! Bodies and credentials that are wrong: well-formed HTTP throughout.

use serde_json::json;

use super::{is_logged, still_works};
use crate::support::api::user;
use crate::support::envelope::{SOAP, soap_envelope, soap_request};
use crate::support::{Format, Launch, Reply, Server};

const LIST: &str = "zato.security.basic-auth.get-list";

/// Posts to a service that needs `cluster_id`.
#[track_caller]
fn post(server: &Server, format: Format, body: impl Into<Vec<u8>>, headers: &[(&str, &str)]) -> Reply {
    let request = match format {
        Format::Json => server.request("POST", &format!("/zato/json/{LIST}")),
        Format::Soap => server.request("POST", "/zato/soap").header("SOAPAction", LIST),
    };
    let request = request.auth("pubapi", server.password("pubapi")).body(body);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send()
}

/// The reply has the envelope of its channel, the status, and a text that says what is wrong.
#[track_caller]
fn refused(server: &Server, format: Format, reply: &Reply, status: u16, texts: &[&str]) {
    let text = reply.text();
    assert_eq!(reply.status, status, "{text}");
    for part in texts {
        assert!(text.contains(part), "no [{part}] in: {text}");
    }
    let cid = reply.cid();
    match format {
        Format::Json => {
            let env = &reply.json()["zato_env"];
            assert_eq!((&env["result"], &env["cid"]), (&json!("ZATO_ERROR"), &json!(cid)), "{text}");
        }
        Format::Soap => {
            let document = roxmltree::Document::parse(text).unwrap();
            assert!(document.descendants().any(|node| node.has_tag_name((SOAP, "Fault"))), "{text}");
            assert!(text.contains(&format!("cid [{cid}]")), "{text}");
        }
    }
    is_logged(server, cid);
}

#[test]
fn malformed_json() {
    let server = Server::start();
    let deep =
        |open: &str, close: &str, depth: usize| format!("{}{}", open.repeat(depth), close.repeat(depth));
    let cases: &[(Vec<u8>, &str)] = &[
        (b"{".to_vec(), "JSON"),
        (b"{\"cluster_id\": 1".to_vec(), "JSON"),
        (b"{\"cluster_id\": 1,}".to_vec(), "JSON"),
        (b"{\"cluster_id\": 1} trailing".to_vec(), "JSON"),
        (b"{'cluster_id': 1}".to_vec(), "JSON"),
        (b"{\"cluster_id\": 0x1}".to_vec(), "JSON"),
        (b"{\"cluster_id\": NaN}".to_vec(), "JSON"),
        (b"{\"cluster_id\": \"a\x00b\"}".to_vec(), "JSON"),
        (b"cluster_id=1".to_vec(), "JSON"),
        (b"<a/>".to_vec(), "JSON"),
        (b"\x00".to_vec(), "JSON"),
        (deep("[", "]", 50_000).into_bytes(), ""),
        (deep("{\"a\":", "}", 50_000).into_bytes(), ""),
        (b"{\"cluster_id\": \"\xff\"}".to_vec(), "UTF-8"),
        (b"\xff\xfe{\x00}\x00".to_vec(), "UTF-8"),
        (b"{\"cluster_id\": \"\\ud800\"}".to_vec(), ""),
        (b"[]".to_vec(), "object"),
        (b"[{\"cluster_id\": 1}]".to_vec(), "object"),
        (b"\"text\"".to_vec(), "object"),
        (b"17".to_vec(), "object"),
        (b"true".to_vec(), "object"),
    ];
    for (body, text) in cases {
        println!("{}", String::from_utf8_lossy(&body[..body.len().min(80)]));
        refused(&server, Format::Json, &post(&server, Format::Json, body.as_slice(), &[]), 400, &[text]);
    }
    still_works(&server);
}

/// Errors say where: the line and column of what could not be read.
#[test]
fn malformed_bodies_are_located() {
    let server = Server::start();
    let reply = post(&server, Format::Json, "{\n  \"cluster_id\": oops\n}", &[]);
    refused(&server, Format::Json, &reply, 400, &["line 2"]);
    let reply =
        post(&server, Format::Soap, format!("<a:Envelope xmlns:a='{SOAP}'>\n<a:Body></a:Envelope>"), &[]);
    refused(&server, Format::Soap, &reply, 500, &["line 2, column 9"]);
}

#[test]
fn wrong_values_are_named() {
    let server = Server::start();
    for (value, text) in [
        ("\"one\"", "one"),
        ("1.5", "1.5"),
        ("{}", "cluster_id"),
        ("[1]", "cluster_id"),
        ("99999999999999999999", "64-bit"),
        ("true", "cluster_id"),
        ("\"\"", "cluster_id"),
        ("\" \"", "cluster_id"),
        ("\"1 2\"", "1 2"),
    ] {
        let reply = post(&server, Format::Json, format!("{{\"cluster_id\": {value}}}"), &[]);
        refused(&server, Format::Json, &reply, 400, &["cluster_id", text]);
    }
    for value in ["one", "1.5", "", "<a/>", "99999999999999999999"] {
        let root = "zato_security_basic_auth_get_list_request";
        let body =
            soap_envelope(&format!("<zato:{root}><zato:cluster_id>{value}</zato:cluster_id></zato:{root}>"));
        let reply = post(&server, Format::Soap, body, &[]);
        refused(&server, Format::Soap, &reply, 500, &["cluster_id", "SOAP-ENV:Client"]);
    }
}

#[test]
fn malformed_soap() {
    let server = Server::start();
    let root = "zato_security_basic_auth_get_list_request";
    let content = format!("<{root}><cluster_id>1</cluster_id></{root}>");
    let envelope = |body: &str| format!("<e:Envelope xmlns:e='{SOAP}'><e:Body>{body}</e:Body></e:Envelope>");
    let entities = "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]>";
    let external = "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>";
    let deep = format!("{}{}", "<a>".repeat(50_000), "</a>".repeat(50_000));
    let cases: &[(Vec<u8>, &str)] = &[
        (Vec::new(), ""),
        (b"not XML".to_vec(), "XML"),
        (b"{\"cluster_id\": 1}".to_vec(), "XML"),
        (b"<a>".to_vec(), "XML"),
        (envelope("<unclosed>").into_bytes(), "XML"),
        (envelope("<p:undeclared/>").into_bytes(), "XML"),
        (envelope("&undefined;").into_bytes(), "XML"),
        (content.clone().into_bytes(), "Envelope"),
        (format!("<e:Envelope xmlns:e='{SOAP}'/>").into_bytes(), "Body"),
        (
            format!("<e:Envelope xmlns:e='urn:other'><e:Body>{content}</e:Body></e:Envelope>").into_bytes(),
            "Envelope",
        ),
        (envelope("<other_request><cluster_id>1</cluster_id></other_request>").into_bytes(), root),
        (format!("{entities}{}", envelope(&content)).into_bytes(), "document type declaration"),
        (
            format!("{external}{}", envelope(&content.replace('1', "&x;"))).into_bytes(),
            "document type declaration",
        ),
        (envelope(&deep).into_bytes(), "deep"),
        (envelope(&content).replace("cluster", "\u{0}").into_bytes(), "XML"),
        ([envelope("").as_bytes(), b"\xff"].concat(), "UTF-8"),
        (format!("<?xml version='1.0' encoding='ISO-8859-1'?>{}", envelope(&content)).into_bytes(), "UTF-8"),
        (b"\xff\xfe<\x00a\x00/\x00>\x00".to_vec(), "UTF-8"),
    ];
    for (body, text) in cases {
        println!("{}", String::from_utf8_lossy(&body[..body.len().min(120)]));
        let reply = post(&server, Format::Soap, body.as_slice(), &[]);
        refused(&server, Format::Soap, &reply, 500, &[text, "SOAP-ENV:Client"]);
        assert!(!reply.text().contains("root:"), "a file was read: {}", reply.text());
    }
    still_works(&server);
}

#[test]
fn other_encodings_are_refused() {
    let server = Server::start();
    let json = "{\"cluster_id\": 1}";
    let soap = soap_request(LIST, &json!({"cluster_id": 1}));
    for (format, body, content_type) in [
        (Format::Json, json, "application/json; charset=iso-8859-1"),
        (Format::Json, json, "text/plain;charset=UTF-16"),
        (Format::Soap, soap.as_str(), "text/xml; charset=\"windows-1252\""),
    ] {
        let status = if format == Format::Soap { 500 } else { 415 };
        let reply = post(&server, format, body, &[("Content-Type", content_type)]);
        refused(&server, format, &reply, status, &["UTF-8"]);
        let reply = post(&server, format, body, &[("Content-Encoding", "gzip")]);
        refused(&server, format, &reply, status, &["gzip"]);
        let reply = post(&server, format, body, &[("Content-Encoding", "identity")]);
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
}

#[test]
fn bodies_have_a_limit() {
    let server = Launch::new().flag("--max-body-bytes", "10000").start();
    let padded = |length: usize| format!("{{\"cluster_id\": 1{}}}", " ".repeat(length - 17));
    assert_eq!(post(&server, Format::Json, padded(10_000), &[]).status, 200);
    refused(&server, Format::Json, &post(&server, Format::Json, padded(10_001), &[]), 413, &["10000"]);
    let soap = soap_request(LIST, &json!({"cluster_id": 1})) + &" ".repeat(10_000);
    refused(&server, Format::Soap, &post(&server, Format::Soap, soap, &[]), 500, &["10000"]);
    still_works(&server);
}

/// Ten mebibytes are the limit when nothing else is set.
#[test]
fn the_default_limit_is_generous() {
    let server = Server::start();
    let limit = 10 * 1024 * 1024;
    let padded = |length: usize| format!("{{\"cluster_id\": 1{}}}", " ".repeat(length - 17));
    assert_eq!(post(&server, Format::Json, padded(limit), &[]).status, 200);
    refused(&server, Format::Json, &post(&server, Format::Json, padded(limit + 1), &[]), 413, &["10485760"]);
}

#[test]
fn unknown_services_and_paths() {
    let server = Server::start();
    let json =
        server.request("POST", "/zato/json/zato.no-such").auth("pubapi", server.password("pubapi")).send();
    refused(&server, Format::Json, &json, 404, &["/zato/json/zato.no-such"]);
    let soap = server.request("POST", "/zato/soap").header("SOAPAction", "zato.no-such").send();
    refused(&server, Format::Soap, &soap, 404, &["zato.no-such"]);
    // A service that is catalogued but not part of this version has no channel either.
    server.api().send("zato.email.smtp.get-list", &json!({"cluster_id": 1})).status(404);

    let other = server.request("GET", "/no/such/path").send().status(404);
    let expected = format!("CID:`{}` Unknown URL:`/no/such/path` or SOAP action:``", other.cid());
    assert_eq!(other.text().trim_end(), expected);
    for path in [
        "/",
        "//",
        "/zato",
        "/zato/",
        "/zato/json/",
        "/zato/ping/",
        "/%00",
        "/%ff%fe",
        "/%zz",
        "/..%2f..%2fetc%2fpasswd",
        "/?a=b",
    ] {
        let reply = server.request("GET", path).send();
        assert!([400, 404].contains(&reply.status), "{path}: {reply:?}");
    }
}

#[test]
fn wrong_credentials() {
    let server = Server::start();
    for format in Format::BOTH {
        let api = server.api_in(format);
        for (username, password) in [("pubapi", "wrong"), ("nobody", "wrong"), ("pubapi", ""), ("", "")] {
            let reply = api.user(username, password).send("zato.ping", &json!({}));
            assert_eq!(reply.header("WWW-Authenticate"), "Basic realm=\"Zato public API\"");
            refused(&server, format, &reply, 401, &[]);
        }
        let admin = server.password("admin.invoke").to_owned();
        refused(&server, format, &api.user("admin.invoke", &admin).send("zato.ping", &json!({})), 401, &[]);
    }
}

/// An error in the last element must not leave the first ones stored.
#[test]
fn nothing_is_half_stored() {
    let server = Server::start();
    let api = server.api();
    let mut body = user("Half").to_string();
    body.truncate(body.len() - 1);
    api.post("zato.security.basic-auth.create", &body).status(400);
    api.post("zato.security.basic-auth.create", &format!("{body}, \"realm\": [}}")).status(400);
    let names = api.names(LIST, &json!({"cluster_id": 1}));
    assert!(!names.contains(&"Half".to_owned()), "{names:?}");
    api.id_of("zato.security.basic-auth.create", &user("Half"));
}

/// Operators may prefer that callers see the message only.
#[test]
fn error_reports_can_be_cut_down_to_the_message() {
    let server = Launch::new().flag("--error-details", "message").start();
    let details = server.api().call("zato.http-soap.delete", &json!({"id": 987_654})).error(404, &["987654"]);
    assert!(!details.contains("Traceback"), "{details}");
    assert_eq!(details.trim().lines().count(), 1, "{details}");
}
