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
}
