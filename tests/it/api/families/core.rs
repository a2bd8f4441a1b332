//! `zato.ping` and `zato.ping2`.

use serde_json::json;

use super::super::cases::Cases;

pub(super) fn cases(cases: &mut Cases<'_>) {
    for service in ["zato.ping", "zato.ping2"] {
        for input in [json!({}), json!({"unknown": "element"})] {
            cases.item(service, &input, &json!({"pong": "zato"}));
        }
    }
}
