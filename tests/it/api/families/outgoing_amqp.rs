//! `zato.outgoing.amqp`.

use serde_json::{Value, json};

use super::super::cases::{Cases, NO_ID};
use super::definition_amqp::definition;
use super::objects::Objects;

/// The input that creates an outgoing AMQP connection that is not active.
pub(super) fn connection(name: &str, definition: i64) -> Value {
    json!({
        "cluster_id": 1, "name": name, "is_active": false, "def_id": definition, "delivery_mode": 2, "priority": 5,
        "content_type": "application/json", "content_encoding": "utf-8", "expiration": "30000", "user_id": "crm",
        "app_id": "7",
    })
}

pub(super) fn cases(cases: &mut Cases<'_>) {
    let broker = cases.server.api().id_of("zato.definition.amqp.create", &definition("Broker"));
    let objects = Objects {
        family: "zato.outgoing.amqp",
        taken: "An outgoing AMQP connection",
        object: connection("Connection", broker),
        changes: json!({"delivery_mode": 1, "priority": 0, "content_type": "text/plain", "user_id": "hr"}),
        shown: json!({"def_name": "Broker", "status": "inactive"}),
        hidden: &["cluster_id"],
    };
    let id = objects.check(cases);
    for priority in [-1, 10] {
        let expected = format!("Priority should be between 0 and 9, not [{priority}]");
        objects.refuses(cases, id, &json!({"priority": priority}), 400, &[&expected]);
    }
    objects.refuses_each(cases, id, "delivery_mode", &[json!(0), json!(3)]);
    objects.refuses_each(cases, id, "expiration", &[json!("-1"), json!("soon")]);
    objects.refuses(cases, id, &json!({"def_id": NO_ID}), 404, &["AMQP definition", "987654"]);
    // Values are looked at before names.
    let wrong = json!({"name": "Connection", "priority": 10});
    objects.refuses(cases, id, &wrong, 400, &["Priority should be between 0 and 9"]);
    cases.nothing("zato.outgoing.amqp.delete", &json!({"id": id}));
}
