//! Services as objects: settings with effect, lists, and invocation by name or id.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::api::{json_channel, soap_channel};
use crate::support::backend::on_both_backends;
use crate::support::envelope::{includes, soap_request};
use crate::support::http::is_cid;
use crate::support::{Backend, Format, Launch, Server, eventually};

on_both_backends!(an_inactive_service_answers_nowhere);

#[track_caller]
fn invoke(server: &Server, input: &Value) -> String {
    let response = server.api().call("zato.service.invoke", input).ok();
    decode(response["response"].as_str().unwrap())
}

fn decode(text: &str) -> String {
    String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
}

fn encode(text: &str) -> String {
    STANDARD.encode(text)
}

fn an_inactive_service_answers_nowhere(backend: Backend) {
    let server = backend.launch().start();
    let api = server.api();
    api.create_http(&json_channel("JSON", "/inactive/json", "zato.ping2"));
    api.create_http(&soap_channel("SOAP", "/inactive/soap", "urn:ping2", "zato.ping2"));
    let service = api.service("zato.ping2");
    let edit = |is_active: bool| {
        let input = json!({"id": service["id"], "is_active": is_active, "slow_threshold": 250});
        let edited = server.api().call("zato.service.edit", &input).ok();
        let expected = json!({"name": "zato.ping2", "is_internal": true, "may_be_deleted": false});
        includes(Format::Json, &edited, &expected);
    };
    let over_soap = || {
        let request = server.request("POST", "/inactive/soap").header("SOAPAction", "urn:ping2");
        request.body(soap_request("zato.ping2", &json!({}))).send().status
    };
    let invoked = |input: Value| server.api().send("zato.service.invoke", &input).status;
    for (is_active, status) in [(false, 404), (true, 200), (false, 404)] {
        edit(is_active);
        assert_eq!(server.request("GET", "/inactive/json").send().status, status);
        assert_eq!(over_soap(), status);
        assert_eq!(server.request("GET", "/zato/ping2").send().status, status);
        assert_eq!(invoked(json!({"name": "zato.ping2"})), status);
        assert_eq!(invoked(json!({"id": service["id"]})), status);
    }
    let service = server.api().service("zato.ping2");
    assert_eq!((&service["is_active"], &service["slow_threshold"]), (&json!(false), &json!(250)));

    let server = server.stop().start();
    server.request("GET", "/zato/ping2").send().status(404);
}

#[test]
fn usage_and_times_are_counted() {
    let server = Server::start();
    let before = server.api().service("zato.ping2");
    assert_eq!((&before["usage"], &before["time_last"]), (&json!(0), &Value::Null));
    assert_eq!((&before["slow_threshold"], &before["is_active"]), (&json!(99999), &json!(true)));
    for _ in 0..5 {
        server.request("GET", "/zato/ping2").send().status(200);
    }
    invoke(&server, &json!({"name": "zato.ping2"}));
    let after = server.api().service("zato.ping2");
    assert_eq!(after["usage"], 6);
    for time in ["time_last", "time_min_all_time", "time_max_all_time", "time_mean_all_time"] {
        assert!(after[time].is_number(), "{time}: {after}");
    }
}

/// The server's own services are hidden, unless a setting says otherwise.
#[test]
fn lists_are_filtered_by_name() {
    let hidden = Server::start();
    let shown = Launch::new().flag("--return-internal-objects", "true").start();
    #[track_caller]
    fn list(server: &Server, filter: &Value) -> Vec<String> {
        server.api().names("zato.service.get-list", &json!({"cluster_id": 1, "name_filter": filter}))
    }
    assert_eq!(list(&hidden, &json!("*")), [""; 0]);

    let all = list(&shown, &json!("*"));
    assert!(all.len() > 20 && all.is_sorted(), "{all:?}");
    assert_eq!(list(&shown, &json!("")), [""; 0]);
    assert_eq!(list(&shown, &Value::Null), [""; 0]);
    assert_eq!(list(&shown, &json!("PING2")), ["zato.ping2"]);
    assert_eq!(list(&shown, &json!("  ping   zato.ping  ")), ["zato.ping", "zato.ping2"]);
    assert_eq!(list(&shown, &json!("ping nonsense")), [""; 0]);
    // A star is a star only when alone.
    assert_eq!(list(&shown, &json!("zato.*")), [""; 0]);
    // Both elements have defaults.
    assert_eq!(shown.api().call("zato.service.get-list", &json!({})).ok(), json!([]));
}

