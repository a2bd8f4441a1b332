//! Connections that are switched off: services that use one are told so.

use serde_json::{Value, json};

use crate::support::api::{json_channel, with};
use crate::support::{Format, Launch};

/// What creates a connection of each kind, which services of the example program use, and the service that does.
fn connections(amqp_definition: i64) -> [(&'static str, &'static str, Value); 4] {
    let connection =
        |name: &str, own: Value| with(&json!({"cluster_id": 1, "name": name, "is_active": false}), &own);
    [
        (
            "zato.outgoing.amqp",
            "orders.submit",
            connection("Orders", json!({"def_id": amqp_definition, "delivery_mode": 2, "priority": 5})),
        ),
        (
            "zato.outgoing.sql",
            "orders.place",
            connection(
                "Orders",
                json!({
                    "engine": "postgresql", "host": "localhost", "port": 1, "db_name": "orders",
                    "username": "crm", "pool_size": 1, "extra": "connect_timeout=1",
                }),
            ),
        ),
        (
            "zato.outgoing.zmq",
            "orders.announce",
            connection("Announcements", json!({"address": "tcp://127.0.0.1:1", "socket_type": "PUB"})),
        ),
        (
            "zato.outgoing.ftp",
            "orders.export",
            connection(
                "Exports",
                json!({"host": "localhost", "port": 1, "user": "crm", "timeout": 1, "dircache": false}),
            ),
        ),
    ]
}

#[test]
fn services_are_told_that_a_connection_is_inactive() {
    let server = Launch::orders_example().start();
    let definition = json!({
        "cluster_id": 1, "name": "Broker", "host": "localhost", "port": 1, "vhost": "/", "username": "crm",
        "frame_max": 131_072, "heartbeat": 60,
    });
    let definition = server.api().id_of("zato.definition.amqp.create", &definition);
    for (family, service, connection) in connections(definition) {
        let path = format!("/{service}");
        server.api().create_http(&json_channel(service, &path, service));
        let call = || server.request("POST", &path).json(&json!({"id": 1, "item": "a book"})).send();
        let name = connection["name"].as_str().unwrap();
        let unknown = call().status(500);
        assert!(unknown.text().contains(&format!("named `{name}`")), "{}", unknown.text());
        for format in Format::BOTH {
            let api = server.api_in(format);
            let id = api.id_of(&format!("{family}.create"), &connection);
            let refused = call().status(502);
            assert!(refused.text().contains(&format!("`{name}` is inactive")), "{}", refused.text());
            let list = api.call(&format!("{family}.get-list"), &json!({"cluster_id": 1})).ok();
            assert!(
                matches!(list[0]["is_active"].to_string().trim_matches('"'), "false" | "False"),
                "{list}"
            );
            api.call(&format!("{family}.delete"), &json!({"id": id})).ok();
        }
    }
}
