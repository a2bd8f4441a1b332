//! Channels: what is created, changed or deleted takes effect before the reply is out.

use serde_json::{Value, json};

use crate::support::api::{json_channel, soap_channel, with};
use crate::support::backend::on_both_backends;
use crate::support::envelope::{SOAP, includes, soap_envelope, soap_request};
use crate::support::http::basic_auth;
use crate::support::{Backend, Format, Reply, Server};

on_both_backends!(a_change_takes_effect_before_the_reply, a_refused_change_changes_nothing);

fn get(server: &Server, path: &str) -> Reply {
    server.request("GET", path).send()
}

fn ping_over_soap(server: &Server, path: &str, action: &str) -> Reply {
    let request = server.request("POST", path).header("SOAPAction", action);
    request.body(soap_request("zato.ping", &json!({}))).send()
}

/// Repeated, since a change that is merely fast would pass once.
fn a_change_takes_effect_before_the_reply(backend: Backend) {
    let server = backend.launch().start();
    for round in 0..10 {
        let api = server.api_in(Format::BOTH[round % 2]);
        let [path, other] = [format!("/round/{round}"), format!("/other/{round}")];
        let channel = json_channel("Effect", &path, "zato.ping");

        get(&server, &path).status(404);
        let id = api.create_http(&channel);
        assert_eq!(get(&server, &path).status(200).json()["zato_ping_response"], json!({"pong": "zato"}));

        api.edit_http(id, &with(&channel, &json!({"url_path": other})));
        get(&server, &path).status(404);
        get(&server, &other).status(200);

        api.edit_http(id, &with(&channel, &json!({"service": "zato.ping2"})));
        get(&server, &other).status(404);
        assert_eq!(get(&server, &path).status(200).json()["zato_ping2_response"], json!({"pong": "zato"}));

        api.edit_http(id, &with(&channel, &json!({"is_active": false})));
        get(&server, &path).status(404);
        api.edit_http(id, &channel);
        get(&server, &path).status(200);

        api.delete_http(id);
        get(&server, &path).status(404);
    }
}

#[test]
fn soap_channels_are_told_apart_by_their_action() {
    let server = Server::start();
    let api = server.api();
    let first = api.create_http(&soap_channel("First", "/soap/both", "urn:first", "zato.ping"));
    api.create_http(&soap_channel("Second", "/soap/both", "urn:second", "zato.ping2"));

    let reply = ping_over_soap(&server, "/soap/both", "urn:first").status(200);
    assert!(reply.header("Content-Type").starts_with("text/xml"), "{reply:?}");
    assert!(reply.text().contains("zato_ping_response"), "{}", reply.text());
    // SOAP 1.1 wants the action in quotes; clients differ.
    ping_over_soap(&server, "/soap/both", "\"urn:first\"").status(200);
    ping_over_soap(&server, "/soap/both", "urn:third").status(404);
    server.request("POST", "/soap/both").body(soap_envelope("")).send().status(404);
    let request = server.request("POST", "/soap/both").header("SOAPAction", "urn:second");
    let reply = request.body(soap_request("zato.ping2", &json!({}))).send().status(200);
    assert!(reply.text().contains("zato_ping2_response"), "{}", reply.text());

    api.delete_http(first);
    ping_over_soap(&server, "/soap/both", "urn:first").status(404);
    let request = server.request("POST", "/soap/both").header("SOAPAction", "urn:second");
    request.body(soap_request("zato.ping2", &json!({}))).send().status(200);
}

/// Requests of both versions are read; replies and Faults are those of the channel's version.
#[test]
fn a_soap_1_2_channel_answers_in_its_version() {
    const SOAP_1_2: &str = "http://www.w3.org/2003/05/soap-envelope";
    let server = Server::start();
    let version = json!({"soap_version": "1.2"});
    server.api().create_http(&with(&soap_channel("1.2", "/soap/12", "urn:any", "zato.ping"), &version));
    let newer = soap_request("zato.ping", &json!({})).replace(SOAP, SOAP_1_2);
    let call = |name: &str, value: &str, body: &str| {
        let reply = server.request("POST", "/soap/12").header(name, value).body(body).send();
        if reply.status != 404 {
            assert_eq!(reply.header("Content-Type"), "application/soap+xml; charset=utf-8");
            assert!(reply.text().contains(SOAP_1_2), "{}", reply.text());
        }
        reply
    };
    call("SOAPAction", "urn:any", &soap_request("zato.ping", &json!({}))).status(200);
    call("SOAPAction", "urn:any", &newer).status(200);
    // Version 1.2 names the action in the media type.
    call("Content-Type", "application/soap+xml; charset=utf-8; action=\"urn:any\"", &newer).status(200);
    call("Content-Type", "application/soap+xml; action=\"urn:other\"", &newer).status(404);
    let fault = call("SOAPAction", "urn:any", "<a/>").status(400);
    assert!(fault.text().contains("<env:Value>env:Sender</env:Value>"), "{}", fault.text());
}

