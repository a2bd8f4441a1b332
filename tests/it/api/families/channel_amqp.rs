//! `zato.channel.amqp`.

use serde_json::{Value, json};

use super::super::cases::{Cases, NO_ID};
use super::definition_amqp::definition;
use super::objects::Objects;

/// The input that creates an AMQP channel that is not active.
pub(super) fn channel(name: &str, definition: i64) -> Value {
    json!({
        "cluster_id": 1, "name": name, "is_active": false, "def_id": definition, "queue": "q1",
        "consumer_tag_prefix": "zato", "service": "zato.ping", "data_format": "json",
    })
}

pub(super) fn cases(cases: &mut Cases<'_>) {
    let broker = cases.server.api().id_of("zato.definition.amqp.create", &definition("Broker"));
    let objects = Objects {
        family: "zato.channel.amqp",
        taken: "An AMQP channel",
        object: channel("Channel", broker),
        changes: json!({"is_active": true, "queue": "q2", "data_format": "xml"}),
        shown: json!({"def_name": "Broker", "service_name": "zato.ping"}),
        hidden: &["cluster_id", "service"],
    };
    let id = objects.check(cases);
    objects.refuses_each(cases, id, "queue", &[json!("")]);
    objects.refuses_each(cases, id, "data_format", &[json!("csv"), json!("JSON")]);
    objects.refuses(cases, id, &json!({"def_id": NO_ID}), 404, &["AMQP definition", "987654"]);
    let unknown = &["Service [no.such] does not exist on this cluster"];
    objects.refuses(cases, id, &json!({"service": "no.such"}), 404, unknown);

    // Names are looked at before services.
    let taken = json!({"id": NO_ID, "name": "Other", "service": "no.such"});
    cases.id("zato.channel.amqp.create", &channel("Other", broker));
    objects.refuses(cases, id, &taken, 409, &["An AMQP channel [Other] already exists on this cluster"]);
    let inactive = json!({"name": "Other", "is_active": false, "status": "inactive"});
    cases.list_with("zato.channel.amqp.get-list", &json!({"cluster_id": 1}), &inactive);
    cases.nothing("zato.channel.amqp.delete", &json!({"id": id}));
}
