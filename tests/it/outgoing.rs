//! Outgoing connections as an operator meets them: configured over the API, pinged, changed at run time.
//!
//! What services send through them is in `example`, since no service of the server itself calls other systems.

use serde_json::{Value, json};

use crate::support::api::{json_channel, outgoing, with};
use crate::support::backend::on_both_backends;
use crate::support::http::basic_auth;
use crate::support::peer::NOBODY;
use crate::support::{Backend, Format, Peer, PeerReply, Server};

on_both_backends!(a_change_takes_effect_before_the_reply);

fn peer() -> Peer {
    Peer::start(|_| PeerReply::status(200))
}

#[track_caller]
fn ping(server: &Server, id: i64) -> String {
    let answer = server.api().call("zato.http-soap.ping", &json!({"id": id}));
    answer.ok()["info"].as_str().unwrap().to_owned()
}

#[test]
fn a_ping_reports_and_identifies_itself() {
    let server = Server::start();
    let peer = peer();
    let id = server.api().create_http(&outgoing("Pinged", &peer.host(), "/status?full=1"));
    for format in Format::BOTH {
        let answer = server.api_in(format).call("zato.http-soap.ping", &json!({"id": id}));
        let cid = answer.cid.clone();
        let payload = answer.ok();
        let info = payload["info"].as_str().unwrap();
        let lines: Vec<_> = info.lines().collect();
        assert_eq!(lines.last(), Some(&"Protocol: HTTP/1.1"), "{info}");
        let (time, what) = lines[0].split_once(" (UTC) ").unwrap_or_else(|| panic!("{info}"));
        assert!(is_time(time), "{info}");
        assert_eq!(what, format!("HEAD {}/status?full=1", peer.host()));
        assert_eq!(lines[1], "Code: 200");
        assert!(lines[2].starts_with("Response time: 0:00:0"), "{info}");

        let request = peer.take_one();
        assert_eq!((request.method.as_str(), request.target.as_str()), ("HEAD", "/status?full=1"));
        // The peer's logs and ours name the same call.
        assert_eq!(request.header("X-Zato-CID"), cid);
        assert!(is_time(request.header("X-Zato-Msg-TS")), "{request:?}");
        let component: Vec<_> = request.header("X-Zato-Component").split('/').collect();
        assert_eq!(component.first(), Some(&"parallel"), "{component:?}");
        assert_eq!(component.len(), 5, "{component:?}");
        assert_eq!(component[3], server.pid().to_string(), "{component:?}");
        assert_eq!(request.header("Authorization"), "");
        assert_eq!(request.header("SOAPAction"), "");
    }
}

/// `2014-05-04T19:01:40.981234`
fn is_time(text: &str) -> bool {
    let form = |byte: u8| if byte.is_ascii_digit() { b'0' } else { byte };
    let form: Vec<u8> = text.bytes().map(form).collect();
    matches!(form.as_slice(), b"0000-00-00T00:00:00.000000" | b"0000-00-00T00:00:00")
}

/// Any reply shows that somebody is there.
#[test]
fn every_status_is_a_successful_ping() {
    let server = Server::start();
    for status in [204, 404, 500] {
        let peer = Peer::start(move |_| PeerReply::status(status));
        let id = server.api().create_http(&outgoing(&format!("Status {status}"), &peer.host(), "/"));
        assert!(ping(&server, id).contains(&format!("Code: {status}")));
    }
}

fn a_change_takes_effect_before_the_reply(backend: Backend) {
    let server = backend.launch().start();
    let (first, second) = (peer(), peer());
    let connection = outgoing("Moving", &first.host(), "/first");
    let id = server.api().create_http(&connection);
    ping(&server, id);
    assert_eq!(first.take_one().target, "/first");

    let changes = json!({"host": second.host(), "url_path": "/second", "ping_method": "GET"});
    server.api().edit_http(id, &with(&connection, &changes));
    assert!(ping(&server, id).contains(&format!("GET {}/second", second.host())));
    assert_eq!(second.take_one().method, "GET");
    assert_eq!(first.requests().len(), 0);

    server.api().edit_http(id, &with(&connection, &json!({"name": "Renamed"})));
    let input = json!({"cluster_id": 1, "connection": "outgoing", "transport": "plain_http"});
    assert_eq!(server.api().names("zato.http-soap.get-list", &input), ["Renamed"]);
    // A connection of the old name is another one.
    server.api().create_http(&with(&connection, &json!({"url_path": "/third"})));

    server.api().delete_http(id);
    server.api().call("zato.http-soap.ping", &json!({"id": id})).error(404, &[&id.to_string()]);
}

#[test]
fn credentials_are_the_current_ones() {
    let server = Server::start();
    let peer = peer();
    let security = server.api().create_user("Peer user", "peer-password-1");
    let connection = with(&outgoing("Secured", &peer.host(), "/"), &json!({"security_id": security}));
    let id = server.api().create_http(&connection);
    ping(&server, id);
    assert_eq!(peer.take_one().header("Authorization"), basic_auth("Peer user", "peer-password-1"));

    server.api().change_password(security, "peer-password-2");
    ping(&server, id);
    assert_eq!(peer.take_one().header("Authorization"), basic_auth("Peer user", "peer-password-2"));

    let edited = json!({
        "id": security, "cluster_id": 1, "name": "Peer user", "is_active": true, "username": "other", "realm": "R",
    });
    server.api().id_of("zato.security.basic-auth.edit", &edited);
    ping(&server, id);
    assert_eq!(peer.take_one().header("Authorization"), basic_auth("other", "peer-password-2"));

    server.api().edit_http(id, &outgoing("Secured", &peer.host(), "/"));
    ping(&server, id);
    assert_eq!(peer.take_one().header("Authorization"), "");
}

