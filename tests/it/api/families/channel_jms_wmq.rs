//! `zato.channel.jms-wmq`.

use serde_json::{Value, json};

use super::super::cases::{Cases, NO_ID};
use super::definition_jms_wmq::definition;
use super::objects::Objects;
use crate::support::api::with;

/// The input that creates a WebSphere MQ channel that is not active.
pub(super) fn channel(name: &str, definition: i64) -> Value {
    json!({
        "cluster_id": 1, "name": name, "is_active": false, "def_id": definition, "queue": "q1",
        "service": "zato.ping", "data_format": "json",
    })
}

pub(super) fn cases(cases: &mut Cases<'_>) {
    let manager = cases.server.api().id_of("zato.definition.jms-wmq.create", &definition("Manager"));
    let objects = Objects {
        family: "zato.channel.jms-wmq",
        taken: "A JMS WebSphere MQ channel",
        object: channel("Channel", manager),
        changes: json!({"queue": "q2", "data_format": "xml"}),
        shown: json!({"def_name": "Manager", "service_name": "zato.ping", "status": "inactive"}),
        hidden: &["cluster_id", "service"],
    };
    let id = objects.check(cases);
    objects.refuses_each(cases, id, "queue", &[json!("")]);
    objects.refuses_each(cases, id, "data_format", &[json!("csv")]);
    objects.refuses(cases, id, &json!({"def_id": NO_ID}), 404, &["JMS WebSphere MQ definition", "987654"]);
    let unknown = &["Service [no.such] does not exist on this cluster"];
    objects.refuses(cases, id, &json!({"service": "no.such"}), 404, unknown);

    // Nothing here speaks to WebSphere MQ, which whoever activates a channel is told.
    let active = with(&channel("Active", manager), &json!({"is_active": true}));
    let told = &["JMS WebSphere MQ channel [Active]", "no IBM MQ client"];
    cases.warned("zato.channel.jms-wmq.create", &active, told);
    let edited = with(&channel("Channel", manager), &json!({"id": id, "is_active": true}));
    let told = &["JMS WebSphere MQ channel [Channel]", "no IBM MQ client"];
    cases.warned("zato.channel.jms-wmq.edit", &edited, told);
    let item = json!({"id": id, "status": "not connected: this build has no IBM MQ client"});
    cases.list_with("zato.channel.jms-wmq.get-list", &json!({"cluster_id": 1}), &item);
}
