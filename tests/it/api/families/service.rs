//! `zato.service`.

use serde_json::json;

use super::super::cases::{Cases, NO_ID};
use crate::support::api::with;
use crate::support::envelope::text;
use crate::support::{Format, Launch};

pub(super) fn cases(cases: &mut Cases<'_>) {
    let id = cases.server.api().service("zato.ping2")["id"].as_i64().expect("services have ids");
    let item = json!({"id": id, "name": "zato.ping2", "is_internal": true, "may_be_deleted": false});
    let by_name = "zato.service.get-by-name";
    let shown = with(&item, &json!({"is_active": true, "slow_threshold": 99999}));
    cases.item(by_name, &json!({"cluster_id": 1, "name": "zato.ping2"}), &shown);
    cases.fails(by_name, &json!({"cluster_id": 1, "name": "no.such"}), 404, &["no.such"]);
    cases.fails(by_name, &json!({"cluster_id": NO_ID, "name": "zato.ping2"}), 404, &["zato.ping2"]);

    // The server's own services are hidden, and there are no others.
    cases.empty_list("zato.service.get-list", &json!({"cluster_id": 1, "name_filter": "*"}));

    let edit = "zato.service.edit";
    cases.item(edit, &json!({"id": id, "is_active": true, "slow_threshold": "99999"}), &item);
    cases.fails(edit, &json!({"id": NO_ID, "is_active": true, "slow_threshold": 1}), 404, &["987654"]);
    // Nobody reaches a service that is inactive, and a service that is active again is as before.
    let switched = |is_active: bool| json!({"id": id, "is_active": is_active, "slow_threshold": 99999});
    cases.item(edit, &switched(false), &item);
    cases.fails("zato.service.invoke", &json!({"name": "zato.ping2"}), 404, &["`zato.ping2` is inactive"]);
    cases.item(edit, &switched(true), &item);

    let channels = "zato.service.get-channel-list";
    let of_type = |channel_type: &str| json!({"id": id, "channel_type": channel_type});
    cases.list_with(channels, &of_type("plain_http"), &json!({"name": "zato.ping2.json"}));
    cases.list_with(channels, &of_type("soap"), &json!({"name": "zato.ping2"}));
    cases.empty_list(channels, &of_type("zmq"));
    cases.fails(channels, &of_type("pigeon"), 400, &["channel_type", "pigeon"]);
    cases.fails(channels, &json!({"id": NO_ID, "channel_type": "soap"}), 404, &["987654"]);

    let invoke = "zato.service.invoke";
    // {"zato_ping_response":{"pong":"zato"}}
    let response = "eyJ6YXRvX3BpbmdfcmVzcG9uc2UiOnsicG9uZyI6InphdG8ifX0=";
    let input = json!({"name": "zato.ping", "data_format": "json"});
    cases.item(invoke, &input, &json!({"response": response}));
    cases.fails(invoke, &json!({"name": "no.such"}), 404, &["no.such"]);

    samples(cases, id);
    wsdl(cases, id);
    deployments(cases, id);

    let delete = "zato.service.delete";
    let internal = "Can't delete service:[zato.ping2], it's an internal one";
    cases.fails(delete, &json!({"id": id}), 403, &[internal]);
    let lenient = Launch::new().flag("--internal-services-may-be-deleted", "true").start();
    let mut deleting = Cases::new(&lenient, cases.format);
    let id = lenient.api().service("zato.ping2")["id"].as_i64().expect("services have ids");
    deleting.nothing(delete, &json!({"id": id}));
    deleting.fails(delete, &json!({"id": id}), 404, &["No row was found"]);
    deleting.fails(invoke, &json!({"name": "zato.ping2"}), 404, &["zato.ping2"]);
    assert_eq!(lenient.request("GET", "/zato/ping2").send().status, 404, "its channels are gone");
    cases.take(deleting);
    // The next start does not bring it back, though the program still has it.
    let lenient = lenient.stop().start();
    assert_eq!(lenient.request("GET", "/zato/ping2").send().status, 404);
    assert_eq!(lenient.request("GET", "/zato/ping").send().status, 200);
}

