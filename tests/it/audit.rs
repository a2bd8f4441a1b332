//! The audit log of channels: recorded, masked, cut and switched off while calls come in, and never in their way.

use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::api::{json_channel, soap_channel, with};
use crate::support::backend::on_both_backends;
use crate::support::envelope::soap_envelope;
use crate::support::postgres::Database;
use crate::support::{Backend, Launch, Server, eventually};

on_both_backends!(calls_are_recorded_as_the_channel_says);

/// Calls a service that has no channel of its own.
#[track_caller]
fn invoke(server: &Server, service: &str, input: &Value) -> Value {
    let payload = STANDARD.encode(input.to_string());
    let invocation = json!({"name": service, "data_format": "json", "payload": payload});
    let reply = server.api().call("zato.service.invoke", &invocation).ok();
    let reply = STANDARD.decode(reply["response"].as_str().unwrap()).unwrap();
    let reply: Value = serde_json::from_slice(&reply).unwrap_or_default();
    reply.as_object().and_then(|reply| reply.values().next()).cloned().unwrap_or_default()
}

#[track_caller]
fn set_state(server: &Server, channel: i64, is_on: bool) {
    invoke(server, "zato.http-soap.set-audit-state", &json!({"id": channel, "audit_enabled": is_on}));
}

fn entries(server: &Server, channel: i64) -> Vec<Value> {
    let input = json!({"conn_id": channel, "batch_size": 1000});
    invoke(server, "zato.http-soap.get-audit-item-list", &input).as_array().cloned().unwrap_or_default()
}

/// The entry of a call, once it is stored.
#[track_caller]
fn entry(server: &Server, channel: i64, cid: &str) -> Value {
    let id = eventually("the call is in the audit log", || {
        entries(server, channel)
            .into_iter()
            .find(|entry| entry["cid"] == cid)
            .map(|entry| entry["id"].clone())
    });
    invoke(server, "zato.http-soap.get-audit-item", &json!({"id": id}))
}

fn head(entry: &Value, part: &str) -> Value {
    entry[part].as_str().unwrap().parse().unwrap()
}

