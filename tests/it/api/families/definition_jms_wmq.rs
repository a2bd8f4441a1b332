//! `zato.definition.jms-wmq`.

use serde_json::{Value, json};

use super::super::cases::{Cases, NO_ID};
use super::channel_jms_wmq::channel;
use super::objects::Objects;
use super::outgoing_jms_wmq::connection;

/// The input that creates a WebSphere MQ definition.
pub(super) fn definition(name: &str) -> Value {
    json!({
        "cluster_id": 1, "name": name, "host": "localhost", "port": 1414, "queue_manager": "QM.1",
        "channel": "DEV.APP", "cache_open_send_queues": true, "cache_open_receive_queues": false,
        "use_shared_connections": true, "ssl": true, "ssl_cipher_spec": "TLS_RSA", "ssl_key_repository": "/keys",
        "needs_mcd": false, "max_chars_printed": 100,
    })
}

pub(super) fn cases(cases: &mut Cases<'_>) {
    let objects = Objects {
        family: "zato.definition.jms-wmq",
        taken: "JMS WebSphere MQ definition",
        object: definition("Manager"),
        changes: json!({"port": 1415, "ssl": false, "ssl_cipher_spec": "OTHER", "needs_mcd": true}),
        shown: json!({}),
        hidden: &["cluster_id"],
    };
    let id = objects.check(cases);
    for element in ["host", "queue_manager", "channel"] {
        objects.refuses_each(cases, id, element, &[json!("")]);
    }
    objects.refuses_each(cases, id, "port", &[json!(0), json!(65_536)]);
    objects.refuses_each(cases, id, "max_chars_printed", &[json!(-1)]);

    let get = "zato.definition.jms-wmq.get-by-id";
    let item =
        json!({"id": id, "name": "Manager", "port": 1415, "ssl": false, "ssl_key_repository": "/keys"});
    cases.item(get, &json!({"id": id, "cluster_id": 1}), &item);
    cases.fails(get, &json!({"id": NO_ID, "cluster_id": 1}), 404, &["JMS WebSphere MQ definition", "987654"]);

    // What is built on a definition goes with it.
    let api = cases.server.api();
    api.id_of("zato.channel.jms-wmq.create", &channel("Of the definition", id));
    api.id_of("zato.outgoing.jms-wmq.create", &connection("Of the definition", id));
    cases.nothing("zato.definition.jms-wmq.delete", &json!({"id": id}));
    for family in ["zato.channel.jms-wmq", "zato.outgoing.jms-wmq"] {
        let names = cases.server.api().names(&format!("{family}.get-list"), &json!({"cluster_id": 1}));
        assert_eq!(names, [""; 0], "{family}");
    }
}