#[test]
fn channels_of_a_service_are_listed_by_type() {
    let server = Server::start();
    let api = server.api();
    let json_id = api.create_http(&json_channel("Plain", "/list/json", "zato.info.get-info"));
    let soap_id = api.create_http(&soap_channel("Soap", "/list/soap", "urn:list", "zato.info.get-info"));
    let id = api.service("zato.info.get-info")["id"].clone();
    let list = |channel_type: &str| {
        let input = json!({"id": id, "channel_type": channel_type});
        server.api().call("zato.service.get-channel-list", &input)
    };
    let contains = |items: Value, id: i64, name: &str| {
        let items = items.as_array().unwrap().clone();
        assert!(items.contains(&json!({"id": id, "name": name})), "{items:?}");
    };
    contains(list("plain_http").ok(), json_id, "Plain");
    contains(list("soap").ok(), soap_id, "Soap");
    for without_channels in ["amqp", "jms-wmq", "zmq"] {
        assert_eq!(list(without_channels).ok(), json!([]));
    }
    list("pigeon").error(400, &["channel_type", "pigeon"]);
}

#[test]
fn a_service_is_invoked_by_name_or_id() {
    let server = Server::start();
    let pong = json!({"zato_ping_response": {"pong": "zato"}});
    let id = server.api().service("zato.ping")["id"].clone();
    for input in [
        json!({"name": "zato.ping"}),
        json!({"id": id}),
        json!({"id": id.to_string()}),
        json!({"name": "zato.ping", "payload": "", "data_format": "json", "async": false, "expiration": 15}),
        json!({"name": "zato.ping", "payload": encode("{}"), "data_format": "json", "transport": null}),
    ] {
        assert_eq!(invoke(&server, &input).parse::<Value>().unwrap(), pong, "{input}");
    }
}

#[test]
fn a_payload_is_parsed_in_its_data_format() {
    let server = Server::start();
    let invoke = |format: &str, transport: Option<&str>, payload: &str| {
        let name = "zato.service.get-by-name";
        let input = json!({
            "name": name, "payload": encode(payload), "data_format": format, "transport": transport,
        });
        invoke(&server, &input)
    };
    let input = json!({"cluster_id": 1, "name": "zato.ping"});
    let reply: Value = invoke("json", None, &input.to_string()).parse().unwrap();
    assert_eq!(reply["zato_service_get_by_name_response"]["name"], "zato.ping");
    assert_eq!(reply.as_object().unwrap().len(), 1, "{reply}");

    let xml = "<zato_service_get_by_name_request><cluster_id>1</cluster_id><name>zato.ping</name></zato_service_get_by_name_request>";
    let soap = soap_request("zato.service.get-by-name", &input);
    for reply in [invoke("xml", None, xml), invoke("xml", Some("soap"), &soap)] {
        assert!(
            reply.contains("<result>ZATO_OK</result>") && reply.contains("<name>zato.ping</name>"),
            "{reply}"
        );
    }
    // Line breaks, as the MIME flavour of base64 has them, are no error.
    let payload: String = encode(&input.to_string())
        .as_bytes()
        .chunks(20)
        .map(|line| format!("{}\n", str::from_utf8(line).unwrap()))
        .collect();
    let input = json!({"name": "zato.service.get-by-name", "payload": payload, "data_format": "json"});
    assert!(self::invoke(&server, &input).contains("zato.ping"));
}

#[test]
fn an_echo_comes_back_as_it_went() {
    let server = Server::start();
    for payload in [json!({"a": [1, 2.5, null], "b": "\u{17c}\u{1f980}"}), json!({}), json!({"only": ""})] {
        let input = json!({"name": "zato.helpers.echo", "payload": encode(&payload.to_string()), "data_format": "json"});
        assert_eq!(invoke(&server, &input).parse::<Value>().unwrap(), payload);
    }
}

#[test]
fn an_asynchronous_call_returns_its_own_cid_at_once() {
    let server = Server::start();
    for element in ["async", "is_async"] {
        let usage = server.api().service("zato.ping2")["usage"].as_i64().unwrap();
        let answer = server.api().call("zato.service.invoke", &json!({"name": "zato.ping2", element: true}));
        let outer = answer.cid.clone();
        let cid = decode(answer.ok()["response"].as_str().unwrap());
        assert!(is_cid(&cid), "{element}: {cid}");
        assert_ne!(cid, outer);
        eventually("the service runs", || {
            (server.api().service("zato.ping2")["usage"].as_i64() > Some(usage)).then_some(())
        });
    }
}