#[test]
fn a_plain_channel_does_not_answer_to_an_action() {
    let server = Server::start();
    server.api().create_http(&json_channel("Plain", "/plain", "zato.ping"));
    server.request("POST", "/plain").header("SOAPAction", "urn:any").send().status(404);
    server.request("POST", "/plain").header("SOAPAction", "").send().status(200);
}

#[test]
fn any_method_calls_a_channel_unless_it_has_one() {
    let server = Server::start();
    let channel = json_channel("Method", "/method", "zato.ping");
    let id = server.api().create_http(&channel);
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"] {
        server.request(method, "/method").send().status(200);
    }
    let head = server.request("HEAD", "/method").send().status(200);
    assert_eq!(head.text(), "");
    server.api().edit_http(id, &with(&channel, &json!({"method": "POST"})));
    server.request("POST", "/method").send().status(200);
    let refused = get(&server, "/method").status(405);
    assert_eq!(refused.header("Allow"), "POST, OPTIONS");
    server.api().edit_http(id, &with(&channel, &json!({"method": "post"})));
    server.request("POST", "/method").send().status(200);
    assert!(refused.json()["zato_env"]["details"].as_str().unwrap().contains("GET"), "{}", refused.text());
}

#[test]
fn a_secured_channel_asks_for_credentials() {
    let server = Server::start();
    let api = server.api();
    let security = api.create_user("Channel user", "channel-password-1");
    let channel = with(&json_channel("Secured", "/secured", "zato.ping"), &json!({"security_id": security}));
    let id = api.create_http(&channel);

    let challenge = get(&server, "/secured").status(401);
    assert_eq!(challenge.header("WWW-Authenticate"), "Basic realm=\"Tests\"");
    assert_eq!(challenge.json()["zato_env"]["result"], "ZATO_ERROR");
    server.request("GET", "/secured").auth("Channel user", "channel-password-1").send().status(200);
    server.request("GET", "/secured").auth("pubapi", server.password("pubapi")).send().status(401);

    // An edit without the optional security_id takes the guard away, as the documentation of edit says.
    api.edit_http(id, &json_channel("Secured", "/secured", "zato.ping"));
    get(&server, "/secured").status(200);
    api.edit_http(id, &channel);
    get(&server, "/secured").status(401);
    api.edit_http(id, &with(&channel, &json!({"security_id": "ZATO_NONE"})));
    get(&server, "/secured").status(200);
}

/// An inactive channel does not say whether credentials are right.
#[test]
fn an_inactive_channel_is_not_found_whoever_asks() {
    let server = Server::start();
    let security = server.api().create_user("Inactive user", "inactive-password-1");
    let object = json!({"security_id": security, "is_active": false});
    server.api().create_http(&with(&json_channel("Inactive", "/inactive", "zato.ping"), &object));
    get(&server, "/inactive").status(404);
    server.request("GET", "/inactive").auth("Inactive user", "inactive-password-1").send().status(404);
}

#[test]
fn lists_show_what_was_given_and_the_defaults() {
    let server = Server::start();
    let api = server.api();
    let id = api.create_http(&json_channel("Listed", "/listed", "zato.ping"));
    for format in Format::BOTH {
        let input = json!({"cluster_id": 1, "connection": "channel", "transport": "plain_http"});
        let items = server.api_in(format).call("zato.http-soap.get-list", &input).ok();
        let item = items.as_array().unwrap().iter().find(|item| item["name"] == "Listed").cloned().unwrap();
        let expected = json!({
            "id": id, "is_active": true, "is_internal": false, "url_path": "/listed", "service_name": "zato.ping",
            "data_format": "json", "ping_method": "HEAD", "pool_size": 20, "merge_url_params_req": true,
            "url_params_pri": "qs-over-path", "params_pri": "channel-params-over-msg", "serialization_type": "string",
            "timeout": 10, "has_rbac": false,
        });
        includes(format, &item, &expected);
    }
    // The server's own channels would bury the others.
    let input = json!({"cluster_id": 1, "connection": "channel", "transport": "plain_http"});
    let names = api.names("zato.http-soap.get-list", &input);
    assert!(names.contains(&"admin.invoke.json".to_owned()), "{names:?}");
    assert!(names.iter().all(|name| !name.starts_with("zato")), "{names:?}");
    assert!(names.is_sorted(), "{names:?}");
    let input = json!({"cluster_id": 1, "connection": "sideways", "transport": "plain_http"});
    assert_eq!(api.call("zato.http-soap.get-list", &input).ok(), json!([]));
}

