//! `zato.service`.

use serde_json::json;

use super::super::cases::{Cases, NO_ID};
use crate::support::api::with;

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