#[test]
fn an_invocation_that_can_not_be_made_is_explained() {
    let server = Server::start();
    let check = |input: Value, status: u16, texts: &[&str]| {
        for format in Format::BOTH {
            let is_fault = format == Format::Soap && status != 404;
            let answer = server.api_in(format).call("zato.service.invoke", &input);
            answer.error(if is_fault { 500 } else { status }, texts);
        }
    };
    let id = server.api().service("zato.ping")["id"].clone();
    check(json!({"name": "zato.ping", "id": id}), 400, &["Cannot accept both id", "zato.ping"]);
    check(json!({}), 400, &["name", "id"]);
    check(json!({"name": "no.such.service"}), 404, &["no.such.service"]);
    check(json!({"id": 987_654}), 404, &["987654"]);
    check(json!({"name": "zato.ping", "payload": "*not base64*"}), 400, &["payload", "base64"]);
    let payload = encode("{\"a\":");
    check(json!({"name": "zato.ping", "payload": payload, "data_format": "json"}), 400, &["JSON"]);
    check(
        json!({"name": "zato.ping", "payload": encode("{}"), "data_format": "yaml"}),
        400,
        &["data_format"],
    );
    // The error of the service that was invoked is the caller's to read.
    let payload = encode("{\"cluster_id\": 1, \"name\": \"no.such.service\"}");
    let input = json!({"name": "zato.service.get-by-name", "payload": payload, "data_format": "json"});
    check(input, 404, &["no.such.service"]);
}

#[test]
fn any_verb_invokes_by_path() {
    let server = Server::start();
    let password = server.password("pubapi").to_owned();
    let call = |method: &str, path: &str, body: &str| {
        let request = server.request(method, &format!("/zato/api/invoke/{path}")).auth("pubapi", &password);
        request.body(body).send()
    };
    for method in ["POST", "GET", "PUT", "PATCH", "DELETE"] {
        for body in ["null", "", "{}", "\"\""] {
            assert_eq!(
                call(method, "zato.ping", body).status(200).json(),
                json!({"pong": "zato"}),
                "{method} {body}"
            );
        }
    }
    let found = call("POST", "zato.service.get-by-name", "{\"cluster_id\": 1, \"name\": \"zato.ping\"}");
    assert_eq!(found.status(200).json()["name"], "zato.ping");
    let found = call("GET", "zato.service.get-by-name?cluster_id=1&name=zato.ping", "null");
    assert_eq!(found.status(200).json()["name"], "zato.ping");
    let list = call("POST", "zato.security.basic-auth.get-list", "{\"cluster_id\": 1}").status(200).json();
    assert!(list.as_array().unwrap().iter().any(|item| item["name"] == "pubapi"), "{list}");
    // A service without output answers a document all the same.
    let id = server.api().create_user("Gone", "password-gone");
    call("POST", "zato.security.basic-auth.delete", &json!({"id": id}).to_string()).status(200).json();

    let missing = call("POST", "no.such.service", "{}").status(404);
    assert!(missing.text().contains("no.such.service"), "{}", missing.text());
    call("POST", "zato.service.get-by-name", "{}").status(400);
    server.request("POST", "/zato/api/invoke/zato.ping").body("{}").send().status(401);
}

#[test]
fn what_a_load_balancer_says_about_tls_is_logged() {
    let server = Server::start();
    server.api().create_http(&json_channel("TLS", "/tls", "zato.helpers.tls-logger"));
    let call = |header: &str| {
        let request = server.request("POST", "/tls").header(header, "CN=tls-test");
        request.send().status(200).cid().to_owned()
    };
    for header in ["X-Zato-TLS-Subject", "X_Zato_TLS_Subject"] {
        assert_eq!(server.log_lines(&["INFO", &call(header), "CN=tls-test"]).len(), 1, "{}", server.log());
    }
    assert_eq!(server.log_lines(&["WARN", &call("X-Other")]).len(), 1, "{}", server.log());
    // It has no channel of its own, but like any service it can be invoked.
    server.api().send("zato.helpers.tls-logger", &json!({})).status(404);
    server.api().call("zato.service.invoke", &json!({"name": "zato.helpers.tls-logger"})).ok();
}

#[test]
fn large_messages_survive() {
    let server = Server::start();
    let payload = json!({"text": "0123456789\u{17c}".repeat(100_000)}).to_string();
    assert_eq!(server.api().post("zato.helpers.echo", &payload).status(200).text(), payload);
    let input = json!({"name": "zato.helpers.echo", "payload": encode(&payload), "data_format": "json"});
    assert_eq!(invoke(&server, &input).parse::<Value>().unwrap(), payload.parse::<Value>().unwrap());
}

#[test]
fn server_information_is_about_this_server() {
    let server = Server::start();
    let info = server.api().post("zato.info.get-info", "").status(200).json();
    assert!(info.to_string().contains(&server.pid().to_string()), "{info}");
    let own = server.api().post("zato.info.get-server-info", "").status(200).json();
    let text = own["response"]["info"].as_str().unwrap_or_else(|| panic!("{own}"));
    let document: Value = text.parse().unwrap();
    assert!(document.to_string().contains(&server.pid().to_string()), "{document}");
}