#[test]
fn a_soap_connection_sends_its_action() {
    let server = Server::start();
    let peer = peer();
    let soap = json!({"transport": "soap", "soap_action": "urn:set-balance", "soap_version": "1.1"});
    let id = server.api().create_http(&with(&outgoing("SOAP", &peer.host(), "/soap"), &soap));
    ping(&server, id);
    let request = peer.take_one();
    assert_eq!(request.header("SOAPAction"), "urn:set-balance");
    // A ping carries no envelope.
    assert_eq!((request.body.as_str(), request.header("Content-Type")), ("", ""));
}

/// Operators ping a connection before they switch it on.
#[test]
fn an_inactive_connection_can_be_pinged() {
    let server = Server::start();
    let peer = peer();
    let connection = with(&outgoing("Inactive", &peer.host(), "/"), &json!({"is_active": false}));
    let id = server.api().create_http(&connection);
    assert!(ping(&server, id).contains("Code: 200"));
}

#[test]
fn nobody_there_is_an_error_that_says_so() {
    let server = Server::start();
    let id = server.api().create_http(&outgoing("Refused", NOBODY, "/"));
    for (format, status) in [(Format::Json, 502), (Format::Soap, 500)] {
        let answer = server.api_in(format).call("zato.http-soap.ping", &json!({"id": id}));
        let report = ["(UTC) HEAD", "Failed while: connecting", "Reason: ", "Response time: 0:00:0"];
        answer.error(status, &["Refused", "refused"]);
        let answer = server.api_in(format).call("zato.http-soap.ping", &json!({"id": id}));
        let details = answer.error(status, &report);
        // The lines of the report are those of a ping that succeeds, as far as there are any.
        let lines: Vec<_> = details.lines().collect();
        assert!(lines.contains(&"Failed while: connecting"), "{details}");
        assert!(lines.iter().any(|line| line.ends_with(&format!(" (UTC) HEAD {NOBODY}/"))), "{details}");
        assert!(details.contains("File \"crates/zato-admin/"), "{details}");
    }
    let id = server.api().create_http(&outgoing("Unknown", "http://host.invalid", "/"));
    server.api().call("zato.http-soap.ping", &json!({"id": id})).error(502, &["Unknown", "resolve"]);
}

#[test]
fn a_peer_that_never_answers_is_a_time_out() {
    let (peer, release) = Peer::held();
    let server = Server::start();
    let connection = with(&outgoing("Silent", &peer.host(), "/"), &json!({"timeout": 1}));
    let id = server.api().create_http(&connection);
    server.api().call("zato.http-soap.ping", &json!({"id": id})).error(504, &["Silent"]);
    drop(release);
}

/// A certificate that nobody vouches for is refused, and no credentials reach whoever shows it.
#[test]
fn certificates_are_verified() {
    let server = Server::start();
    let peer = Peer::start_tls(|_| PeerReply::status(200));
    let id = server.api().create_http(&outgoing("TLS", &peer.host(), "/"));
    server.api().call("zato.http-soap.ping", &json!({"id": id})).error(502, &["TLS", "certificate"]);
    assert_eq!(peer.requests().len(), 0);
}

#[test]
fn only_outgoing_connections_can_be_pinged() {
    let server = Server::start();
    let channel = server.api().create_http(&json_channel("Channel", "/channel", "zato.ping"));
    let answer = server.api().call("zato.http-soap.ping", &json!({"id": channel}));
    let failure = answer.outcome.unwrap_err();
    assert!([400, 404].contains(&answer.status), "{failure:?}");
    assert!(failure.details.contains("outgoing"), "{failure:?}");
}

#[test]
fn wrong_connections_are_refused_with_a_reason() {
    let server = Server::start();
    let api = server.api();
    let wss = api.call("zato.security.get-list", &json!({"cluster_id": 1, "sec_type": ["wss"]})).ok();
    let wss = wss[0]["id"].as_i64().unwrap();
    let good = outgoing("Good", "http://peer.example", "/");
    api.create_http(&good);
    let cases: &[(Value, u16, &str)] = &[
        (json!({}), 409, "An object of that name [Good] already exists on this cluster"),
        (json!({"name": "A", "host": "peer.example"}), 400, "host"),
        (json!({"name": "A", "host": "ftp://peer.example"}), 400, "host"),
        (json!({"name": "A", "host": ""}), 400, "host"),
        (json!({"name": "A", "host": "http://peer example"}), 400, "host"),
        (json!({"name": "A", "url_path": "no-slash"}), 400, "URL path:[no-slash] must start with a slash /"),
        (json!({"name": "A", "ping_method": "NO METHOD"}), 400, "ping_method"),
        (json!({"name": "A", "timeout": -1}), 400, "timeout"),
        (json!({"name": "A", "pool_size": -1}), 400, "pool_size"),
        (json!({"name": "A", "host": "http://user:word@peer.example"}), 400, "credentials"),
        (json!({"name": "A", "serialization_type": "suds"}), 400, "serialization_type"),
        (json!({"name": "A", "transport": "soap", "soap_version": "1.3"}), 400, "soap_version"),
        (
            json!({"name": "A", "security_id": wss}),
            400,
            "Only HTTP Basic Auth and API keys are supported, not [wss]",
        ),
    ];
    for (change, status, text) in cases {
        api.call("zato.http-soap.create", &with(&good, change)).error(*status, &[text]);
    }
    let input = json!({"cluster_id": 1, "connection": "outgoing", "transport": "plain_http"});
    assert_eq!(api.names("zato.http-soap.get-list", &input), ["Good"]);
    // A SOAP connection may use WS-Security.
    let soap = json!({"name": "A", "transport": "soap", "soap_version": "1.1", "security_id": wss, "url_path": "/a"});
    api.create_http(&with(&good, &soap));
}