/// Nothing is stored and nothing changes when a check fails, in either format.
fn a_refused_change_changes_nothing(backend: Backend) {
    let server = backend.launch().start();
    let api = server.api();
    let channel = json_channel("Kept", "/kept", "zato.ping");
    let id = api.create_http(&channel);
    api.create_http(&json_channel("Rival", "/rival", "zato.ping"));

    let cases: &[(Value, u16, &[&str])] = &[
        (json!({"url_path": "kept"}), 400, &["URL path:[kept] must start with a slash /"]),
        (json!({"name": "Rival"}), 409, &["An object of that name [Rival] already exists on this cluster"]),
        (json!({"url_path": "/rival"}), 409, &["Rival"]),
        (json!({"service": "no.such"}), 404, &["Service [no.such] does not exist on this cluster"]),
        (json!({"security_id": 987_654}), 404, &["987654"]),
        (json!({"connection": "sideways"}), 400, &["connection", "channel", "outgoing"]),
        (json!({"transport": "pigeon"}), 400, &["transport", "plain_http", "soap"]),
        (json!({"data_format": "yaml"}), 400, &["data_format", "json", "xml"]),
        (json!({"method": "NOT A METHOD"}), 400, &["method"]),
        (json!({"url_path": "/zato/health"}), 409, &["/zato/health"]),
        (json!({"url_path": "/zato/metrics"}), 409, &["/zato/metrics"]),
        (json!({"url_path": "/a/{b"}), 400, &["/a/{b"]),
        (json!({"is_active": "perhaps"}), 400, &["is_active"]),
        (json!({"cluster_id": 987_654}), 404, &["987654"]),
        // A guard that nothing stands behind must not look like one.
        (json!({"has_rbac": true}), 400, &["has_rbac"]),
    ];
    for (index, (change, status, texts)) in cases.iter().enumerate() {
        for format in Format::BOTH {
            let api = server.api_in(format);
            // A Fault goes out with 500 unless its status is one of four that SOAP tools rely on.
            let status = if format == Format::Soap && !matches!(status, 401 | 403 | 404 | 405) {
                500
            } else {
                *status
            };
            let changed = with(&channel, change);
            api.call("zato.http-soap.edit", &with(&changed, &json!({"id": id}))).error(status, texts);
            let new =
                with(&json_channel(&format!("New {index}"), &format!("/new/{index}"), "zato.ping"), change);
            api.call("zato.http-soap.create", &new).error(status, texts);
            get(&server, &format!("/new/{index}")).status(404);
        }
    }
    get(&server, "/kept").status(200);
    let input = json!({"cluster_id": 1, "connection": "channel", "transport": "plain_http"});
    assert_eq!(api.names("zato.http-soap.get-list", &input), ["Kept", "Rival", "admin.invoke.json"]);
}

/// What comes with the server, each at its documented place and with its documented guard.
#[test]
fn default_channels_answer() {
    let server = Server::start();
    for path in ["/zato/ping", "/zato/ping2"] {
        get(&server, path).status(200);
        server.request("POST", path).body("{}").send().status(200);
    }
    let unauthorised = get(&server, "/zato/ping.plain_http.basic_auth").status(401);
    assert_eq!(unauthorised.header("WWW-Authenticate"), "Basic realm=\"Zato ping\"");
    ping_over_soap(&server, "/zato/ping.soap.basic_auth", "zato.ping.soap.basic_auth").status(401);
    // The original gave the WS-Security channel the action of the Basic Auth one, and clients rely on it.
    let unauthorised =
        ping_over_soap(&server, "/zato/ping.soap.wss.clear_text", "zato.ping.soap.basic_auth").status(401);
    assert_eq!(unauthorised.header("WWW-Authenticate"), "zato-wss");

    for (path, realm) in
        [("/zato/json/zato.ping", "Zato public API"), ("/zato/admin/invoke", "Zato admin invoke")]
    {
        let reply = server.request("POST", path).body("{}").send().status(401);
        assert_eq!(reply.header("WWW-Authenticate"), format!("Basic realm=\"{realm}\""));
    }
    ping_over_soap(&server, "/zato/soap", "zato.ping").status(401);
    let admin = basic_auth("admin.invoke", server.password("admin.invoke"));
    let input = json!({"name": "zato.ping"});
    let request = server.request("POST", "/zato/admin/invoke").header("Authorization", &admin);
    request.json(&input).send().status(200);
    let pubapi = basic_auth("pubapi", server.password("pubapi"));
    server
        .request("POST", "/zato/admin/invoke")
        .header("Authorization", &pubapi)
        .json(&input)
        .send()
        .status(401);
    let request = server.request("POST", "/zato/api/invoke/zato.ping").header("Authorization", &pubapi);
    assert_eq!(request.body("null").send().status(200).json(), json!({"pong": "zato"}));
}
