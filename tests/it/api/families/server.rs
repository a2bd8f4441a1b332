//! `zato.server`, on a cluster with a second server that was started once.

use serde_json::json;

use super::super::cases::{Cases, NO_ID};
use crate::support::{Backend, Server};

/// Starts the one that is asked, after the other one, which is stopped again.
pub(super) fn start(backend: Backend) -> Server {
    let launch = backend.launch();
    let other = launch.clone().flag("--server-name", "server2").start().stop();
    launch.flag("--server-name", "server1").start_in(other.home)
}

pub(super) fn cases(cases: &mut Cases<'_>) {
    let (other, own) = (1, 2);
    let (get, edit, delete) = ("zato.server.get-by-id", "zato.server.edit", "zato.server.delete");
    let stopped = json!({
        "id": other, "cluster_id": 1, "name": "server2", "last_join_status": "accepted", "up_status": "clean-down",
    });
    let item = cases.item(get, &json!({"id": other}), &stopped);
    assert_eq!(item["bind_host"], "127.0.0.1");
    cases.item(get, &json!({"id": own}), &json!({"name": "server1", "up_status": "running"}));
    cases.fails(get, &json!({"id": NO_ID}), 404, &["987654"]);

    cases.item(
        edit,
        &json!({"id": own, "name": "esb1"}),
        &json!({"id": own, "name": "esb1", "cluster_id": 1}),
    );
    cases.item(get, &json!({"id": own}), &json!({"name": "esb1"}));
    let taken = "A server of that name [server2] already exists on this cluster";
    cases.fails(edit, &json!({"id": own, "name": "server2"}), 409, &[taken]);
    cases.fails(edit, &json!({"id": own, "name": ""}), 400, &["name"]);
    cases.fails(edit, &json!({"id": NO_ID, "name": "esb2"}), 404, &["987654"]);

    cases.fails(delete, &json!({"id": own}), 409, &["A server cannot delete itself, id:[2], name:[esb1]"]);
    cases.nothing(delete, &json!({"id": other}));
    cases.fails(get, &json!({"id": other}), 404, &["[1]"]);
    cases.fails(delete, &json!({"id": other}), 404, &["[1]"]);

    let (ensure, keep_alive) =
        ("zato.server.ensure-cluster-wide-singleton", "zato.server.cluster-wide-singleton-keep-alive");
    cases.nothing(ensure, &json!({}));
    cases.nothing(keep_alive, &json!("server_id:2;cluster_id:1"));
    cases.fails(keep_alive, &json!("server_id:1;cluster_id:1"), 409, &["[1]"]);
    cases.fails(keep_alive, &json!("server_id:2;cluster_id:7"), 404, &["[7]"]);
    cases.fails(keep_alive, &json!("alive"), 400, &["server_id:1;cluster_id:1"]);
}
