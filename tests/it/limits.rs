//! How many calls channels let through, and which web pages may make them.

use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};

use crate::support::api::{json_channel, soap_channel, with};
use crate::support::envelope::soap_request;
use crate::support::{Reply, Server, eventually};

fn ping(server: &Server, path: &str) -> Reply {
    server.request("GET", path).send()
}

#[test]
fn calls_beyond_a_rate_are_told_when_to_come_back() {
    let server = Server::start();
    let channel = with(&json_channel("Limited", "/limited", "zato.ping"), &json!({"rate_limit": "3/h"}));
    let id = server.api().create_http(&channel);
    for _ in 0..3 {
        ping(&server, "/limited").status(200);
    }
    let refused = ping(&server, "/limited").status(429);
    let seconds: u32 = refused.header("Retry-After").parse().unwrap();
    assert!((1100..=1200).contains(&seconds), "{seconds}");
    assert!(refused.text().contains("Too many calls for channel [Limited]"), "{}", refused.text());
    // Others are not affected.
    ping(&server, "/zato/ping").status(200);
    // An edit that leaves the limit alone forgets nothing; a new limit begins anew.
    server.api().edit_http(id, &with(&channel, &json!({"method": "GET"})));
    ping(&server, "/limited").status(429);
    server.api().edit_http(id, &with(&channel, &json!({"rate_limit": "2/s"})));
    ping(&server, "/limited").status(200);
    server.api().edit_http(id, &json_channel("Limited", "/limited", "zato.ping"));
    (0..20).for_each(|_| drop(ping(&server, "/limited").status(200)));
}

/// Intermediaries act on this status, so it is not hidden behind the 500 of a Fault.
#[test]
fn soap_callers_get_a_fault_with_the_status() {
    let server = Server::start();
    let channel = soap_channel("Limited", "/limited", "urn:ping", "zato.ping");
    server.api().create_http(&with(&channel, &json!({"rate_limit": "1/d"})));
    let call = || {
        let request = server.request("POST", "/limited").header("SOAPAction", "urn:ping");
        request.body(soap_request("zato.ping", &json!({}))).send()
    };
    call().status(200);
    let refused = call().status(429);
    assert!(refused.text().contains("SOAP-ENV:Client"), "{}", refused.text());
}

/// The limit of a definition is one for all channels that it guards, and only its own callers are counted.
#[test]
fn callers_have_a_rate_over_all_channels() {
    let server = Server::start();
    let user = server.api().create_user("Limited user", "limited-word");
    let guarded = json!({"security_id": user});
    for path in ["/one", "/two"] {
        server.api().create_http(&with(&json_channel(path, path, "zato.ping"), &guarded));
    }
    let call = |path: &str, password: &str| server.request("GET", path).auth("Limited user", password).send();
    call("/one", "limited-word").status(200);
    let edit = |changes: Value| {
        let edited = with(&with(&crate::support::api::user("Limited user"), &json!({"id": user})), &changes);
        server.api().call("zato.security.basic-auth.edit", &edited)
    };
    edit(json!({"rate_limit": "3/h"})).ok();
    // Whoever is not believed uses up nothing.
    call("/one", "guessed").status(401);
    call("/one", "guessed").status(401);
    call("/one", "limited-word").status(200);
    call("/two", "limited-word").status(200);
    call("/one", "limited-word").status(200);
    let refused = call("/two", "limited-word").status(429);
    let seconds: u32 = refused.header("Retry-After").parse().unwrap();
    assert!((1000..=1200).contains(&seconds), "{seconds}");
    let text = "Too many calls for security definition [Limited user]";
    assert!(refused.text().contains(text), "{}", refused.text());
    ping(&server, "/zato/ping").status(200);
    // A new password is no way to begin anew, a new limit is.
    server.api().change_password(user, "limited-word-2");
    call("/one", "limited-word-2").status(429);
    edit(json!({"rate_limit": "1000/s"})).ok();
    call("/one", "limited-word-2").status(200);
    edit(json!({})).ok();
    (0..20).for_each(|_| drop(call("/two", "limited-word-2").status(200)));
    let refused = edit(json!({"rate_limit": "often"}));
    refused.error(400, &["rate_limit [often] is not allowed"]);
}

