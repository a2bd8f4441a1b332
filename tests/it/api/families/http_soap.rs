//! `zato.http-soap`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::cases::{Cases, NO_ID};
use crate::support::api::{json_channel, outgoing, with};
use crate::support::envelope::text;
use crate::support::{Peer, PeerReply, eventually};

pub(super) fn cases(cases: &mut Cases<'_>) {
    let peer = Peer::start(|_| PeerReply::status(200));
    let create = "zato.http-soap.create";
    let channel = cases.id(create, &json_channel("Table channel", "/table/channel", "zato.ping"));
    let connection = cases.id(create, &outgoing("Table connection", &peer.host(), "/table"));
    let lenient = json!({"cluster_id": "1", "is_active": "1", "is_internal": "f"});
    cases.id(create, &with(&json_channel("Lenient", "/lenient", "zato.ping"), &lenient));
    let duplicate = json_channel("Table channel", "/other", "zato.ping");
    let taken = &["An object of that name [Table channel] already exists on this cluster"];
    cases.fails(create, &duplicate, 409, taken);
    let rival = json_channel("Rival", "/table/channel", "zato.ping");
    cases.fails(create, &rival, 409, &["/table/channel", "Table channel"]);
    let new = json_channel("New", "/new", "zato.ping");
    let slash = &["URL path:[new] must start with a slash /"];
    cases.fails(create, &with(&new, &json!({"url_path": "new"})), 400, slash);
    let unknown = &["Service [no.such] does not exist on this cluster"];
    cases.fails(create, &with(&new, &json!({"service": "no.such"})), 404, unknown);
    cases.fails(create, &with(&new, &json!({"security_id": NO_ID})), 404, &["987654"]);

    let list = "zato.http-soap.get-list";
    let input = json!({"cluster_id": 1, "connection": "channel", "transport": "plain_http"});
    let item = json!({
        "id": channel, "name": "Table channel", "is_active": true, "is_internal": false,
        "url_path": "/table/channel", "service_name": "zato.ping", "data_format": "json",
    });
    cases.list_with(list, &input, &item);
    cases.empty_list(list, &with(&input, &json!({"cluster_id": NO_ID})));
    cases.empty_list(list, &with(&input, &json!({"transport": "pigeon"})));
    let item = json!({
        "id": connection, "name": "Table connection", "url_path": "/table", "ping_method": "HEAD",
        "pool_size": 20, "timeout": 10,
    });
    cases.list_with(list, &with(&input, &json!({"connection": "outgoing"})), &item);

    let edit = "zato.http-soap.edit";
    let edited = with(&json_channel("Table channel", "/table/channel", "zato.ping"), &json!({"id": channel}));
    cases.id(edit, &edited);
    cases.fails(edit, &with(&edited, &json!({"id": NO_ID, "name": "X", "url_path": "/x"})), 404, &["987654"]);
    cases.fails(edit, &with(&edited, &json!({"name": "Lenient"})), 409, &["Lenient"]);
    let slash = &["URL path:[x] must start with a slash /"];
    cases.fails(edit, &with(&edited, &json!({"url_path": "x"})), 400, slash);

    let call = || cases.server.request("GET", "/table/channel").send().status;
    assert_eq!(call(), 200);
    cases.id(edit, &with(&edited, &json!({"is_active": false})));
    let call = || cases.server.request("GET", "/table/channel").send().status;
    assert_eq!(call(), 404, "the channel is inactive");
    cases.id(edit, &edited);

    let ping = "zato.http-soap.ping";
    cases.item(ping, &json!({"id": connection.to_string()}), &json!({}));
    cases.fails(ping, &json!({"id": NO_ID}), 404, &["987654"]);

    audit(cases, channel, connection);
    reload(cases, channel, &outgoing("SOAP", &peer.host(), "/soap"));

    let delete = "zato.http-soap.delete";
    cases.nothing(delete, &json!({"id": connection}));
    cases.fails(delete, &json!({"id": connection}), 404, &["No row was found"]);
    cases.fails(delete, &json!({"id": ""}), 400, &["id"]);

    let guards = cases.raw("zato.http-soap.get-url-security", "").status(404);
    assert!(guards.text().contains("Unknown URL"), "it has no channel of its own: {}", guards.text());
    let input = json!({"name": "zato.http-soap.get-url-security"});
    let reply = cases.server.api_in(cases.format).call("zato.service.invoke", &input).ok();
    let guards = STANDARD.decode(text(&reply["response"])).expect("the reply is in base64");
    let guards: Value = serde_json::from_slice(&guards).expect("the document is JSON");
    let guards = guards.as_array().expect("the document is a list");
    let of =
        |name: &str| guards.iter().find(|guard| guard["channel"] == name).expect("the channel is listed");
    let open = guards.iter().find(|guard| guard["url_path"] == "/zato/ping").expect("the ping is listed");
    assert_eq!(open["security"], json!(null));
    assert_eq!(of("Table channel")["url_path"], "/table/channel");
    assert_eq!(of("zato.http-soap.create.json")["security"]["name"], "pubapi");
    assert_eq!(of("zato.http-soap.create.json")["security"]["sec_type"], "basic_auth");
}

