//! `zato.security.get-list`: the definitions of all types.

use serde_json::json;

use super::super::cases::{Cases, NO_ID};
use crate::support::api::user;

pub(super) fn cases(cases: &mut Cases<'_>) {
    let id = cases.server.api().id_of("zato.security.basic-auth.create", &user("Table user"));
    let list = "zato.security.get-list";
    let item = json!({
        "id": id, "name": "Table user", "is_active": true, "sec_type": "basic_auth",
        "username": "Table user", "realm": "Tests", "password_type": "", "reject_stale_tokens": false,
    });
    cases.list_with(list, &json!({"cluster_id": 1}), &item);
    cases.list_with(list, &json!({"cluster_id": "1"}), &item);
    cases.list_with(list, &json!({"cluster_id": 1, "sec_type": ["basic_auth", "apikey"]}), &item);
    cases.list_with(list, &json!({"cluster_id": 1, "needs_internal": "no"}), &item);
    cases.empty_list(list, &json!({"cluster_id": 1, "sec_type": ["apikey"]}));
    cases.empty_list(list, &json!({"cluster_id": NO_ID}));
}
