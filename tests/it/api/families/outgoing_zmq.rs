//! `zato.outgoing.zmq`.

use serde_json::{Value, json};

use super::super::cases::Cases;
use super::objects::Objects;

pub(super) fn cases(cases: &mut Cases<'_>) {
    let objects = Objects {
        family: "zato.outgoing.zmq",
        taken: "An outgoing ZeroMQ connection",
        object: json!({
            "cluster_id": 1, "name": "Connection", "is_active": false, "address": "tcp://localhost:1",
            "socket_type": "PUSH",
        }),
        changes: json!({"is_active": true, "address": "tcp://127.0.0.1:2", "socket_type": "PUB"}),
        shown: json!({}),
        hidden: &["cluster_id"],
    };
    let id = objects.check(cases);
    objects.refuses_each(cases, id, "address", &["", "localhost:1", "tcp://localhost:0"].map(Value::from));
    objects.refuses_each(cases, id, "socket_type", &["PULL", "push", "SUB"].map(Value::from));
}