/// Connections that speak SOAP can be made anew; there is no WSDL in it.
fn reload(cases: &mut Cases<'_>, channel: i64, connection: &Value) {
    let soap = json!({"transport": "soap", "soap_action": "urn:a", "soap_version": "1.1"});
    let id = cases.id("zato.http-soap.create", &with(connection, &soap));
    let reload = "zato.http-soap.reload-wsdl";
    cases.nothing(reload, &json!({"id": id}));
    cases.fails(reload, &json!({"id": channel}), 400, &["no outgoing SOAP connection"]);
    cases.fails(reload, &json!({"id": NO_ID}), 404, &["987654"]);
}

/// The audit log of a channel that nobody has called.
fn audit(cases: &mut Cases<'_>, channel: i64, connection: i64) {
    let (get, set) = ("zato.http-soap.get-audit-config", "zato.http-soap.set-audit-config");
    let config = json!({
        "audit_enabled": false, "audit_back_log": 1440, "audit_max_payload": 0, "audit_repl_patt_type": "json-pointer",
    });
    cases.item(get, &json!({"id": channel}), &config);
    cases.fails(get, &json!({"id": NO_ID}), 404, &["987654"]);
    cases.nothing(set, &json!({"id": channel, "audit_max_payload": 4096, "audit_back_log": 60}));
    cases.nothing(set, &json!({"id": channel, "audit_max_payload": "512"}));
    cases.fails(set, &json!({"id": channel, "audit_max_payload": -1}), 400, &["audit_max_payload [-1]"]);
    let none = json!({"id": channel, "audit_max_payload": 0, "audit_back_log": 0});
    cases.fails(set, &none, 400, &["audit_back_log [0]"]);
    cases.fails(set, &json!({"id": NO_ID, "audit_max_payload": 0}), 404, &["987654"]);
    let only = &["[Table connection] is an outgoing connection: the audit log is for channels only"];
    cases.fails(set, &json!({"id": connection, "audit_max_payload": 0}), 400, only);

    let state = "zato.http-soap.set-audit-state";
    cases.nothing(state, &json!({"id": channel, "audit_enabled": "yes"}));
    cases.fails(state, &json!({"id": NO_ID, "audit_enabled": true}), 404, &["987654"]);
    cases.fails(state, &json!({"id": connection, "audit_enabled": true}), 400, only);
    let changed = json!({"audit_enabled": true, "audit_back_log": 60, "audit_max_payload": 512});
    cases.item(get, &json!({"id": channel}), &changed);
    cases.nothing(state, &json!({"id": channel, "audit_enabled": false}));

    let (get, set) =
        ("zato.http-soap.get-audit-replace-patterns", "zato.http-soap.set-audit-replace-patterns");
    let pointer = json!({"cluster_id": 1, "name": "PIN", "value": "/pin"});
    cases.server.api().id_of("zato.message.json-pointer.create", &pointer);
    let patterns = json!({"id": channel, "audit_repl_patt_type": "json-pointer", "pattern_list": ["PIN"]});
    cases.nothing(set, &patterns);
    let shown = cases.call(get, &json!({"id": channel}));
    assert_eq!(shown["patterns_json_pointer"][0], "PIN", "{shown}");
    let unknown = &["Could not find one or more pattern(s) [PUK]"];
    cases.fails(set, &with(&patterns, &json!({"pattern_list": ["PIN", "PUK"]})), 404, unknown);
    cases.fails(set, &with(&patterns, &json!({"audit_repl_patt_type": "xpath"})), 404, &["[PIN]"]);
    cases.fails(set, &with(&patterns, &json!({"audit_repl_patt_type": "regex"})), 400, &["regex"]);
    cases.fails(set, &with(&patterns, &json!({"id": NO_ID})), 404, &["987654"]);
    cases.fails(get, &json!({"id": NO_ID}), 404, &["987654"]);

    let (list, info) = ("zato.http-soap.get-audit-item-list", "zato.http-soap.get-audit-batch-info");
    let batch = json!({
        "conn_id": channel, "start": "2026-01-01T00:00:00", "stop": "2126-01-01T00:00:00", "current_batch": 1,
        "batch_size": 5, "query": "K",
    });
    cases.empty_list(list, &batch);
    cases.item(info, &batch, &json!({"total_results": 0, "num_batches": 0, "has_next": false}));
    for service in [list, info] {
        cases.fails(service, &with(&batch, &json!({"current_batch": 0})), 400, &["current_batch [0]"]);
        cases.fails(service, &with(&batch, &json!({"conn_id": NO_ID})), 404, &["987654"]);
    }
    entry(cases);
}

