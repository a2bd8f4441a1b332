//! The public API in JSON: what only JSON has.

use serde_json::{Value, json};

use crate::support::{Format, Server};

/// The documentation shows `details`, `result` and `cid` in this order, before the payload.
#[test]
fn the_envelope_has_the_documented_order() {
    let server = Server::start();
    let reply = server.api().send("zato.ping", &json!({}));
    let cid = reply.cid();
    let expected = format!(
        r#"{{"zato_env":{{"details":"","result":"ZATO_OK","cid":"{cid}"}},"zato_ping_response":{{"pong":"zato"}}}}"#
    );
    assert_eq!(without_spaces(reply.text()), expected);
    assert_eq!(reply.header("Content-Type"), "application/json");

    let user = server.api().create_user("Envelope", "password-envelope");
    let reply = server.api().send("zato.security.basic-auth.delete", &json!({"id": user}));
    let expected = format!(r#"{{"zato_env":{{"details":"","result":"ZATO_OK","cid":"{}"}}}}"#, reply.cid());
    assert_eq!(without_spaces(reply.text()), expected);

    let reply = server.api().send("zato.http-soap.delete", &json!({"id": 987_654}));
    assert!(
        without_spaces(reply.text()).starts_with(r#"{"zato_env":{"details":"Traceback"#),
        "{}",
        reply.text()
    );
    assert!(reply.text().trim_end().ends_with(&format!("\"{}\"}}}}", reply.cid())), "{}", reply.text());
}

/// White space between tokens is the server's choice. None of these texts has any inside.
fn without_spaces(text: &str) -> String {
    text.split_ascii_whitespace().collect()
}

/// Real clients send no type, or the one of a form; the channel knows how to read a body.
#[test]
fn the_content_type_of_a_request_does_not_matter() {
    let server = Server::start();
    let post = |body: &str, content_type: Option<&str>| {
        let request = server.request("POST", "/zato/json/zato.security.get-list");
        let request = request.auth("pubapi", server.password("pubapi")).body(body);
        let request = match content_type {
            None => request,
            Some(value) => request.header("Content-Type", value),
        };
        request.send().status(200)
    };
    for content_type in [
        None,
        Some("application/x-www-form-urlencoded"),
        Some("text/plain"),
        Some("application/json; charset=utf-8"),
        Some("application/json; charset=\"UTF-8\""),
        Some("text/xml;charset=us-ascii"),
        Some("nonsense"),
    ] {
        post("{\"cluster_id\":1}", content_type);
    }
    // A byte order mark is no part of the text.
    post("\u{feff}{\"cluster_id\":1}", None);
}

#[test]
fn no_body_is_no_input() {
    let server = Server::start();
    for body in ["", "{}", "null", "\"\"", "  "] {
        let reply = server.api().post("zato.ping", body);
        assert_eq!(reply.status(200).json()["zato_ping_response"]["pong"], "zato", "{body:?}");
    }
    let reply = server.api().post("zato.security.get-list", "").status(400);
    assert!(reply.text().contains("cluster_id"), "{}", reply.text());
}

/// Text survives both ways, whatever is in it.
#[test]
fn text_is_unicode() {
    let server = Server::start();
    let name = "Za\u{17c}\u{f3}\u{142}\u{107} \u{1f980} \"quoted\" \\ <tag> & ]]> \t end";
    let user =
        json!({"cluster_id": 1, "name": name, "is_active": true, "username": "unicode", "realm": name});
    server.api().id_of("zato.security.basic-auth.create", &user);
    for format in Format::BOTH {
        let list =
            server.api_in(format).call("zato.security.basic-auth.get-list", &json!({"cluster_id": 1})).ok();
        let found = list.as_array().unwrap().iter().find(|item| item["name"] == name);
        assert_eq!(found.map(|item| &item["realm"]), Some(&Value::from(name)), "{list}");
    }
}

/// Services that are no part of the administration answer without a technical envelope.
#[test]
fn helpers_answer_without_an_envelope() {
    let server = Server::start();
    for body in ["{\"a\":1}", "[1, 2,  3]", "\"text\"", "{ \"spaces\" :  null }"] {
        assert_eq!(server.api().post("zato.helpers.echo", body).status(200).text(), body);
    }
    for service in ["zato.helpers.input-logger", "zato.helpers.sio-input-logger"] {
        let body = "{\"greeting\": \"hello-from-a-test\", \"password\": \"helper-password-1\"}";
        let reply = server.api().post(service, body).status(200);
        // Nothing, as something that readers of JSON can read.
        assert_eq!(reply.text(), "{}", "{service}");
        server.keep_secret("helper-password-1");
        let lines = server.log_lines(&[reply.cid(), "hello-from-a-test"]);
        assert_eq!(lines.len(), 1, "{service}\n{}", server.log());
    }
}