fn calls_are_recorded_as_the_channel_says(backend: Backend) {
    let server = backend.launch().start();
    let user = server.api().create_user("Auditor", "audited-word");
    let object = json!({"security_id": user});
    let channel = server.api().create_http(&with(&json_channel("Audited", "/audited", "zato.ping"), &object));
    let pointer = json!({"cluster_id": 1, "name": "PIN", "value": "/card/pin"});
    server.api().id_of("zato.message.json-pointer.create", &pointer);
    set_state(&server, channel, true);
    let call = |body: &str| {
        server
            .request("POST", "/audited?token=audited-word&b=1")
            .auth("Auditor", "audited-word")
            .body(body)
            .send()
    };
    let body = r#"{"card": {"pin": 1234, "no": 5678}, "password1": "audited-word"}"#;
    let shown = entry(&server, channel, call(body).status(200).cid());
    assert_eq!(shown["user_token"], "Auditor");
    assert_eq!((&shown["auth_ok"], &shown["invoke_ok"]), (&json!(true), &json!(true)));
    assert_eq!(shown["req_payload"], r#"{"card":{"no":5678,"pin":1234},"password1":"******"}"#);
    assert!(shown["resp_payload"].as_str().unwrap().contains("pong"), "{shown}");
    let request = head(&shown, "req_headers");
    assert_eq!(request["headers"]["authorization"], "******");
    assert_eq!(request["query"], "token=******&b=1");
    assert_eq!(head(&shown, "resp_headers")["status"], 200);

    // Whoever is refused is recorded as well, and has not become anybody.
    let refused = server.request("POST", "/audited").auth("Auditor", "guessed-word").send().status(401);
    let shown = entry(&server, channel, refused.cid());
    assert_eq!((&shown["auth_ok"], &shown["user_token"]), (&json!(false), &Value::Null));
    assert!(!shown.to_string().contains(&STANDARD.encode("Auditor:guessed-word")), "{shown}");

    // What is changed holds for the next call.
    let patterns = json!({"id": channel, "audit_repl_patt_type": "json-pointer", "pattern_list": ["PIN"]});
    invoke(&server, "zato.http-soap.set-audit-replace-patterns", &patterns);
    let shown = entry(&server, channel, call(body).status(200).cid());
    assert_eq!(shown["req_payload"], r#"{"card":{"no":5678,"pin":"******"},"password1":"******"}"#);
    invoke(&server, "zato.http-soap.set-audit-config", &json!({"id": channel, "audit_max_payload": 10}));
    let shown = entry(&server, channel, call(body).status(200).cid());
    assert_eq!(shown["req_payload"], r#"{"card":{""#);
    assert_eq!(shown["resp_payload"].as_str().unwrap().len(), 10);
    set_state(&server, channel, false);
    let off = call(body).status(200);
    set_state(&server, channel, true);
    let on = call(body).status(200);
    entry(&server, channel, on.cid());
    assert!(entries(&server, channel).iter().all(|entry| entry["cid"] != off.cid()));

    // What was recorded is still there after a restart, that of the last call before it included.
    let last = call(body).status(200);
    let server = server.stop().start();
    entry(&server, channel, last.cid());
    server.api().delete_http(channel);
    let gone = json!({"name": "zato.http-soap.get-audit-config", "data_format": "json", "payload": STANDARD.encode(json!({"id": channel}).to_string())});
    server.api().call("zato.service.invoke", &gone).error(404, &["No row was found"]);
}

/// The password of a UsernameToken is hidden by its name, what an expression finds by the expression.
#[test]
fn places_in_soap_messages_are_hidden() {
    let server = Server::start();
    let channel = server.api().create_http(&soap_channel("Audited", "/audited", "urn:ping", "zato.ping"));
    let namespace = json!({"cluster_id": 1, "name": "crm", "value": "urn:crm"});
    server.api().id_of("zato.message.namespace.create", &namespace);
    let xpath = json!({"cluster_id": 1, "name": "PIN", "value": "//crm:pin"});
    server.api().id_of("zato.message.xpath.create", &xpath);
    let patterns = json!({"id": channel, "audit_repl_patt_type": "xpath", "pattern_list": ["PIN"]});
    invoke(&server, "zato.http-soap.set-audit-replace-patterns", &patterns);
    set_state(&server, channel, true);
    let payload = "<a:ping xmlns:a='urn:crm'><a:pin>12<b/>34</a:pin><pin>5</pin><c:Password xmlns:c='urn:c'>6</c:Password></a:ping>";
    let request = server.request("POST", "/audited").header("SOAPAction", "urn:ping");
    let reply = request.body(soap_envelope(payload)).send();
    let shown = entry(&server, channel, reply.cid());
    let shown = shown["req_payload"].as_str().unwrap();
    assert!(
        shown.contains(">******</a:pin><pin>5</pin>") && shown.contains(">******</c:Password>"),
        "{shown}"
    );
}

/// Calls go on as ever while nothing can be stored: what finds no room in the queue is counted, and the rest is stored
/// once that is possible.
#[test]
fn calls_never_wait_for_their_audit() {
    const CALLERS: usize = 4;
    const CALLS: usize = 2_750;
    let database = Database::on_server_of_its_own();
    let server = Launch::new().flag("--odb", database.url()).start();
    let audited = server.api().create_http(&json_channel("Audited", "/audited", "zato.ping"));
    server.api().create_http(&json_channel("Plain", "/plain", "zato.ping"));
    set_state(&server, audited, true);
    entry(&server, audited, server.request("POST", "/audited").body("{}").send().status(200).cid());
    database.halt();
    let load = |path: &str, calls: usize| {
        let times: Vec<Vec<Duration>> = thread::scope(|scope| {
            let caller = || {
                let call = |_| {
                    let begun = Instant::now();
                    server.request("POST", path).body("{}").send().status(200);
                    begun.elapsed()
                };
                (0..calls).map(call).collect()
            };
            let callers = [(); CALLERS].map(|()| scope.spawn(caller));
            callers.map(|caller| caller.join().unwrap()).into()
        });
        let mut times = times.concat();
        times.sort_unstable();
        let (middle, p99, last) =
            (times[times.len() / 2], times[times.len() * 99 / 100], times[times.len() - 1]);
        println!("{path}: median {middle:?}, p99 {p99:?}, slowest {last:?}");
        last
    };
    let dropped = || {
        let metrics = server.request("GET", "/zato/metrics").send().status(200);
        let line =
            metrics.text().lines().find_map(|line| line.strip_prefix("zato_audit_calls_dropped_total "));
        line.expect("the metric is there").parse::<usize>().unwrap()
    };
    load("/plain", CALLS / 10);
    let slowest = load("/audited", CALLS);
    let lost = dropped();
    assert!(lost > 0 && lost < CALLERS * CALLS, "{lost} dropped");
    // Whoever waits for the database waits for ten seconds.
    assert!(slowest < Duration::from_secs(8), "{slowest:?}");
    database.resume();
    let filter = format!("SELECT count(*) FROM http_soap_audit WHERE conn_id = {audited}");
    eventually("all that was queued is stored", || {
        let stored: usize = database.ask(&filter)?.trim().parse().unwrap();
        (stored + lost == CALLERS * CALLS + 1).then_some(())
    });
    assert_eq!(dropped(), lost);
}