/// An entry, and what a service adds to it.
fn entry(cases: &mut Cases<'_>) {
    let path = format!("/table/audited/{:?}", cases.format);
    let channel = json_channel(&format!("Audited {path}"), &path, "zato.ping");
    let channel = cases.id("zato.http-soap.create", &channel);
    cases.nothing("zato.http-soap.set-audit-state", &json!({"id": channel, "audit_enabled": true}));
    let reply = cases.server.request("POST", &path).body("{}").send().status(200);
    let list = json!({"conn_id": channel});
    let found = eventually("the call is in the audit log", || {
        cases.list("zato.http-soap.get-audit-item-list", &list).into_iter().next()
    });
    assert_eq!(text(&found["cid"]), reply.cid());
    let item = "zato.http-soap.get-audit-item";
    let id = found["id"].clone();
    let shown =
        json!({"cid": reply.cid(), "remote_addr": "127.0.0.1", "req_payload": "{}", "invoke_ok": true});
    cases.item(item, &json!({"id": id}), &shown);
    cases.fails(item, &json!({"id": NO_ID}), 404, &["987654"]);

    let complete = "zato.http-soap.set-audit-response-data";
    let refused = cases.raw(complete, "").status(404);
    assert!(refused.text().contains("Unknown URL"), "it has no channel of its own: {}", refused.text());
    let data = json!({"cid": reply.cid(), "invoke_ok": false, "resp_payload": "{\"token\": 1}"});
    let input = |data: &Value| json!({"name": complete, "data_format": "json", "payload": STANDARD.encode(data.to_string())});
    let api = cases.server.api_in(cases.format);
    api.call("zato.service.invoke", &input(&data)).ok();
    let unknown = api.call("zato.service.invoke", &input(&json!({"cid": "K0"})));
    assert!(unknown.outcome.is_err());
    let shown = json!({"id": id, "invoke_ok": false, "resp_payload": "{\"token\":\"******\"}"});
    cases.item(item, &json!({"id": id}), &shown);
}
