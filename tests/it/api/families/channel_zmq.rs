//! `zato.channel.zmq`.

use serde_json::{Value, json};

use super::super::cases::Cases;
use super::objects::Objects;

fn channel(name: &str) -> Value {
    json!({
        "cluster_id": 1, "name": name, "is_active": false, "address": "tcp://localhost:1", "socket_type": "SUB",
        "sub_key": "crm.", "service": "zato.ping", "data_format": "json",
    })
}

pub(super) fn cases(cases: &mut Cases<'_>) {
    let objects = Objects {
        family: "zato.channel.zmq",
        taken: "A ZeroMQ channel",
        object: channel("Channel"),
        changes: json!({"socket_type": "PULL", "address": "tcp://[::1]:2", "data_format": "xml"}),
        shown: json!({"service_name": "zato.ping"}),
        hidden: &["cluster_id", "service"],
    };
    let id = objects.check(cases);
    let addresses = ["", "localhost:1", "tcp://localhost", "tcp://localhost:0", "http://localhost:1"];
    objects.refuses_each(cases, id, "address", &addresses.map(Value::from));
    objects.refuses_each(cases, id, "socket_type", &[json!("PUSH"), json!("pull"), json!("REP")]);
    objects.refuses_each(cases, id, "data_format", &[json!("csv")]);
    let unknown = &["Service [no.such] does not exist on this cluster"];
    objects.refuses(cases, id, &json!({"service": "no.such"}), 404, unknown);
    let inactive = json!({"id": id, "is_active": false, "status": "inactive"});
    cases.list_with("zato.channel.zmq.get-list", &json!({"cluster_id": 1}), &inactive);
    cases.nothing("zato.channel.zmq.delete", &json!({"id": id}));
}