fn wsdl(cases: &mut Cases<'_>, id: i64) {
    let name = json!({"cluster_id": 1, "name": "zato.ping2"});
    let has = "zato.service.has-wsdl";
    cases.item(has, &name, &json!({"service_id": id, "has_wsdl": false}));
    let download = |path: &str| cases.server.request("GET", path).send();
    let path = "/zato/wsdl?service=zato.ping2&cluster_id=1";
    assert_eq!(download(path).status(404).text(), "No WSDL found");
    let set = "zato.service.set-wsdl";
    let file = json!({"wsdl": "PGRlZmluaXRp\nb25zLz4=", "wsdl_name": "ping.wsdl"});
    cases.nothing(set, &with(&name, &file));
    cases.item(has, &name, &json!({"has_wsdl": true}));
    let get = "zato.service.get-wsdl";
    let shown =
        json!({"wsdl": "PGRlZmluaXRpb25zLz4=", "wsdl_name": "ping.wsdl", "content_type": "application/xml"});
    cases.item(get, &json!({"cluster_id": 1, "service": "zato.ping2"}), &shown);
    cases.item(
        get,
        &json!({"cluster_id": 1, "service": "zato.ping"}),
        &json!({"content_type": "text/plain"}),
    );

    let download = |path: &str| cases.server.request("GET", path).send();
    let reply = download(path).status(200);
    assert_eq!(reply.text(), "<definitions/>");
    assert_eq!(reply.header("content-disposition"), "attachment; filename=\"ping.wsdl\"");
    assert_eq!(reply.header("content-type"), "application/xml");
    let both = "Both [service] and [cluster_id] parameters are required";
    assert_eq!(download("/zato/wsdl?service=zato.ping2").status(400).text(), both);
    let unknown = download("/zato/wsdl?cluster_id=1&service=no.such").status(404);
    assert_eq!(unknown.text(), "Service [no.such] not found");
    assert!(download("/zato/wsdl").status(200).text().contains("zato_ping_request"));

    cases.fails(get, &json!({}), 400, &[both]);
    cases.fails(get, &json!({"cluster_id": 1, "service": "no.such"}), 404, &["no.such"]);
    let unknown = json!({"cluster_id": 1, "name": "no.such"});
    cases.fails(has, &unknown, 404, &["no.such"]);
    cases.fails(set, &with(&unknown, &file), 404, &["no.such"]);
    let set_with = |changes| with(&with(&name, &file), &changes);
    cases.fails(set, &set_with(json!({"wsdl": "<definitions/>"})), 400, &["wsdl is not base64"]);
    cases.fails(set, &set_with(json!({"wsdl_name": "../ping.wsdl"})), 400, &["wsdl_name"]);
    let large = set_with(json!({"wsdl": "AAAA".repeat(1_666_667)}));
    cases.fails(set, &large, 400, &["wsdl [5000001 bytes]"]);
}

fn deployments(cases: &mut Cases<'_>, id: i64) {
    let list = "zato.service.get-deployment-info-list";
    let deployed = cases.list(list, &json!({"id": id}));
    assert_eq!(deployed.len(), 1, "{deployed:?}");
    assert_eq!(text(&deployed[0]["server_name"]), "server1");
    if cases.format == Format::Json {
        assert_eq!(deployed[0]["details"]["method"], "service-store");
        assert_eq!(deployed[0]["details"]["object"], "zato.ping2");
    }
    cases.fails(list, &json!({"id": NO_ID}), 404, &["987654"]);
    let source = "zato.service.get-source-info";
    let name = json!({"cluster_id": 1, "name": "zato.ping2"});
    let item = cases.item(source, &name, &json!({"service_id": id, "server_name": "server1"}));
    assert!(text(&item["source_path"]).contains("zato-server"), "{item}");
    cases.fails(source, &json!({"cluster_id": 1, "name": "no.such"}), 404, &["no.such"]);

    let upload = "zato.service.upload-package";
    let package = json!({"cluster_id": 1, "payload": "cHJpbnQoMSk=", "payload_name": "service.py"});
    let refusal = &["Package [service.py] is kept with id [1]", "written in Rust"];
    cases.refused(upload, &package, 400, refusal);
    let wrong = |changes| with(&package, &changes);
    cases.fails(upload, &wrong(json!({"payload": "print(1)"})), 400, &["payload is not base64"]);
    cases.fails(upload, &wrong(json!({"payload_name": "/etc/passwd"})), 400, &["payload_name"]);
    cases.fails(upload, &wrong(json!({"cluster_id": NO_ID})), 404, &["987654"]);
}

fn samples(cases: &mut Cases<'_>, id: i64) {
    let (configure, sample) =
        ("zato.service.configure-request-response", "zato.service.get-request-response");
    let name = |name: &str| json!({"cluster_id": 1, "name": name});
    cases.item(sample, &name("zato.ping2"), &json!({"service_id": id, "sample_req_resp_freq": 0}));
    cases.fails(sample, &name("no.such"), 404, &["no.such"]);
    let every = |frequency: i64| with(&name("zato.ping2"), &json!({"sample_req_resp_freq": frequency}));
    cases.nothing(configure, &every(1));
    cases.fails(configure, &every(-1), 400, &["sample_req_resp_freq", "-1"]);
    cases.nothing(configure, &with(&name("no.such"), &json!({"sample_req_resp_freq": 7})));
    cases.server.api().call("zato.ping2", &json!({"b": 2})).ok();
    crate::support::eventually("the sample is taken", || {
        let taken = cases.server.api().call(sample, &name("zato.ping2")).ok();
        // {"b":2}
        (taken["sample_req"] == "eyJiIjoyfQ==").then_some(())
    });
    // {"zato_ping2_response":{"pong":"zato"}}
    let response = "eyJ6YXRvX3BpbmcyX3Jlc3BvbnNlIjp7InBvbmciOiJ6YXRvIn19";
    cases.item(sample, &name("zato.ping2"), &json!({"sample_req_resp_freq": 1, "sample_resp": response}));
}