#[test]
fn calls_at_a_time_have_so_many_places() {
    let server = Arc::new(Server::start());
    // A peer that never answers keeps a call in flight for as long as the connection's time-out.
    let peer = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{}", peer.local_addr().unwrap());
    let outgoing = with(&crate::support::api::outgoing("Slow", &host, "/"), &json!({"timeout": 20}));
    let slow = server.api().create_http(&outgoing);
    let channel =
        with(&json_channel("Narrow", "/narrow", "zato.http-soap.ping"), &json!({"max_in_flight": 1}));
    server.api().create_http(&channel);
    let first = {
        let server = Arc::clone(&server);
        thread::spawn(move || server.request("POST", "/narrow").json(&json!({"id": slow})).send())
    };
    let (held, _) = peer.accept().unwrap();
    let refused = server.request("POST", "/narrow").json(&json!({"id": slow})).send().status(429);
    assert_eq!(refused.header("Retry-After"), "1");
    drop((held, peer));
    drop(first.join().unwrap());
    eventually("the place is free again", || {
        (server.request("POST", "/narrow").json(&json!({"id": slow})).send().status != 429).then_some(())
    });
}

#[test]
fn limits_that_make_no_sense_are_refused() {
    let server = Server::start();
    let channel = json_channel("Wrong", "/wrong", "zato.ping");
    let connection = crate::support::api::outgoing("Wrong", "http://localhost", "/wrong");
    let refused = |object: &Value, change: Value, text: &str| {
        server.api().call("zato.http-soap.create", &with(object, &change)).error(400, &[text]);
    };
    refused(&channel, json!({"rate_limit": "often"}), "rate_limit [often] is not allowed");
    refused(&channel, json!({"max_in_flight": 0}), "max_in_flight [0] is not allowed");
    refused(&channel, json!({"cors_origins": "example.com"}), "[example.com] is no origin");
    refused(&connection, json!({"rate_limit": "1/s"}), "rate_limit is for channels only");
    refused(&connection, json!({"cors_origins": "*"}), "cors_origins is for channels only");
}

/// A page of a listed origin may call, may send credentials, and is told so; pages of others are not.
#[test]
fn pages_of_listed_origins_may_call() {
    let server = Server::start();
    let user = server.api().create_user("Page", "page-password");
    let channel = json!({"cors_origins": "https://app.example.com", "security_id": user, "method": "POST"});
    server.api().create_http(&with(&json_channel("Page", "/page", "zato.ping"), &channel));
    let asks = |origin: &str| {
        let request = server.request("OPTIONS", "/page").header("Origin", origin);
        request
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "authorization")
    };
    // The question comes without credentials and is answered all the same.
    let answer = asks("https://app.example.com").send().status(204);
    assert_eq!(answer.header("Access-Control-Allow-Origin"), "https://app.example.com");
    assert_eq!(answer.header("Access-Control-Allow-Methods"), "POST, OPTIONS");
    assert_eq!(answer.header("Access-Control-Allow-Headers"), "authorization");
    assert_eq!(answer.header("Access-Control-Allow-Credentials"), "true");
    let answer = asks("https://other.example.com").send().status(204);
    assert_eq!(answer.header("Access-Control-Allow-Origin"), "");

    let call = |origin: &str| server.request("POST", "/page").header("Origin", origin).body("{}");
    let reply = call("https://app.example.com").auth("Page", "page-password").send().status(200);
    assert_eq!(reply.header("Access-Control-Allow-Origin"), "https://app.example.com");
    // Without this the page could not tell a refusal from a server that is away.
    let refused = call("https://app.example.com").send().status(401);
    assert_eq!(refused.header("Access-Control-Allow-Origin"), "https://app.example.com");
    let reply = call("https://other.example.com").auth("Page", "page-password").send().status(200);
    assert_eq!(reply.header("Access-Control-Allow-Origin"), "");
    assert_eq!(reply.header("Vary"), "origin");
}
