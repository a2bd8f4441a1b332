//! `zato.definition.amqp`.

use serde_json::{Value, json};

use super::super::cases::{Cases, NO_ID};
use super::channel_amqp::channel;
use super::objects::Objects;
use super::outgoing_amqp::connection;
use crate::support::api::with;

/// The input that creates an AMQP definition of a broker that is not there.
pub(super) fn definition(name: &str) -> Value {
    json!({
        "cluster_id": 1, "name": name, "host": "localhost", "port": 1, "vhost": "/", "username": "crm",
        "frame_max": 131_072, "heartbeat": 60,
    })
}

pub(super) fn cases(cases: &mut Cases<'_>) {
    let objects = Objects {
        family: "zato.definition.amqp",
        taken: "AMQP definition",
        object: definition("Broker"),
        changes: json!({"port": 65_535, "vhost": "crm", "frame_max": 0, "heartbeat": 0}),
        shown: json!({}),
        hidden: &["cluster_id"],
    };
    let id = objects.check(cases);
    objects.refuses_each(cases, id, "host", &[json!(""), json!(" ")]);
    objects.refuses_each(cases, id, "port", &[json!(0), json!(65_536), json!(-1), json!(5_000_000_000_i64)]);
    objects.refuses_each(cases, id, "vhost", &[json!("")]);
    objects.refuses_each(cases, id, "frame_max", &[json!(-1), json!(4095), json!(2_147_483_648_i64)]);
    objects.refuses_each(cases, id, "heartbeat", &[json!(-1), json!(65_536)]);
    objects.check_password(cases, id);

    let get = "zato.definition.amqp.get-by-id";
    cases.item(
        get,
        &json!({"id": id, "cluster_id": 1}),
        &json!({"id": id, "name": "Broker", "vhost": "crm"}),
    );
    cases.fails(get, &json!({"id": NO_ID, "cluster_id": 1}), 404, &["AMQP definition", "987654"]);

    // What is built on a definition goes with it.
    let api = cases.server.api();
    api.id_of("zato.channel.amqp.create", &channel("Of the definition", id));
    api.id_of("zato.outgoing.amqp.create", &connection("Of the definition", id));
    let other = api.id_of("zato.definition.amqp.create", &definition("Other"));
    api.id_of("zato.channel.amqp.create", &channel("Of another one", other));
    cases.nothing("zato.definition.amqp.delete", &json!({"id": id}));
    let names =
        |family: &str| cases.server.api().names(&format!("{family}.get-list"), &json!({"cluster_id": 1}));
    assert_eq!(names("zato.channel.amqp"), ["Of another one"]);
    assert_eq!(names("zato.outgoing.amqp"), [""; 0]);
    let gone = with(&channel("New", id), &json!({"is_active": false}));
    assert_eq!(cases.server.api().call("zato.channel.amqp.create", &gone).status, 404);
}
