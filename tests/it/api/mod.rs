//! Every built service of the public API, its success and its errors, from one table in both formats.

mod cases;
mod json;
mod soap;

use serde_json::{Value, json};

use crate::support::api::{json_channel, outgoing, user, with};
use crate::support::envelope::includes;
use crate::support::{Backend, Format, Peer, PeerReply, Server};
use cases::{Case, Expect, cases};

/// Objects for the cases to work on.
struct Fixture {
    server: Server,
    _peer: Peer,
    user: i64,
    channel: i64,
    connection: i64,
    service: i64,
}

impl Fixture {
    fn new(backend: Backend) -> Self {
        let server = backend.launch().start();
        let peer = Peer::start(|_| PeerReply::status(200));
        let api = server.api();
        let user = api.id_of("zato.security.basic-auth.create", &user("Table user"));
        let channel = api.create_http(&json_channel("Table channel", "/table/channel", "zato.ping"));
        let connection = api.create_http(&outgoing("Table connection", &peer.host(), "/table"));
        let service = api.service("zato.ping2")["id"].as_i64().unwrap();
        Self { server, _peer: peer, user, channel, connection, service }
    }
}

/// Runs the table in its order on one server.
#[track_caller]
fn every_case(backend: Backend, format: Format) {
    let fixture = Fixture::new(backend);
    for case in cases(&fixture) {
        check(&fixture.server, format, &case);
    }
}

#[track_caller]
fn check(server: &Server, format: Format, case: &Case) {
    println!("{format:?} {} {}", case.service, case.input);
    let answer = server.api_in(format).call(case.service, &case.input);
    match &case.expect {
        Expect::Nothing => assert_eq!(answer.ok(), Value::Null),
        Expect::Item(expected) => includes(format, &answer.ok(), expected),
        Expect::ListWith(expected) => {
            let list = answer.ok();
            let items = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
            let item = items.iter().find(|item| item["name"] == expected["name"]);
            includes(format, item.unwrap_or_else(|| panic!("no {} in {list}", expected["name"])), expected);
        }
        Expect::EmptyList => assert_eq!(answer.ok(), json!([])),
        Expect::Error(status, texts) => {
            let has_own_status = format == Format::Json || matches!(status, 401 | 403 | 404 | 405);
            let code = answer.outcome.as_ref().err().and_then(|failure| failure.code.clone());
            let details = answer.error(if has_own_status { *status } else { 500 }, texts);
            if format == Format::Soap {
                // All these mistakes can be mended by the caller.
                assert_eq!(code.as_deref(), Some("Client"), "{details}");
            }
            // The report has the form of the documentation: its last line is the message.
            assert!(details.starts_with("Traceback"), "{details}");
            // The place in the source is one of ours, not one of the library or the machine that it was built on.
            assert!(details.contains("File \"crates/") && details.contains(case.service), "{details}");
            let message = details.trim_end().lines().last().unwrap_or_default();
            assert!(texts.iter().all(|text| message.contains(text)), "the last line of: {details}");
        }
    }
}

/// The input of a service with one element left out.
fn without(input: &Value, element: &str) -> Value {
    let mut input = input.clone();
    input.as_object_mut().expect("the input is an object").remove(element);
    input
}

/// Every required element of every service is asked for by name when it is missing.
fn every_required_element_is_missed(format: Format) {
    let fixture = Fixture::new(Backend::Sqlite);
    let server = &fixture.server;
    let complete: &[(&str, Value)] = &[
        ("zato.security.get-list", json!({"cluster_id": 1})),
        ("zato.security.basic-auth.get-list", json!({"cluster_id": 1})),
        ("zato.security.basic-auth.create", user("Missing")),
        ("zato.security.basic-auth.edit", with(&user("Missing"), &json!({"id": fixture.user}))),
        (
            "zato.security.basic-auth.change-password",
            json!({"id": fixture.user, "password1": "missing-word", "password2": "missing-word"}),
        ),
        ("zato.security.basic-auth.delete", json!({"id": fixture.user})),
        ("zato.http-soap.get-list", json!({"cluster_id": 1, "connection": "channel", "transport": "soap"})),
        ("zato.http-soap.ping", json!({"id": fixture.connection})),
        ("zato.http-soap.delete", json!({"id": fixture.channel})),
        ("zato.service.get-by-name", json!({"cluster_id": 1, "name": "zato.ping"})),
        ("zato.service.edit", json!({"id": fixture.service, "is_active": true, "slow_threshold": 1})),
        ("zato.service.get-channel-list", json!({"id": fixture.service, "channel_type": "soap"})),
    ];
    let status = if format == Format::Soap { 500 } else { 400 };
    for (service, input) in complete {
        for element in input.as_object().unwrap().keys() {
            println!("{format:?} {service} without {element}");
            let answer = server.api_in(format).call(service, &without(input, element));
            answer.error(status, &[element]);
        }
    }
    let channel = json_channel("Missing", "/missing", "zato.ping");
    for element in ["cluster_id", "name", "is_active", "connection", "transport", "is_internal", "url_path"] {
        let api = server.api_in(format);
        api.call("zato.http-soap.create", &without(&channel, element)).error(status, &[element]);
        if element != "is_internal" {
            let edit = with(&channel, &json!({"id": fixture.channel}));
            api.call("zato.http-soap.edit", &without(&edit, element)).error(status, &[element]);
        }
    }
    server.request("GET", "/missing").send().status(404);
}
