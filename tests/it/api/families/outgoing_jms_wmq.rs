//! `zato.outgoing.jms-wmq`.

use serde_json::{Value, json};

use super::super::cases::{Cases, NO_ID};
use super::definition_jms_wmq::definition;
use super::objects::Objects;
use crate::support::api::with;

/// The input that creates an outgoing WebSphere MQ connection that is not active.
pub(super) fn connection(name: &str, definition: i64) -> Value {
    json!({
        "cluster_id": 1, "name": name, "is_active": false, "def_id": definition, "delivery_mode": 2, "priority": 5,
        "expiration": "30000",
    })
}

pub(super) fn cases(cases: &mut Cases<'_>) {
    let manager = cases.server.api().id_of("zato.definition.jms-wmq.create", &definition("Manager"));
    let objects = Objects {
        family: "zato.outgoing.jms-wmq",
        taken: "An outgoing JMS WebSphere MQ connection",
        object: connection("Connection", manager),
        changes: json!({"delivery_mode": 1, "priority": 9, "expiration": "1"}),
        shown: json!({"def_name": "Manager", "status": "inactive"}),
        hidden: &["cluster_id"],
    };
    let id = objects.check(cases);
    objects.refuses(
        cases,
        id,
        &json!({"priority": 10}),
        400,
        &["Priority should be between 0 and 9, not [10]"],
    );
    objects.refuses_each(cases, id, "delivery_mode", &[json!(0), json!(3)]);
    objects.refuses_each(cases, id, "expiration", &[json!("-1")]);
    objects.refuses(cases, id, &json!({"def_id": NO_ID}), 404, &["JMS WebSphere MQ definition", "987654"]);

    // Nothing here speaks to WebSphere MQ, which whoever activates a connection is told.
    let active = with(&connection("Active", manager), &json!({"is_active": true}));
    let told = &["outgoing JMS WebSphere MQ connection [Active]", "no IBM MQ client"];
    cases.warned("zato.outgoing.jms-wmq.create", &active, told);
    let edited = with(&connection("Connection", manager), &json!({"id": id, "is_active": true}));
    cases.warned("zato.outgoing.jms-wmq.edit", &edited, &["[Connection]", "no IBM MQ client"]);
    let item = json!({"id": id, "status": "not connected: this build has no IBM MQ client"});
    cases.list_with("zato.outgoing.jms-wmq.get-list", &json!({"cluster_id": 1}), &item);
}
